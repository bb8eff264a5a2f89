"""Who gets digests, and when."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q


class Subscription(models.Model):
    """A reader's wish for digests: a person's, an organisation's (at its role address), or the private list's own.

    Hours and the weekday (0 is Monday) are of `time_zone`. Between `quiet_from` and `quiet_until` nothing is sent;
    where they are equal there are no quiet hours. `position` is that of the last event that a digest
    covered or passed over.
    """

    class Cadence(models.TextChoices):
        OFF = "off", "never"
        INSTANT = "instant", "at once"
        DAILY = "daily", "daily"
        WEEKLY = "weekly", "weekly"
        DEADLINE = "deadline", "48 and 4 hours before a disclosure"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.OneToOneField(
        "xsa.Organisation", on_delete=models.CASCADE, null=True, related_name="subscription"
    )
    person = models.OneToOneField("xsa.User", on_delete=models.CASCADE, null=True, related_name="subscription")
    cadence = models.CharField(max_length=10, choices=Cadence.choices, default=Cadence.OFF)
    time_zone = models.CharField(max_length=50, default="UTC")
    hour = models.PositiveSmallIntegerField(default=8)
    weekday = models.PositiveSmallIntegerField(default=0)
    quiet_from = models.PositiveSmallIntegerField(default=0)
    quiet_until = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveBigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)
    set_at = models.DateTimeField()

    class Meta:
        ordering = ("set_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="subscriptions_have_one_reader", condition=Q(organisation=None) | Q(person=None)
            ),
            models.CheckConstraint(
                name="hours_of_a_day",
                condition=Q(hour__lt=24, quiet_from__lt=24, quiet_until__lt=24, weekday__lt=7),
            ),
            models.UniqueConstraint(
                name="one_subscription_of_the_list",
                fields=["organisation", "person"],
                condition=Q(organisation=None, person=None),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
