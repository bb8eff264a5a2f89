from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from xsa.readers import Readers, Under


class UpstreamFix(models.Model):
    """A branch holds the official fix of an advisory: the commits that say so."""

    readers: ClassVar[Readers] = Under("advisory", also="branch")

    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="upstream_fixes")
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, related_name="upstream_fixes")
    commits = ArrayField(models.CharField(max_length=40))

    class Meta:
        ordering = ("advisory", "branch")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["advisory", "branch"], name="one_upstream_fix_per_cell")
        ]

    def __str__(self) -> str:
        return f"{self.advisory_id} on {self.branch_id}"
