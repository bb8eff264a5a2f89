from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Q, Value, When

from backports.engine.result import Confidence, Outcome, Rung
from xsa.readers import Owned, Readers, Under

from .upload import CameBy


class Backport(models.Model):
    """An organisation's patch series for one advisory on one branch; its versions are `BackportVersion`.

    A draft is the organisation's own, from `shared_at` on it is the room's. `opens`: everybody sees it once the
    advisory is disclosed, unless members keep it (`members_only_later`). What is superseded or withdrawn stays with
    the organisation, and with the room where it was shared. `prerequisites` are numbers of further advisories whose
    content is in it. `current` is the newest version.
    """

    readers: ClassVar[Readers] = Owned(
        "advisory", also="branch", builds_on="prerequisites", shared="shared_at", opens="opens"
    )

    class Life(models.TextChoices):
        DRAFT = "draft"
        SHARED = "shared"
        SUPERSEDED = "superseded"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="backports")
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, related_name="backports")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.PROTECT, related_name="backports")
    life = models.CharField(max_length=12, choices=Life.choices, default=Life.DRAFT, db_default=Life.DRAFT)
    members_only_later = models.BooleanField(default=False)
    shared_at = models.DateTimeField(null=True)
    opens = models.GeneratedField(
        expression=Case(When(life="shared", members_only_later=False, then=Value(True)), default=Value(False)),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    superseded_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    withdrawn_because = models.CharField(max_length=500, blank=True)
    prerequisites = ArrayField(models.PositiveIntegerField(), default=list)
    current = models.ForeignKey("BackportVersion", on_delete=models.SET_NULL, null=True, related_name="+")
    started_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()

    class Meta:
        ordering = ("-started_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisory", "branch", "organisation"],
                condition=Q(life__in=["draft", "shared"]),
                name="one_open_backport_per_cell",
            ),
            models.CheckConstraint(name="shared_since", condition=~Q(life="shared") | Q(shared_at__isnull=False)),
            models.CheckConstraint(name="drafts_are_not_shared", condition=~Q(life="draft") | Q(shared_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_open(self) -> bool:
        """Whether versions can be added."""
        return self.life in (self.Life.DRAFT, self.Life.SHARED)


class BackportVersion(models.Model):
    """A backport's content as it came in once, and the server's verdict on it; never changed afterwards.

    `digest` is of the patches' bytes in order, `hunk_keys` are of `engine.lineage`. The verdict: tried on `base`, a
    commit of the branch, with `outcome`, `evidence` as of an attempt, and `result`, the tip of the commits made of it
    in the results' repository ("" when nothing landed). `compared` is how it differs from the official fix
    (`services.kinships`), `marks` are characters in it that look like something else, `notes` what else a person
    should know of how it came in (`{"code", "sentence"}`). It derives from a version or an attempt where somebody
    said so.
    """

    readers: ClassVar[Readers] = Under("backport")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    backport = models.ForeignKey(Backport, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64)
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    note = models.TextField(blank=True)
    came_by = models.CharField(max_length=10, choices=CameBy.choices)
    upload = models.ForeignKey("backports.Upload", on_delete=models.SET_NULL, null=True, related_name="versions")
    derived_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="derived")
    derived_attempt = models.ForeignKey("backports.Attempt", on_delete=models.SET_NULL, null=True, related_name="+")

    base = models.CharField(max_length=40)
    outcome = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Outcome])
    rung = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Rung], blank=True)
    confidence = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Confidence], blank=True)
    hunks_landed = models.PositiveIntegerField(default=0)
    hunks_total = models.PositiveIntegerField(default=0)
    result = models.CharField(max_length=40, blank=True)
    evidence = models.JSONField(default=dict)
    compared = models.JSONField(default=dict)
    marks = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    hunk_keys = ArrayField(models.CharField(max_length=40), default=list)
    problem_code = models.CharField(max_length=50, blank=True)
    problem = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("backport", "-number")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["backport", "number"], name="one_backport_version_per_number"),
            models.UniqueConstraint(fields=["backport", "digest"], name="one_backport_version_per_content"),
        ]
        indexes: ClassVar = [GinIndex(fields=["hunk_keys"], name="version_lineage")]

    def __str__(self) -> str:
        return f"{self.backport_id} v{self.number}"


class VersionPatch(models.Model):
    """One patch of a version, as its bytes; `patch_id` is the same for the same change on other lines.

    `strip` is how many leading folders its names have too many, where somebody said so (`patch -pN`).
    """

    readers: ClassVar[Readers] = Under("version")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(BackportVersion, on_delete=models.CASCADE, related_name="patches")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=300, blank=True)
    subject = models.TextField(blank=True)
    patch_id = models.CharField(max_length=40, blank=True)
    strip = models.SmallIntegerField(null=True)
    data = models.BinaryField()

    class Meta:
        ordering = ("version", "position")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "position"], name="one_version_patch_per_position")
        ]
        indexes: ClassVar = [models.Index(fields=["patch_id"], name="versionpatch_lineage")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.position}"
