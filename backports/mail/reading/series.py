"""Patches in mails: what a subject says of them, and the mails of one series in their order.

`[PATCH XSA-500 4.8 v2 1/3] subject` names the advisory, the branch (`debian/4.8` where two repositories have one of
that name), the version and the place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .letter import Head, Letter, Part

_BRACKETS = re.compile(r"\[([^\[\]]{0,200})\]")
_NUMBER = re.compile(r"^xsa[-_]?0*(\d{1,6})$", re.IGNORECASE)
_VERSION = re.compile(r"^v(\d{1,3})$", re.IGNORECASE)
_PLACE = re.compile(r"^(\d{1,4})/(\d{1,4})$")
_BRANCH = re.compile(r"^(?:([\w.-]{1,80})/)?([\w.+-]{1,100})$")
_DIFF = re.compile(rb"^(?:diff --git |--- \S.*\n\+\+\+ \S|Index: \S)", re.MULTILINE)
_OWN_HEAD = re.compile(rb"\A(?:From [0-9a-f]{7,64} [^\n]*\n)?(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+\n")
_OWN_SUBJECT = re.compile(rb"^Subject:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE | re.IGNORECASE)
_PATCH_KINDS = ("text/plain", "text/x-patch", "text/x-diff", "application/octet-stream", "application/x-patch")
_OTHER_WORDS = frozenset({"patch", "rfc", "resend", "security", "embargoed"})


@dataclass(frozen=True, slots=True)
class Tag:
    """What stands in a subject's brackets. `number` is the advisory's (0: none named); `place` of `total`, 0 for a
    cover letter; one patch alone is 1 of 1.
    """

    is_patch: bool = False
    number: int = 0
    repository: str = ""
    branch: str = ""
    version: int = 1
    place: int = 1
    total: int = 1

    @property
    def is_cover(self) -> bool:
        """Whether it stands before the patches, and holds none."""
        return self.place == 0


def tag_of(subject: str) -> Tag:
    """What a subject's brackets say, whichever of several; an answer's (`Re:`) are those of what it answers."""
    words = [word for part in _BRACKETS.findall(subject) for word in part.split()]
    lower = [word.lower() for word in words]
    number = next((int(found[1]) for word in words if (found := _NUMBER.match(word))), 0)
    version = next((int(found[1]) for word in words if (found := _VERSION.match(word))), 1)
    place = next((found for word in words if (found := _PLACE.match(word))), None)
    at, total = (int(place[1]), int(place[2])) if place else (1, 1)
    repository, branch = _branch(words)
    return Tag("patch" in lower, number, repository, branch, version, at, max(1, total))


def _branch(words: Sequence[str]) -> tuple[str, str]:
    for word in words:
        taken = word.lower() in _OTHER_WORDS or _NUMBER.match(word) or _VERSION.match(word) or _PLACE.match(word)
        found = None if taken else _BRANCH.match(word)
        if found:
            return found[1] or "", found[2]
    return "", ""


def is_answer(subject: str) -> bool:
    """Whether a subject says that it answers."""
    return bool(re.match(r"\s*(?:\[(?![^\]]*patch)[^\]]*\]\s*)*(?:re|aw|sv)\s*:", subject, re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class Piece:
    """A patch as it came in a mail: a file's name, its bytes, and what its own subject says (or the mail's)."""

    name: str
    data: bytes
    tag: Tag


def pieces(letter: Letter, head: Head) -> tuple[Piece, ...]:
    """The patches that a mail holds: those attached, else the one that its text is. `head` is what is believed."""
    attached = [part for part in letter.parts if part.attached and _is_patch(part)]
    if attached:
        return tuple(_piece(part, head) for part in attached)
    for part in letter.parts:
        if part.kind == "text/plain" and not part.attached and _is_patch(part):
            return (_inline(part, head),)
    return ()


def _is_patch(part: Part) -> bool:
    named = part.name.lower().endswith((".patch", ".diff"))
    return part.kind in _PATCH_KINDS and (named or bool(_DIFF.search(_lines(part.data))))


def _lines(data: bytes) -> bytes:
    """Mail ends lines with two bytes and git with one; a file in which only some end so has them of its own."""
    return data.replace(b"\r\n", b"\n") if data.count(b"\n") == data.count(b"\r\n") else data


def _piece(part: Part, head: Head) -> Piece:
    data = _lines(part.data)
    own = own_tag(data)
    told = own if own is not None and (own.number or own.branch) else tag_of(head.subject)
    place = own or Tag()
    merged = Tag(told.is_patch, told.number, told.repository, told.branch, told.version, place.place, place.total)
    return Piece(part.name or "patch", data, merged)


def own_tag(data: bytes) -> Tag | None:
    """What the headers say that a patch's own file begins with; None where it has none."""
    head = _OWN_HEAD.match(data)
    found = _OWN_SUBJECT.search(head[0]) if head else None
    return tag_of(" ".join(found[1].decode("utf-8", "replace").split())) if found else None


def _inline(part: Part, head: Head) -> Piece:
    data = _lines(part.data)
    if (own := own_tag(data)) is not None and own.is_patch:
        return Piece("mail.patch", data, own)
    date, sender, subject = (head.get(name) for name in ("date", "from", "subject"))
    lines = f"From: {sender}\nDate: {date}\nSubject: {subject}\n\n".encode()
    return Piece("mail.patch", lines + data, tag_of(subject))


def mailbox(found: Sequence[Piece]) -> bytes:
    """The patches as one mailbox that `git am` takes, in the order in which they are given."""
    return b"".join(_FROM_LINE + _without_from(piece.data).rstrip(b"\n") + b"\n\n" for piece in found)


_FROM_LINE = b"From " + b"0" * 40 + b" Mon Sep 17 00:00:00 2001\n"


def _without_from(data: bytes) -> bytes:
    return data.partition(b"\n")[2] if data.startswith(b"From ") else data


def ordered(found: Sequence[Piece]) -> list[Piece]:
    """By their places, where each has one of its own; else as they stand."""
    places = [one.tag.place for one in found]
    distinct = len(set(places)) == len(places)
    return sorted(found, key=lambda one: one.tag.place) if distinct else list(found)


def series_key(head: Head, tag: Tag) -> str:
    """The same for all mails of one series: by whom, for what, which version, of how many, in which thread."""
    root = next(reversed(head.thread), "") or head.message_id
    told = "\n".join(map(str, (head.address, tag.number, tag.repository, tag.branch, tag.version, tag.total, root)))
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def missing(tags: Sequence[Tag]) -> Iterator[int]:
    """The places of a series that are not there."""
    there = {tag.place for tag in tags}
    yield from (at for at in range(1, max((tag.total for tag in tags), default=0) + 1) if at not in there)
