from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from xsa.readers import Owned, Readers, Under


class Verdict(models.TextChoices):
    """What a reviewer says: about the patches, or that the result was built and run (`tested`)."""

    APPROVE = "approve", "approves"
    NEEDS_CHANGES = "needs-changes", "needs changes"
    COMMENT = "comment", "comments"
    TESTED = "tested", "tested"


class Review(models.Model):
    """A person's verdict on a backport's version, in the name of an organisation; only added, so that it stays.

    Who may read the version reads it too, also after the disclosure. `files` are the names that it is about, none for
    the whole series; `parts` are digests of what was reviewed (`engine.parts`). It is stale while the newest version
    has other parts there: `stale_with` is the version that changed them. `signed_text` is what `signature` was made
    over; `signature_state` is what the server could tell of it (`services.signing`), `signer` the key's fingerprint.
    """

    readers: ClassVar[Readers] = Under("version")

    class SignatureKind(models.TextChoices):
        OPENPGP = "openpgp", "OpenPGP"
        SSH = "ssh", "SSH"

    class SignatureState(models.TextChoices):
        GOOD = "good", "good, by the organisation's key"
        INTACT = "intact", "intact, by a key that is not known here"
        UNCHECKED = "unchecked", "not checked: its key is not known here"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey("backports.BackportVersion", on_delete=models.CASCADE, related_name="reviews")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.PROTECT, related_name="reviews")
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    text = models.TextField(blank=True)
    tested_on = models.CharField(max_length=300, blank=True)
    files = ArrayField(models.TextField(), default=list)
    parts = ArrayField(models.CharField(max_length=64), default=list)
    stale_with = models.ForeignKey(
        "backports.BackportVersion", on_delete=models.SET_NULL, null=True, related_name="made_stale"
    )
    signed_text = models.TextField(blank=True)
    signature = models.TextField(blank=True)
    signature_kind = models.CharField(max_length=10, choices=SignatureKind.choices, blank=True)
    signature_state = models.CharField(max_length=10, choices=SignatureState.choices, blank=True)
    signer = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("-made_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(name="tests_say_on_what", condition=~Q(verdict="tested") | ~Q(tested_on="")),
            models.CheckConstraint(
                name="signatures_are_over_something", condition=Q(signature="") | ~Q(signed_text="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.verdict}"


class ReviewDraft(models.Model):
    """A review that was not given, for its organisation's own eyes: the version was replaced while it was written."""

    readers: ClassVar[Readers] = Owned("advisory", also="version")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="review_drafts")
    version = models.ForeignKey("backports.BackportVersion", on_delete=models.CASCADE, related_name="review_drafts")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.CASCADE, related_name="review_drafts")
    made_by = models.ForeignKey("xsa.User", on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    text = models.TextField(blank=True)
    tested_on = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-made_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "made_by"], name="one_review_draft_per_version")
        ]

    def __str__(self) -> str:
        return str(self.id)


class Quorum(models.Model):
    """How many other organisations must approve a backport of this advisory; without a row it is `USUAL_QUORUM`."""

    readers: ClassVar[Readers] = Under("advisory")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.OneToOneField("xsa.Advisory", on_delete=models.CASCADE, related_name="quorum")
    needed = models.PositiveSmallIntegerField()
    set_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="quorum_of_somebody", condition=Q(needed__gte=1, needed__lte=20))
        ]

    def __str__(self) -> str:
        return f"{self.advisory_id} {self.needed}"


USUAL_QUORUM = 2
