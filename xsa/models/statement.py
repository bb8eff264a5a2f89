from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from xsa.readers import Readers, Under


class Statement(models.Model):
    """How far an organisation says it is with an advisory on one branch of its own; its latest one counts.

    Rows are only added, so that what was said stays. Members keep them among themselves, also after disclosure.
    """

    readers: ClassVar[Readers] = Under("advisory", audience="room")

    class State(models.TextChoices):
        LOOKING = "looking"
        NOT_AFFECTED = "not-affected", "not affected"
        PATCH_READY = "patch-ready", "patch ready"
        BUILT = "built"
        SHIPPED = "shipped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="statements")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.CASCADE, related_name="statements")
    branch = models.CharField(max_length=100)
    state = models.CharField(max_length=20, choices=State.choices)
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("-made_at", "id")
        indexes: ClassVar = [models.Index(fields=["advisory", "organisation"], name="statement_who")]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.branch} {self.state}"
