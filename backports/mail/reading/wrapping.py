"""Where OpenPGP stands in a mail: which bytes are to be opened, and which are signed. Nothing is opened here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .letter import Letter, Unreadable, read

Kind = Literal["none", "encrypted", "signed", "clear-signed"]
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_MESSAGE = b"-----BEGIN PGP MESSAGE-----"
_MESSAGE_ENDS = b"-----END PGP MESSAGE-----"
_SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What OpenPGP there is: `data` is what is to be opened, or what `signature` (detached) is over, byte for byte.

    `inside`: what comes out is a mail's content with headers of its own, and no bare text.
    """

    kind: Kind
    data: bytes = b""
    signature: bytes = b""
    inside: bool = False


NOTHING = Wrapped("none")


def find(raw: bytes, letter: Letter) -> Wrapped:
    """The OpenPGP that a mail is wrapped in. Raises Unreadable where it is mixed with what it does not cover."""
    if letter.kind == "multipart/encrypted":
        return _encrypted(letter)
    if letter.kind == "multipart/signed":
        return _signed(raw, letter)
    if any(part.kind in ("application/pgp-encrypted",) or _MESSAGE in part.data for part in letter.parts):
        return _inline(letter)
    clear = [part for part in letter.parts if part.kind == "text/plain" and _SIGNED in part.data]
    return Wrapped("clear-signed", clear[0].data) if clear else NOTHING


def _encrypted(letter: Letter) -> Wrapped:
    """RFC 3156: a control part and the message, and nothing beside them."""
    kinds = [part.kind for part in letter.parts]
    whole = len(letter.parts) == 2 and kinds[0] == "application/pgp-encrypted"
    if not whole or letter.parts[1].data.count(_MESSAGE) != 1:
        raise _mixed()
    return Wrapped("encrypted", letter.parts[1].data, inside=True)


def _inline(letter: Letter) -> Wrapped:
    """An encrypted text that is all that the mail has."""
    data = letter.parts[0].data.strip() if len(letter.parts) == 1 else b""
    alone = data.startswith(_MESSAGE) and data.endswith(_MESSAGE_ENDS) and data.count(_MESSAGE) == 1
    if not alone:
        raise _mixed()
    return Wrapped("encrypted", data)


def _mixed() -> Unreadable:
    sentence = "Encrypted parts stand beside others. Encrypt the whole mail (OpenPGP/MIME), or send none encrypted."
    return Unreadable(sentence, code="mixed-encryption")


def _signed(raw: bytes, letter: Letter) -> Wrapped:
    """RFC 3156: the signed part as it stands, its line ends as in transit, and the signature over it."""
    boundary = letter.parameter("boundary")
    signatures = [part.data for part in letter.parts if part.kind == "application/pgp-signature"]
    content = _first_part(raw, boundary.encode("utf-8", "replace"))
    if content is None or len(signatures) != 1 or letter.parts[-1].kind != "application/pgp-signature":
        sentence = "The signed part and its signature cannot be told apart. Send it again as it was signed."
        raise Unreadable(sentence, code="mixed-signature")
    return Wrapped("signed", content, signatures[0], inside=True)


def _first_part(raw: bytes, boundary: bytes) -> bytes | None:
    head = _HEAD_ENDS.search(raw)
    if head is None or not boundary:
        return None
    line = rb"(?:\A|\r?\n)--" + re.escape(boundary)
    marks = list(re.finditer(line + rb"(--)?[ \t]*(?=\r?\n|\Z)", raw[head.end() :]))
    if len(marks) != 3 or marks[0][1] or marks[1][1] or not marks[2][1]:
        return None
    content = raw[head.end() :][marks[0].end() : marks[1].start()]
    content = content.removeprefix(b"\r\n") if content.startswith(b"\r\n") else content.removeprefix(b"\n")
    return re.sub(rb"\r?\n", b"\r\n", content)


def is_wrapped_again(letter: Letter, data: bytes) -> bool:
    """Whether what came out is encrypted once more."""
    return letter.kind == "multipart/encrypted" or _MESSAGE in data


def inner(data: bytes) -> Letter:
    """The content that came out, as a mail of its own. Raises Unreadable."""
    found = read(data)
    if is_wrapped_again(found, data):
        sentence = "What was encrypted is encrypted once more inside. Encrypt it once, to the room's key."
        raise Unreadable(sentence, code="nested-encryption")
    return found


def protects_headers(letter: Letter) -> bool:
    """Whether a signed content says that its own headers are the mail's (RFC 9788, or the older draft)."""
    return bool(letter.parameter("hp") or letter.parameter("protected-headers"))
