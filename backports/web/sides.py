"""A hunk that did not land as three columns that read row by row: base, ours, theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from typing import Any

_STARTS = re.compile(r"@@ -(\d{1,9})[^+]{0,11}\+(\d{1,9})")
Tagged = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Side:
    """One line of a column: `kind` is its class, `tag` its sign, `number` its line or 0."""

    kind: str
    tag: str = " "
    text: str = ""
    number: int = 0


FILLER = Side("filler")
Row = tuple[Side, Side, Side]


@dataclass(frozen=True, slots=True)
class Columns:
    """Three columns of as many lines each."""

    base: Sequence[Side]
    ours: Sequence[Side]
    theirs: Sequence[Side]


def columns(hunk: dict[str, Any]) -> Columns:
    """What the hunk expects, what the branch has at the likely place, and what the hunk leaves.

    Lines that belong together stand on one row. One of the base that the branch lacks there is `gone`, one of
    the branch that the base lacks is its `own`; blank lines are neither.
    """
    stopped = hunk["rejection"]
    branch = _Branch([text for tag, text in hunk["lines"] if tag != "+"], stopped["ours"], stopped["line"])
    rows = list(_rows(hunk["lines"], branch, *_starts(hunk["header"])))
    return Columns(*zip(*rows, strict=True)) if rows else Columns((), (), ())


def _starts(header: str) -> tuple[int, int]:
    """The lines that the hunk's header names, or zeros."""
    found = _STARTS.match(header)
    return (int(found[1]), int(found[2])) if found else (0, 0)


class _Branch:
    """The branch's lines beside those of the base."""

    def __init__(self, base: Sequence[str], ours: Sequence[str], first: int) -> None:
        self.base, self.ours, self.first = base, ours, first
        self.pairs: dict[int, int] = {}
        self.alone: dict[int, range] = {}
        stripped = [line.strip() for line in base], [line.strip() for line in ours]
        for _, low, high, start, stop in SequenceMatcher(None, *stripped, autojunk=False).get_opcodes():
            paired = min(high - low, stop - start)
            self.pairs.update(zip(range(low, low + paired), range(start, start + paired), strict=True))
            self.alone[high] = range(start + paired, stop)

    def lacks(self, at: int) -> bool:
        """Whether line `at` of the base does not stand beside its like."""
        line = self.base[at]
        return bool(line.strip()) and (at not in self.pairs or self.ours[self.pairs[at]] != line)

    def beside(self, at: int) -> Side:
        """What stands beside line `at` of the base."""
        return self._side(self.pairs[at], self.base[at]) if at in self.pairs else FILLER

    def before(self, at: int) -> list[Side]:
        """The branch's own lines that stand alone before line `at` of the base, or at its end."""
        return [self._side(found) for found in self.alone.get(at, ())]

    def _side(self, at: int, expected: str | None = None) -> Side:
        line = self.ours[at]
        kind, tag = ("ctx", " ") if line == expected or not line.strip() else ("own", "!")
        return Side(kind, tag, line, self.first + at if self.first else 0)


def _rows(lines: Sequence[Sequence[str]], branch: _Branch, first: int, second: int) -> Iterator[Row]:
    at = place = 0
    for old, new in _pairs(lines):
        if old is not None:
            yield from ((FILLER, own, FILLER) for own in branch.before(at))
        right = FILLER if new is None else _changed(new, second and second + place)
        if old is None:
            yield FILLER, FILLER, right
        else:
            kind = "gone" if old[0] == " " and branch.lacks(at) else ""
            yield _changed(old, first and first + at, kind), branch.beside(at), right
        at, place = at + (old is not None), place + (new is not None)
    yield from ((FILLER, own, FILLER) for own in branch.before(at))


def _changed(line: Tagged, number: int, kind: str = "") -> Side:
    return Side(kind or {"+": "add", "-": "del"}.get(line[0], "ctx"), line[0], line[1], number)


def _pairs(lines: Sequence[Sequence[str]]) -> Iterator[tuple[Tagged | None, Tagged | None]]:
    """Lines of a hunk that stand on one row: context twice, removed beside added ones."""
    for is_context, run in groupby(lines, key=lambda line: line[0] == " "):
        rows: list[Tagged] = [(tag, text) for tag, text in run]
        if is_context:
            yield from ((row, row) for row in rows)
        else:
            yield from zip_longest([row for row in rows if row[0] == "-"], [row for row in rows if row[0] == "+"])
