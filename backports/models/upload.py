from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from xsa.readers import Owned, Readers


class CameBy(models.TextChoices):
    """The way in."""

    BROWSER = "browser"
    REST = "rest"
    GIT = "git"
    MAIL = "mail"


class Upload(models.Model):
    """Bytes as somebody sent them, whatever is wrong with them; a version may be made of it.

    Until it is said which advisory it is for, it is for whoever sent it; then for those of their organisation who see
    the advisory and those that it was begun on top of (`prerequisites`, by number), and never for anybody else.
    `proposal` is what `services.intake` read from it. `problem` says why no version was made. Of one that is over the
    limit there is no `data`.
    """

    readers: ClassVar[Readers] = Owned("advisory", also="branch", builds_on="prerequisites", author="made_by")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.PROTECT, related_name="uploads")
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    came_by = models.CharField(max_length=10, choices=CameBy.choices)
    name = models.CharField(max_length=300, blank=True)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    data = models.BinaryField()
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, null=True, related_name="uploads")
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, null=True, related_name="uploads")
    prerequisites = ArrayField(models.PositiveIntegerField(), default=list)
    proposal = models.JSONField(default=dict)
    problem_code = models.CharField(max_length=50, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ("-made_at", "id")
        indexes: ClassVar = [models.Index(fields=["organisation", "sha256"], name="upload_same")]

    def __str__(self) -> str:
        return str(self.id)
