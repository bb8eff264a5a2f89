from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from xsa.readers import Readers, Under


class Resolution(models.Model):
    """A person's answer to one conflict chunk, as an organisation gave it on a branch.

    `base`, `ours`, `theirs` and `answer` are lines with their line ends, as they are in the files; the keys are those
    of `engine.resolutions`. It is the content of its advisory, and of those that the attempt was built on
    (`prerequisites`, by number). Without an organisation it is the security team's.
    """

    readers: ClassVar[Readers] = Under("advisory", builds_on="prerequisites", also="branch")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="resolutions")
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, related_name="resolutions")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.PROTECT, null=True, related_name="+")
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    prerequisites = ArrayField(models.PositiveIntegerField(), default=list)
    path = models.TextField()
    key = models.CharField(max_length=64)
    loose_key = models.CharField(max_length=64)
    base = models.BinaryField()
    ours = models.BinaryField()
    theirs = models.BinaryField()
    answer = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisory", "branch", "organisation", "path", "key"],
                nulls_distinct=False,
                name="one_answer_per_chunk_and_organisation",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["key"], name="resolution_key"),
            models.Index(fields=["loose_key"], name="resolution_loose_key"),
        ]

    def __str__(self) -> str:
        return str(self.id)
