"""The door as an LMTP server: a mail server hands each mail over, and keeps it until it was kept here."""

from __future__ import annotations

import logging

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections

from backports.mail.reading import MAX_MAIL
from backports.models import InboundMail

from .door import receive

log = logging.getLogger(__name__)
KEPT = "250 2.0.0 Kept"
LATER = "451 4.3.0 Not kept; try again later"
MOST = 20  # recipients of one mail that are noted
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Handler:
    """Keeps whatever comes. One answer stands for all recipients: there is one room."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        raw = envelope.original_content or b""
        # The envelope's empty sender is how a bounce is told, and mail servers write it into the mail only at the end.
        sender = (envelope.mail_from or "").strip("<>")
        # So are the envelope's recipients, of a mail that names none.
        lines = [f"Return-Path: <{sender}>", *(f"Delivered-To: {one.strip('<>')}" for one in envelope.rcpt_tos[:MOST])]
        path = "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace")
        return await sync_to_async(_kept, thread_sensitive=True)(path + raw)


def _kept(raw: bytes) -> str:
    close_old_connections()
    try:
        receive(raw, via=InboundMail.Via.LMTP)
    except DatabaseError as error:
        log.error("mail not kept error=%s", type(error).__name__)
        return LATER
    return KEPT


class Door(Controller):
    """`with`-less controller: `start()` listens, `stop()` ends it."""

    def factory(self) -> LMTP:
        # A little more than is read, so that what is too large is told from what was cut.
        return LMTP(self.handler, data_size_limit=MAX_MAIL + (1 << 20), ident="room", enable_SMTPUTF8=True)
