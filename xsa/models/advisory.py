"""Advisories and what came in with them.

Ids that a reader can meet are random or natural (an advisory's number): a sequence would
tell outsiders how much they do not see.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from xsa.readers import Readers, Root, Under


class Advisory(models.Model):
    """One XSA. It is embargoed until `disclosed_at` is set, and only `services.disclose` sets it.

    `planned_disclosure_at` is only a plan and opens nothing. `current` is the version that
    pages show: the highest that was received.
    """

    readers: ClassVar[Readers] = Root()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True)
    disclosed_at = models.DateTimeField(null=True, blank=True, db_default=None)
    disclosure_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    planned_disclosure_at = models.DateTimeField(null=True, blank=True)
    current = models.ForeignKey("AdvisoryVersion", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints: ClassVar = [
            models.CheckConstraint(
                name="embargoed_unless_disclosed_with_a_reason",
                condition=Q(disclosed_at__isnull=True, disclosure_reason="")
                | Q(disclosed_at__isnull=False) & ~Q(disclosure_reason=""),
            )
        ]

    def __str__(self) -> str:
        return f"XSA-{self.number}"

    @property
    def embargoed(self) -> bool:
        """True until it is disclosed."""
        return self.disclosed_at is None


class Announcement(models.Model):
    """What anyone may know of an advisory before its disclosure: that it exists, its number and the planned date.

    A read model of its own, so that no public page ever asks a table that holds more. Rows are written when the
    project announces the number, not when its content comes in.
    """

    number = models.PositiveIntegerField(primary_key=True)
    planned_disclosure_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"XSA-{self.number}"


class AdvisoryVersion(models.Model):
    """An advisory as it was published once. Number 0 is what the repository alone tells of it.

    `sections` is a list of `[heading, text]`; `problems` and `changes` are lists of
    `{"code", "sentence", "file"}`.
    """

    readers: ClassVar[Readers] = Under("advisory")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey(Advisory, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=500, blank=True)
    cves = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    deployment = models.CharField(max_length=20, blank=True)
    signature = models.CharField(max_length=20, blank=True)
    signer = models.CharField(max_length=64, blank=True)
    sections = models.JSONField(default=list, blank=True)
    problems = models.JSONField(default=list, blank=True)
    changes = models.JSONField(default=list, blank=True)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("advisory", "-number")
        constraints: ClassVar = [models.UniqueConstraint(fields=["advisory", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"{self.advisory_id} v{self.number}"


class PatchFile(models.Model):
    """A file as it came in, byte for byte. Without a version it could not be told which advisory it is of."""

    class Kind(models.TextChoices):
        TEXT = "text"
        PATCH = "patch"
        META = "meta"
        INDEX = "index"
        OTHER = "other"

    readers: ClassVar[Readers] = Under("version", orphans_for_the_team=True)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(AdvisoryVersion, on_delete=models.CASCADE, null=True, related_name="files")
    name = models.CharField(max_length=300)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    data = models.BinaryField()
    problems = models.JSONField(default=list, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "received_at")
        indexes: ClassVar = [models.Index(fields=["sha256"], name="patchfile_sha256")]

    def __str__(self) -> str:
        return self.sha256


class Fix(models.Model):
    """The ordered patches of one advisory version that belong to one upstream branch: its recipe.

    `branch` is `master` or `4.N`; `tree` names the project whose repositories it is for:
    `xen` for Xen's own, else another one's (`linux`, `qemu-xen`). `origin` tells where the
    assignment was read: `resolution`, `meta`, `name` or `commit`. A fix without patches says
    that there is nothing to apply on that branch. `prerequisites` are numbers of advisories
    that it builds on. With `problems` (`{"code", "sentence", "file"}`) its files are not what
    was published, and it is not tried.
    """

    readers: ClassVar[Readers] = Under("version")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(AdvisoryVersion, on_delete=models.CASCADE, related_name="fixes")
    branch = models.CharField(max_length=100)
    tree = models.CharField(max_length=100, default="xen")
    origin = models.CharField(max_length=20)
    stable_ref = models.CharField(max_length=40, blank=True)
    prerequisites = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    problems = models.JSONField(default=list, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ("version", "branch")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "branch", "tree"], name="one_fix_per_branch")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.branch}"

    @property
    def says_nothing_to_apply(self) -> bool:
        """Whether the advisory's metadata lists this branch without patches; a missing file says no such thing."""
        return self.origin == "meta" and not self.problems and not self.patches.all()


class FixPatch(models.Model):
    """One patch of a fix: a file that came in, or a commit of the mirrored repository `repository`."""

    readers: ClassVar[Readers] = Under("fix")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fix = models.ForeignKey(Fix, on_delete=models.CASCADE, related_name="patches")
    position = models.PositiveSmallIntegerField()
    file = models.ForeignKey(PatchFile, on_delete=models.PROTECT, null=True, related_name="+")
    repository = models.CharField(max_length=50, blank=True)
    commit = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("fix", "position")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fix", "position"], name="one_patch_per_position"),
            models.CheckConstraint(
                name="a_file_or_a_commit",
                condition=Q(file__isnull=False, commit="") | Q(file__isnull=True) & ~Q(commit=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fix_id} {self.position}"
