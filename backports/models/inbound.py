from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from xsa.readers import Readers, Under


class InboundMail(models.Model):
    """A mail as it came in, byte for byte, and what became of it: exactly one of three ends.

    A mail is `waiting` from when it was kept until it was looked at. Then it was acted on, or it is quarantined (a
    person of the security team may accept or refuse it), or it was refused; `code` and `sentence` say why. Of one over
    the limit there is no `raw`. `content` is a digest of what its writer wrote (`mail.reading.identity`), so that the
    same mail by two ways is one; `signed` is a digest of what its signature is over, which is acted on once.

    `signature` is what was found of it, `signer` a full fingerprint where it is good. `sender` and `organisation` are
    who it is from, once a good signature or a person said so. `facts` holds what was read from it, and `proposal`, what
    a person is asked. `version` is the backport's version that it made or is about.
    """

    readers: ClassVar[Readers] = Under("advisory", audience="team", orphans_for_the_team=True)

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        ACTED = "acted", "acted on"
        QUARANTINED = "quarantined", "quarantined"
        REFUSED = "refused", "refused"

    class Via(models.TextChoices):
        PIPE = "pipe", "pipe"
        LMTP = "lmtp", "LMTP"
        IMAP = "imap", "IMAP"

    class Signature(models.TextChoices):
        GOOD = "good", "good"
        WEAK = "weak", "good, but by SHA-1, which proves nothing"
        UNKNOWN = "unknown-key", "by a key that is not known here"
        BAD = "bad", "bad"
        NONE = "none", "none"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    received_at = models.DateTimeField()
    via = models.CharField(max_length=10, choices=Via.choices)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.CharField(max_length=64, unique=True)
    raw = models.BinaryField(blank=True)
    message_id = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING, db_default=State.WAITING)
    code = models.CharField(max_length=50, blank=True)
    sentence = models.TextField(blank=True)
    handled_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    signature = models.CharField(max_length=20, choices=Signature.choices, blank=True)
    signer = models.CharField(max_length=64, blank=True)
    signed = models.CharField(max_length=64, blank=True)
    encrypted = models.BooleanField(default=False)
    sender = models.ForeignKey("xsa.User", on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.PROTECT, null=True, related_name="+")
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, null=True, related_name="inbound_mails")
    version = models.ForeignKey(
        "backports.BackportVersion", on_delete=models.SET_NULL, null=True, related_name="inbound_mails"
    )
    series = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict)
    proposal = models.JSONField(default=dict)
    decided_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-received_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="mails_end_with_a_reason",
                condition=Q(state="waiting", handled_at=None)
                | (~Q(state="waiting") & Q(handled_at__isnull=False) & ~Q(code="") & ~Q(sentence="")),
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["message_id"], name="inbound_message_id"),
            models.Index(fields=["series"], condition=~Q(series=""), name="inbound_series"),
            models.Index(fields=["signed"], condition=~Q(signed=""), name="inbound_signed"),
            models.Index(fields=["received_at"], condition=Q(state="waiting"), name="inbound_waiting"),
        ]

    def __str__(self) -> str:
        return str(self.id)
