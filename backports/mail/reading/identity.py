"""Whether two mails are one: by two ways, or sent again, they differ in what machines wrote on top."""

from __future__ import annotations

import hashlib
import re

from .letter import Head

_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_WRITTEN = ("message-id", "from", "subject", "date", "in-reply-to", "references", "content-type")


def content_digest(raw: bytes, head: Head | None) -> str:
    """A digest of what the writer wrote; of a mail that cannot be read (`head` None), of all its bytes."""
    if head is None:
        return hashlib.sha256(b"unread\n" + raw).hexdigest()
    end = _HEAD_ENDS.search(raw)
    body = raw[end.end() :] if end else b""
    told = "\n".join(f"{name}: {head.get(name)}" for name in _WRITTEN)
    lines = b"\n".join(line.rstrip() for line in body.rstrip().split(b"\n"))
    return hashlib.sha256(told.encode("utf-8", "surrogateescape") + b"\n\n" + lines).hexdigest()
