"""Putting mail into the outbox, in the transaction of what it tells about; `sending` sends it afterwards."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from backports.models import OutboxMail, OutboxText
from xsa.identity import everything
from xsa.models import Advisory, Organisation, User

from . import subscriptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A mail that is written now. `organisation` is whose people may read it again, where its reader is a person;
    `answers` the Message-ID of the mail that it answers, in angle brackets.
    """

    subject: str
    body: str
    advisory: Advisory | None = None
    organisation: Organisation | None = None
    answers: str = ""


@transaction.atomic
def queue(
    kind: str,
    *,
    event: str,
    organisation: Organisation | None = None,
    person: User | None = None,
    written: Written | None = None,
    **columns: Any,
) -> OutboxMail | None:
    """A mail to one reader about one event (at most 100 characters, without content); None where there was one before.

    Receipts are encrypted or not sent at all; an alarm says nothing secret. Addresses and keys are looked up later.
    """
    now = timezone.now()
    with everything("mail"):
        row, made = OutboxMail.objects.get_or_create(
            organisation=organisation,
            person=person,
            event=event,
            defaults={"kind": kind, "made_at": now, "next_at": now, **columns},
        )
        if made and written:
            _write(row, written)
    if not made:
        return None
    log.info("mail queued mail=%s kind=%s", row.pk, kind)
    return row


def _write(row: OutboxMail, written: Written) -> None:
    OutboxText.objects.create(
        mail=row,
        advisory=written.advisory,
        organisation=row.organisation or written.organisation,
        person=row.person,
        subject=written.subject[:200],
        body=written.body,
        answers=written.answers[:500],
    )


@transaction.atomic
def bounced(mail: OutboxMail, *, code: str, at: datetime | None = None) -> bool:
    """A mail came back; whether that is news. `code` is a status: by 4.x.x a server on the way gave up, as we do after
    our own tries; any other says that the address takes no mail, and after some of those its reader's digests end.
    """
    gone = (OutboxMail.State.SENT, OutboxMail.State.SENDING, OutboxMail.State.UNSURE)
    state = OutboxMail.State.FAILED if code.startswith("4.") else OutboxMail.State.BOUNCED
    rows = OutboxMail.objects.filter(pk=mail.pk, state__in=gone)
    changed = bool(rows.update(state=state, code=code[:50], next_at=at or timezone.now()))
    log.warning("mail came back mail=%s state=%s code=%s", mail.pk, state, code[:50])
    if changed and state == OutboxMail.State.BOUNCED:
        subscriptions.note_bounce(mail)
    return changed
