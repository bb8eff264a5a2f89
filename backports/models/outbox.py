"""Mail that is to be sent, or was."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from xsa.readers import Owned, Readers


class OutboxMail(models.Model):
    """A mail to one reader about one event, written in the transaction of what it tells about; no content is in it.

    The reader is a `person`, or an `organisation`, reached at its role address; neither for the private list's own.
    `event` is a word that is the same whenever the same is to be told, and says nothing else: for a reader there is
    one mail of an event at most, ever. To whom it goes and by which key is looked up when it is sent. A digest tells
    of the events with positions over `since` up to `until`, and of what drew near between `since_at` and `until_at`.

    It is `waiting` until `next_at`, then `building` with a lease. It is committed as `sending` before the server is
    handed a byte: a worker that dies after that leaves it `unsure`, and nobody sends it again. `notice` says that no
    content went out, since there was no usable key.
    """

    class Kind(models.TextChoices):
        DIGEST = "digest"
        RECEIPT = "receipt"
        ALARM = "alarm"

    class State(models.TextChoices):
        WAITING = "waiting"
        BUILDING = "building"
        SENDING = "sending"
        SENT = "sent"
        DROPPED = "dropped", "dropped: there was nothing to say"
        FAILED = "failed", "failed: given up"
        BOUNCED = "bounced"
        UNSURE = "unsure", "unsure: its worker died while it was sent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.CASCADE, null=True, related_name="mails")
    person = models.ForeignKey("xsa.User", on_delete=models.CASCADE, null=True, related_name="mails")
    event = models.CharField(max_length=100)
    since = models.PositiveBigIntegerField(default=0)
    until = models.PositiveBigIntegerField(default=0)
    since_at = models.DateTimeField(null=True)
    until_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    next_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    notice = models.BooleanField(default=False)
    code = models.CharField(max_length=50, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "person", "event"], name="one_mail_per_reader_and_event", nulls_distinct=False
            ),
            models.CheckConstraint(name="mails_have_one_reader", condition=Q(organisation=None) | Q(person=None)),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_at"], condition=Q(state__in=["waiting", "building", "sending"]), name="outbox_due"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class OutboxText(models.Model):
    """What a mail says that is written when it is put into the outbox (a receipt, an alarm); digests have none.

    It is about an advisory, or about none; `organisation` is whose people may read it, or else `person`. The
    subject stands inside what is encrypted.
    """

    readers: ClassVar[Readers] = Owned("advisory", author="person")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mail = models.OneToOneField(OutboxMail, on_delete=models.CASCADE, related_name="written")
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, null=True, related_name="+")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.CASCADE, null=True, related_name="+")
    person = models.ForeignKey("xsa.User", on_delete=models.CASCADE, null=True, related_name="+")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    answers = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return str(self.id)
