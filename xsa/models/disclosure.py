"""How an advisory comes to be disclosed: what was planned when, and who asked to open it before that."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from xsa.readers import Readers, Under

REQUEST_LASTS = timedelta(hours=24)


class PlannedDate(models.Model):
    """A planned disclosure date as it was set or confirmed once; the latest row says how the advisory's came to be.

    `version` is the number of the advisory version that was current then. A later version may have moved the date,
    so the plan stands only while no later one is there. `moved_from` is the date before, None where there was none.
    `set_by` None stands for what came in.
    """

    readers: ClassVar[Readers] = Under("advisory", audience="room")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="planned_dates")
    planned_at = models.DateTimeField(null=True)
    moved_from = models.DateTimeField(null=True)
    version = models.PositiveSmallIntegerField()
    set_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ("-set_at", "id")

    def __str__(self) -> str:
        return f"{self.advisory_id} {self.planned_at}"

    @property
    def moved(self) -> bool:
        """Whether it changed the date, and did not set the first or confirm one."""
        return self.moved_from is not None and self.moved_from != self.planned_at


class DisclosureRequest(models.Model):
    """Somebody of the security team asked to open an advisory before its time, and why; another person confirms.

    One for what is `already_public` needs nobody else, and is kept all the same. It ends by disclosure, when it is
    withdrawn, when the planned date changes, or by itself after a day.
    """

    readers: ClassVar[Readers] = Under("advisory", audience="team")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="disclosure_requests")
    reason = models.CharField(max_length=200)
    already_public = models.BooleanField(default=False)
    asked_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-asked_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisory"], condition=Q(closed_at=None), name="one_open_disclosure_request"
            ),
            models.CheckConstraint(
                name="two_people_disclose_early",
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("asked_by")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be confirmed."""
        return self.closed_at is None and now < self.asked_at + REQUEST_LASTS
