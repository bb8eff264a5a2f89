from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from xsa.readers import Personal, Readers


class Look(models.Model):
    """Up to which event somebody said that they have seen an advisory's timeline; nobody else is told."""

    readers: ClassVar[Readers] = Personal("advisory", person="user")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("xsa.User", on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey("backports.Event", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "id")
        constraints: ClassVar = [models.UniqueConstraint(fields=["advisory", "user"], name="one_look_per_advisory")]

    def __str__(self) -> str:
        return str(self.id)
