"""The one door: a mail's bytes are kept, whatever is in them, before anybody is told that they came."""

from __future__ import annotations

import hashlib
import logging

from django.db import IntegrityError, transaction
from django.utils import timezone

from backports.mail.reading import MAX_MAIL, Unreadable, read
from backports.mail.reading.identity import content_digest
from backports.mail.reading.nature import unanswered
from backports.models import InboundMail
from xsa.identity import everything

from .handling import handle_mail, own_addresses

log = logging.getLogger(__name__)
LONGEST_ID = 998  # characters, as a line of a mail may have


def receive(raw: bytes, *, via: str) -> InboundMail:
    """Keep a mail and have it looked at; the row that is there where the same mail came before, by whichever way.

    When this returns, the mail is in the database for good (once the caller's transaction is). Raises only what the
    database raises: then nothing was kept, and whoever brought the mail must keep it.
    """
    with everything("mail-in"), transaction.atomic():
        row = _row(raw, via)
        known = InboundMail.objects.filter(content=row.content).first()
        if known is not None:
            log.info("mail came again mail=%s via=%s", known.pk, via)
            return known
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:  # by two ways at the same moment
            return InboundMail.objects.get(content=row.content)
        log.info("mail kept mail=%s via=%s bytes=%d", row.pk, via, row.size)
        transaction.on_commit(lambda: _send(row))
        return row


def _row(raw: bytes, via: str) -> InboundMail:
    try:
        letter = read(raw)
    except Unreadable:
        letter = None
    marked = unanswered(letter, own_addresses()) if letter else None
    return InboundMail(
        received_at=timezone.now(),
        via=via,
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        content=content_digest(raw, letter, marked.code if marked else ""),
        raw=raw if len(raw) <= MAX_MAIL else b"",
        message_id=letter.head.message_id[:LONGEST_ID] if letter else "",
    )


def _send(row: InboundMail) -> None:
    """To a worker; where no broker answers, the sweep finds it."""
    try:
        handle_mail.delay(str(row.pk))
    except OSError as error:
        log.warning("mail not queued mail=%s error=%s", row.pk, type(error).__name__)
