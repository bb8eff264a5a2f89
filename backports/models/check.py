from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from xsa.readers import Readers, Under

NAME = r"^[a-z0-9][a-z0-9._+-]{0,49}$"


class Check(models.Model):
    """What a machine found out about a backport's version: a result, its log, and a digest of what it built.

    As secret as the version's patches. Rows are only added; the latest of a name and organisation counts. Of a log
    that is over the limit its end is kept, and `log_cut` says so.
    """

    readers: ClassVar[Readers] = Under("version")

    class State(models.TextChoices):
        PENDING = "pending"
        SUCCESS = "success"
        FAILURE = "failure"
        ERROR = "error"
        WARNING = "warning"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey("backports.BackportVersion", on_delete=models.CASCADE, related_name="checks")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.PROTECT, related_name="+")
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    name = models.CharField(max_length=50)
    state = models.CharField(max_length=10, choices=State.choices)
    summary = models.CharField(max_length=300, blank=True)
    artefact_sha256 = models.CharField(max_length=64, blank=True)
    log = models.BinaryField(blank=True, default=b"")
    log_size = models.PositiveBigIntegerField(default=0)
    log_cut = models.BooleanField(default=False)

    class Meta:
        ordering = ("-made_at", "id")
        indexes: ClassVar = [models.Index(fields=["version", "name", "organisation"], name="check_latest")]

    def __str__(self) -> str:
        return str(self.id)


class RequiredCheck(models.Model):
    """That a backport on a branch wants a check of this name; said by whoever keeps the branch."""

    readers: ClassVar[Readers] = Under("branch")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, related_name="required_checks")
    name = models.CharField(max_length=50)
    set_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ("branch", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["branch", "name"], name="one_required_check_per_name"),
        ]

    def __str__(self) -> str:
        return self.name
