"""Whether two mails are one: by two ways, or sent again, they differ in what machines wrote on top.

All that decides what becomes of a mail is part of what it is. So nobody can send a copy ahead that ends otherwise (as
spam, as a bounce, with its signature broken, to others) and stands in the way of the one that its writer sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from .letter import Letter

_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_WRITTEN = ("message-id", "from", "subject", "date", "in-reply-to", "references")


def content_digest(raw: bytes, letter: Letter | None, nature: str = "") -> str:
    """A digest of what the writer wrote; of a mail that cannot be read (`letter` None), of all its bytes.

    `nature` is a code of what machines marked it as, "" for nothing (`reading.nature`).
    """
    if letter is None:
        return hashlib.sha256(b"unread\n" + raw).hexdigest()
    end = _HEAD_ENDS.search(raw)
    body = _lines(raw[end.end() :]).rstrip(b"\n") if end else b""
    told = "\n".join([nature, *_told(letter)])
    return hashlib.sha256(told.encode("utf-8", "surrogateescape") + b"\n\n" + body).hexdigest()


def _told(letter: Letter) -> Iterator[str]:
    """What the headers say: of whom, to whom, about what, and how the body is to be read."""
    head = letter.head
    yield from (f"{name}: {head.get(name)}" for name in _WRITTEN)
    yield f"to: {sorted(head.recipients or head.brought_to)}"
    yield f"{letter.kind} {letter.parameters}"
    for part in letter.parts:
        digest = hashlib.sha256(_lines(part.data).rstrip(b"\n")).hexdigest()
        yield f"{part.kind} {part.name} {part.charset} {part.attached} {digest}"


def _lines(data: bytes) -> bytes:
    """Line ends are as the way has them on which a mail came."""
    return data.replace(b"\r\n", b"\n")
