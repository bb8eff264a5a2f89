"""Lines of a file and where blocks of them stand.

A target file is indexed once; blocks are found through the rarest of their lines, and the work
for one block is bounded whatever the file holds.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from .scan import split_lines
from .tree import Edit

__all__ = ["Index", "Likely", "block_at", "diff_lines", "function_name", "is_heading", "same_function", "split_lines"]

MAX_CANDIDATES = 400
FEW_CANDIDATES = 16
MAX_TRIES = 200_000  # places of one file, before fewer of a block's are tried
MAX_COMPARED_LINES = 100_000
MAX_VOTES = 64
MAX_VOTERS = 200
NAME = re.compile(rb"([A-Za-z_$][\w$.:]*+)\s*+(\(?)")
WORD = re.compile(rb"\w")
STARTS_HEADING = frozenset(bytes([byte]) for byte in b"$_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Likely:
    """A likely place: 0-based `start`, how many lines to look at, and the share of lines found there."""

    start: int
    count: int
    likeness: float


def block_at(lines: Sequence[bytes], block: Sequence[bytes], start: int) -> bool:
    """Whether `block` stands in `lines` at this 0-based line."""
    return start >= 0 and start + len(block) <= len(lines) and list(lines[start : start + len(block)]) == list(block)


class Index:
    """A file's lines, with every line's places and its section headings."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = list(lines)
        self._tries = MAX_TRIES
        self._waiting: set[bytes] = set()
        self._known: dict[bytes, list[int]] = {}

    def expect(self, lines: Iterable[bytes]) -> None:
        """Says which lines will be asked for, so that one pass over the file finds the places of them all."""
        self._waiting.update(lines)

    def places(self, line: bytes) -> Sequence[int]:
        """The ascending 0-based places where the line stands."""
        if line not in self._known and line in self._waiting:
            self._find_waiting()
        found = self._known.get(line)
        return self._places.get(line, ()) if found is None else found

    def _find_waiting(self) -> None:
        found: dict[bytes, list[int]] = {line: [] for line in self._waiting}
        for at, line in enumerate(self.lines):
            if line in found:
                found[line].append(at)
        self._known |= found
        self._waiting.clear()

    @cached_property
    def _places(self) -> dict[bytes, list[int]]:
        """Every distinct line and its places; for the few lines that nobody expected."""
        places: dict[bytes, list[int]] = {}
        for at, line in enumerate(self.lines):
            places.setdefault(line, []).append(at)
        return places

    @cached_property
    def text(self) -> bytes:
        """The whole file."""
        return b"".join(self.lines)

    def lacking(self, names: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the names that the file holds nowhere; digits before a name are no part of it."""
        return frozenset(name for name in names if not self._holds(name))

    def _holds(self, name: bytes) -> bool:
        at = self.text.find(name)
        while at >= 0:
            stop = at + len(name)
            if not WORD.match(self.text, stop) and self._starts_name(at):
                return True
            at = self.text.find(name, stop)
        return False

    def _starts_name(self, at: int) -> bool:
        while at and self.text[at - 1 : at].isdigit():
            at -= 1
        return not at or not WORD.match(self.text, at - 1)

    @cached_property
    def _headings(self) -> list[int]:
        return [at for at, line in enumerate(self.lines) if line[:1] in STARTS_HEADING]

    def heading(self, at: int) -> bytes:
        """The section heading above line `at` as git's default finds it (`xfuncname` unset), or b"".

        It is the nearest line before `at` whose first byte is a letter, `_` or `$`.
        """
        found = bisect_left(self._headings, at)
        return self.lines[self._headings[found - 1]].rstrip() if found else b""

    def heading_named(self, section: bytes) -> int | None:
        """The 0-based line of the only heading that names the function of `section`, or None."""
        name = function_name(section)
        if not name:
            return None
        nameless = [at for at in self._named.get(b"", ()) if same_function(section, self.lines[at].rstrip())]
        found = [*self._named.get(name, ()), *nameless]
        return found[0] if len(found) == 1 else None

    def has_function(self, name: bytes) -> bool:
        """Whether a heading names this function."""
        return name in self._named

    @cached_property
    def _named(self) -> dict[bytes, list[int]]:
        """The headings by the name of their function; b"" for those without one."""
        found: dict[bytes, list[int]] = {}
        for at in self._headings:
            found.setdefault(function_name(self.lines[at].rstrip()), []).append(at)
        return found

    def function_at(self, at: int) -> tuple[int, int]:
        """The lines `[low, high)` from the section heading above line `at` to the next heading."""
        found = bisect_left(self._headings, at)
        low = self._headings[found - 1] if found else 0
        return low, self._headings[found] if found < len(self._headings) else len(self.lines)

    def find(self, block: Sequence[bytes], near: int) -> list[int]:
        """Every 0-based line where `block` stands, ascending; of a block found everywhere only those near.

        A file in which very much was sought already, all of it found everywhere, is looked through less widely.
        """
        if not block:
            return []
        key, places = min(((key, self.places(line)) for key, line in enumerate(block)), key=lambda found: len(found[1]))
        widest = MAX_CANDIDATES if self._tries > 0 else FEW_CANDIDATES
        most = max(4, min(widest, MAX_COMPARED_LINES // len(block)))
        tried = _nearest(places, near + key, most)
        self._tries -= len(tried)
        return [at - key for at in tried if block_at(self.lines, block, at - key)]

    def likely(self, block: Sequence[bytes], near: int) -> Likely | None:
        """The place where most of the block's lines stand in about its order; None when none of them is known."""
        votes: Counter[int] = Counter()
        voters = [(key, line) for key, line in enumerate(block) if WORD.search(line)][:MAX_VOTERS]
        for key, line in voters:
            votes.update(at - key for at in _nearest(self.places(line), near + key, MAX_VOTES))
        if not votes:
            return None
        top = [start for start, _ in votes.most_common(3)]
        best = max(top, key=lambda start: (votes[start], -abs(start - near)))
        return Likely(max(0, best), len(block), self._likeness(block, best))

    def _likeness(self, block: Sequence[bytes], start: int) -> float:
        """The share of the block's lines that stand at `start` or a few lines around it."""
        slack = max(2, len(block) // 4)
        ours = self.lines[max(0, start - slack) : start + len(block) + slack]
        return round(sum((Counter(block) & Counter(ours)).values()) / len(block), 3)


def _nearest(places: Sequence[int], near: int, most: int) -> Sequence[int]:
    if len(places) <= most:
        return places
    middle = bisect_right(places, near)
    start = min(max(0, middle - most // 2), len(places) - most)
    return places[start : start + most]


def is_heading(line: bytes) -> bool:
    """Whether git's default rule takes the line for a section heading: a letter, `_` or `$` comes first."""
    return line[:1] in STARTS_HEADING


def function_name(heading: bytes) -> bytes:
    """The name before the first parenthesis of a section heading, or b"" when it has none."""
    return next((match.group(1) for match in NAME.finditer(heading) if match.group(2)), b"")


def same_function(section: bytes, heading: bytes) -> bool:
    """Whether two section headings mean one function; headings may be cut at 40 or 80 bytes."""
    ours, theirs = section.strip(), heading.strip()
    if function_name(ours) and function_name(theirs):
        return function_name(ours) == function_name(theirs)
    return bool(ours) and bool(theirs) and (theirs.startswith(ours) or ours.startswith(theirs))


def diff_lines(old: bytes, new: bytes) -> Sequence[Edit]:
    """Compares two texts by lines with difflib: right on every input, quadratic on hostile ones.

    Equal head and tail are trimmed first. It is the fallback where libgit2 is not at hand.
    """
    a, b = split_lines(old), split_lines(new)
    head = _common(a, b)
    a_end, b_end = len(a), len(b)
    while a_end > head and b_end > head and a[a_end - 1] == b[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
    matcher = SequenceMatcher(None, a[head:a_end], b[head:b_end], autojunk=False)
    return [
        Edit(i1 + head, i2 + head, j1 + head, j2 + head)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _common(a: Sequence[bytes], b: Sequence[bytes]) -> int:
    head = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        head += 1
    return head
