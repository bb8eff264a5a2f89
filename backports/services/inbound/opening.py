"""A mail opened with the room's key, and what its signature proves."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings

from backports.mail.reading import Head, Letter, Part, Unreadable, agreement, read, wrapping
from backports.models import InboundMail
from backports.pgp import Home, PgpError, Seal
from xsa.formats.signature import cut

UNREAD = (
    "It cannot be decrypted: it was damaged on its way, or is encrypted in a form that GnuPG does not read here. "
    "Encrypt it to the room's key with GnuPG's own settings, and send it again."
)
STATES = {"sha1": InboundMail.Signature.WEAK}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a mail holds. `head` are the headers that hold: the signed ones where the signature `covers` them.

    `outer` are those that it came with. `digest` is of what was signed, "" for nothing. Parts of `letter` that the
    signature does not cover are there only for clear-signed text: `payload` is that text, `block` the same as signed.
    """

    letter: Letter
    outer: Head
    head: Head
    seal: Seal
    encrypted: bool = False
    covers: bool = False
    digest: str = ""
    payload: bytes = b""
    block: bytes = b""

    @property
    def state(self) -> str:
        """What was found of the signature, as it is kept."""
        return str(STATES.get(self.seal.state, self.seal.state))

    @property
    def is_good(self) -> bool:
        return self.seal.state == "good"


def open_mail(raw: bytes, *, keys: Sequence[str]) -> Opened:
    """The mail, with its signature checked against `keys`. Raises Unreadable; PgpError where GnuPG does not run."""
    letter = read(raw)
    wrapped = wrapping.find(raw, letter)
    plain = Opened(letter, letter.head, letter.head, Seal())
    if wrapped.kind == "none":
        return plain
    secret = _room_secret() if wrapped.kind == "encrypted" else b""
    with Home(secret=secret, publics=keys) as home:
        if wrapped.kind == "encrypted":
            return _decrypted(home, plain, wrapped)
        if wrapped.kind == "signed":
            return _verified(home, plain, wrapped.data, wrapped.signature)
        return _clear(home, plain, wrapped.data)


def _room_secret() -> bytes:
    path: Path = settings.ROOM_KEY
    try:
        return path.read_bytes()
    except OSError as error:
        raise PgpError("no-room-key", "The room has no key: make one with `manage.py room_key`.") from error


def _decrypted(home: Home, plain: Opened, wrapped: wrapping.Wrapped) -> Opened:
    found = home.open(wrapped.data)
    if found.data is None:
        raise Unreadable(UNREAD if found.code == "no-message" else found.sentence, code=found.code)
    opened = replace(plain, seal=found.seal, encrypted=True, digest=_digest(found.data))
    if not wrapped.inside:
        letter = replace(plain.letter, parts=(Part("text/plain", "", found.data),))
        return replace(opened, letter=letter, payload=found.data)
    letter = wrapping.inner(found.data)
    if letter.kind == "multipart/signed" and found.seal.state == "none":
        again = wrapping.find(found.data, letter)
        return _verified(home, replace(opened, letter=letter), again.data, again.signature)
    return _inside(replace(opened, letter=letter))


def _verified(home: Home, plain: Opened, data: bytes, signature: bytes) -> Opened:
    seal = home.verify(data, signature)
    letter = wrapping.inner(data)
    return _inside(replace(plain, letter=letter, seal=seal, digest=_digest(data)))


def _inside(opened: Opened) -> Opened:
    """With the headers that the signed content says are the mail's."""
    inner = opened.letter.head
    told = wrapping.protects_headers(opened.letter) and bool(inner.address and inner.subject)
    covers = told and opened.is_good
    return replace(opened, covers=covers, head=inner if told else opened.outer)


def _clear(home: Home, plain: Opened, data: bytes) -> Opened:
    parts = cut(data)
    found = home.open(parts.block)
    seal = (
        found.seal if found.data is not None or found.seal.state != "none" else Seal("bad", "", None, "It is damaged.")
    )
    texts = (Part("text/plain", "", parts.payload), *(one for one in plain.letter.parts if one.attached))
    letter = replace(plain.letter, parts=texts)
    return replace(
        plain, letter=letter, seal=seal, digest=_digest(parts.payload), payload=parts.payload, block=parts.block
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data.replace(b"\r\n", b"\n").rstrip()).hexdigest()


def check(opened: Opened, *, now: datetime, room: Collection[str]) -> None:
    """Raises Unreadable where good and signed content came in another mail, to others or at another time than it was
    for. `room` are the room's addresses.
    """
    if opened.covers:
        agreement.check_recipients(opened.outer, opened.head, room)
        agreement.check(opened.outer, opened.head, encrypted=opened.encrypted, made_at=opened.seal.made_at, now=now)
