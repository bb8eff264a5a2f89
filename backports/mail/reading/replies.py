"""Answers to patches: what is quoted, what is said of it, and the trailers that are given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backports.engine.diff import Patch
from backports.engine.follow import Spot, spots

MAX_LINES = 20_000
MAX_REMARKS = 200
_QUOTE = re.compile(r"^>[ \t]?(.*)$")
_WROTE = re.compile(r"(?:wrote|writes|schrieb|a écrit)\s*:\s*$", re.IGNORECASE)
_TRAILER = re.compile(
    r"^\s*(Reviewed|Acked|Tested)-by:\s*([^<>\n]{0,200}?)\s*<([^<>@\s]{1,100}@[^<>@\s]{1,200})>\s*(?:#\s*(.{1,300}))?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said, and the lines right before it that it answers, without their `> `."""

    text: str
    quoted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """A trailer: what it says (`reviewed`, `acked`, `tested`), of whom, and what stands behind it (`# on which`)."""

    what: str
    address: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a mail says in its own words."""

    remarks: tuple[Remark, ...] = ()
    trailers: tuple[Given, ...] = ()


@dataclass(slots=True)
class _Block:
    quoted: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def read_reply(text: str) -> Reply:
    """Takes an answer apart; what is quoted of others' trailers is theirs and not given here."""
    blocks = _blocks(_without_signature(text.split("\n")[:MAX_LINES]))
    remarks, given = [], []
    for block in blocks:
        given += [found for line in block.said if (found := _given(line))]
        said = "\n".join(line for line in block.said if not _TRAILER.match(line)).strip()
        if said:
            remarks.append(Remark(said, tuple(block.quoted)))
    return Reply(tuple(remarks[:MAX_REMARKS]), tuple(dict.fromkeys(given)))


def _given(line: str) -> Given | None:
    found = _TRAILER.match(line)
    return Given(found[1].lower(), found[3].lower(), (found[4] or "").strip()) if found else None


def _without_signature(lines: Sequence[str]) -> list[str]:
    end = next((at for at, line in enumerate(lines) if line.rstrip("\r") == "-- "), len(lines))
    return list(lines[:end])


def _blocks(lines: Sequence[str]) -> list[_Block]:
    """Runs of quoted lines, each with what is said after it."""
    found = [_Block()]
    for at, line in enumerate(lines):
        quote = _QUOTE.match(line)
        if quote:
            if found[-1].said and any(word.strip() for word in found[-1].said):
                found.append(_Block())
            found[-1].quoted.append(quote[1])
        elif not (_WROTE.search(line) and _quote_follows(lines[at + 1 : at + 3])):
            found[-1].said.append(line.rstrip("\r"))
    return found


def _quote_follows(lines: Sequence[str]) -> bool:
    return any(line.startswith(">") for line in lines)


def spot_for(patches: Sequence[Patch], quoted: Sequence[str], patch: int = 0) -> Spot | None:
    """The line of the series that a quotation ends with; None where none of it stands there.

    `patch` is the number of the patch whose mail is answered (0: any). Of several places that read alike the one
    before which most of the quotation stands.
    """
    lines = [one for one in spots(patches) if patch in (0, one.patch)]
    shown = [_shown(one.tag + one.text.decode("utf-8", "replace")) for one in lines]
    for end in range(len(quoted), 0, -1):
        wanted = [_shown(line) for line in quoted[:end]]
        if not wanted[-1].strip():
            continue
        places = [at for at, line in enumerate(shown) if line == wanted[-1]]
        if places:
            return lines[max(places, key=lambda at: _alike(shown, at, wanted))]
    return None


def _shown(line: str) -> str:
    """A line as it survives mail programs: they take white space away from its end."""
    return line.rstrip()


def _alike(shown: Sequence[str], at: int, wanted: Sequence[str]) -> int:
    """How many lines of the quotation stand before a place, going back."""
    return sum(1 for _ in _common(shown[: at + 1], wanted))


def _common(left: Sequence[str], right: Sequence[str]) -> Iterator[str]:
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            return
        yield one
