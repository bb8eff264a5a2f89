"""Mails of tests' own: small, fixed, and written by plainly fictional people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from tests.factories import DAY

SENDER = "Example Engineer <engineer@member.example>"


def mail(
    text: str = "Something.\n",
    *,
    subject: str = "a subject",
    sender: str = SENDER,
    message_id: str = "<one@member.example>",
    answers: str = "",
    headers: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    date: datetime = DAY,
    to: str = "room@backports.example",
) -> bytes:
    """A plain mail; `answers` is the id of the one that it answers, `to` "" for a mail without To."""
    made = EmailMessage()
    made["From"] = sender
    if to:
        made["To"] = to
    made["Subject"] = subject
    made["Date"] = format_datetime(date)
    made["Message-ID"] = message_id
    if answers:
        made["In-Reply-To"] = made["References"] = answers
    for name, value in (headers or {}).items():
        made[name] = value
    made.set_content(text, cte="8bit" if not text.isascii() else None)
    for name, data in (files or {}).items():
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()
