"""Notices by mail servers of mail that they could not deliver (RFC 3464)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

# Where whoever brings a mail writes to whom it came; the notice itself is addressed to the envelope's sender.
_TO = ("to", "delivered-to", "x-original-to", "envelope-to")
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})")


@dataclass(frozen=True, slots=True)
class Failure:
    """A mail that did not arrive. `status` is 5.x.x where it never will, 4.x.x where a server gave up trying."""

    recipients: tuple[str, ...]
    status: str


def failure(raw: bytes) -> Failure | None:
    """What a notice says; None where it tells of no failure: of a delay, in words alone, or by another kind of mail."""
    message = message_from_bytes(raw)
    if message.get_content_type() != "multipart/report":
        return None
    groups = (group for part in message.walk() if _is_status(part) for group in _groups(part))
    status = next((found for group in groups if (found := _failed(group))), "")
    recipients = tuple(str(value) for name in _TO for value in message.get_all(name, ()))
    return Failure(recipients, status) if status else None


def _is_status(part: Message) -> bool:
    return part.get_content_type() == "message/delivery-status"


def _groups(part: Message) -> list[Message]:
    """The groups of fields: the first is about the notice, each further one about a recipient."""
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _failed(group: Message) -> str:
    """Its status, where it says that the mail failed."""
    found = _STATUS.match(str(group.get("status", "")).strip())
    said = str(group.get("action", "")).split("(")[0].strip().lower()
    return found[1] if found and said == "failed" and not found[1].startswith("2") else ""
