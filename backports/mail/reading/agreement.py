"""Whether what was signed is the mail that came: the same person, subject, answer and time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from .letter import Head, Unreadable
from .series import tag_of

OLDEST = timedelta(days=14)  # from when it was signed until it came in
AHEAD = timedelta(days=1)
APART = timedelta(days=2)  # between a mail's date and its signature's
_HIDDEN = ("", "...", "encrypted message", "(encrypted)")


def check(outer: Head, signed: Head, *, encrypted: bool, made_at: datetime | None, now: datetime) -> None:
    """Raises Unreadable `moved`, `replayed`, `other-date` or `too-old` where signed content came in another mail."""
    for code, sentence in _differences(outer, signed, encrypted=encrypted):
        raise Unreadable(sentence, code=code)
    check_time(signed.date, made_at, now)


def _differences(outer: Head, signed: Head, *, encrypted: bool) -> Iterator[tuple[str, str]]:
    if outer.address and outer.address != signed.address:
        yield "moved", "It was signed as a mail from another address than the one it came from."
    if not _same_subject(outer.subject, signed.subject, encrypted=encrypted):
        yield "moved", "It was signed with another subject: as part of another thread, or for another advisory."
    if outer.in_reply_to and outer.in_reply_to != signed.in_reply_to:
        yield "moved", "It was signed as an answer to another mail than the one that it answers here."
    if outer.message_id and signed.message_id and outer.message_id != signed.message_id:
        yield "replayed", "It was signed as another mail, which was sent again under a new id."
    if outer.date and signed.date and abs(outer.date - signed.date) > timedelta(minutes=5):
        yield "other-date", "It was signed with another date than the one that it has."


def _same_subject(outer: str, signed: str, *, encrypted: bool) -> bool:
    if outer == signed:
        return True
    if not encrypted:
        return False
    hidden = outer.lower().strip() in _HIDDEN
    return hidden or tag_of(outer).number in (0, tag_of(signed).number)


def check_recipients(outer: Head, signed: Head, room: Collection[str]) -> None:
    """Raises Unreadable `not-to-us` where what was signed was written to others, who handed it on. `room` are our
    addresses, in lower case.

    Whom the signature covers decides, and nobody else. Only where it covers nobody count those that stand outside of
    it, and only where there are none the address that a mail server brought it to.
    """
    told = signed.recipients or outer.recipients or outer.brought_to
    if told.isdisjoint(room):
        sentence = "It was written to others than this room. If it is for the room, send it anew with it in To or Cc."
        raise Unreadable(sentence, code="not-to-us")


def check_time(dated: datetime | None, made_at: datetime | None, now: datetime) -> None:
    """Raises Unreadable where a signature is not of the time when its mail came."""
    told = [at for at in (dated, made_at) if at is not None]
    if not told:
        raise Unreadable("Nothing that is signed says when it was written.", code="other-date")
    if max(told) - min(told) > APART:
        raise Unreadable("It was signed at another time than the mail says.", code="other-date")
    if max(told) > now + AHEAD:
        raise Unreadable("It is dated in the future: set the clock, and send it again.", code="other-date")
    if min(told) < now - OLDEST:
        sentence = f"It was signed more than {OLDEST.days} days ago. Sign it anew if it still holds."
        raise Unreadable(sentence, code="too-old")
