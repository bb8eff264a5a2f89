from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from xsa.readers import Readers, Under


class Claim(models.Model):
    """That an organisation is on an advisory on one branch, until a time that it said; a note, and no lock.

    Somebody who says "4.6 to 4.9" makes one for each branch. It is open until `ended_at` or `until`, whichever comes
    first. `also`: it was made although another organisation's was open there. `offered_to` is whom it was offered
    to; when they accept it is ended, and theirs names it in `taken_over`.
    """

    readers: ClassVar[Readers] = Under("advisory", audience="room", also="branch")

    class Ended(models.TextChoices):
        RELEASED = "released"
        EXPIRED = "expired"
        UPLOADED = "uploaded", "a backport was uploaded"
        HANDED_OVER = "handed-over", "handed over"
        LEFT = "left", "who made it left"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="claims")
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, related_name="claims")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.CASCADE, related_name="claims")
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    also = models.BooleanField(default=False)
    offered_to = models.ForeignKey("xsa.Organisation", on_delete=models.SET_NULL, null=True, related_name="+")
    taken_over = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=12, choices=Ended.choices, blank=True)

    class Meta:
        ordering = ("-made_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisory", "branch", "organisation"],
                condition=Q(ended_at=None),
                name="one_open_claim_per_cell_and_organisation",
            ),
            models.CheckConstraint(name="claims_last", condition=Q(until__gt=F("made_at"))),
            models.CheckConstraint(
                name="ended_claims_say_why", condition=Q(ended_at=None, ended_because="") | ~Q(ended_because="")
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["until"], condition=Q(ended_at=None), name="claim_open")]

    def __str__(self) -> str:
        return str(self.id)

    def is_open(self, now: datetime) -> bool:
        """Whether the organisation is on it."""
        return self.ended_at is None and self.until > now
