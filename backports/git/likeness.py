"""How much of one file is in another.

Method: multisets of lines without their white space, very short lines left out; the
likeness is their Jaccard index (shared lines over all lines), so it is 1 for equal files and
falls with every line that only one of them has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

THRESHOLD = 0.5
MARGIN = 0.15
SPLIT_SHARE = 0.5
_SHORTEST_LINE = 4
_SPACE = b" \t\r\f\v"
_WORD = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """A file's significant lines, counted."""

    lines: Counter[bytes]
    total: int

    @classmethod
    def of(cls, data: bytes) -> Profile:
        lines = Counter(data.translate(None, _SPACE).split(b"\n"))
        for line in [line for line in lines if len(line) < _SHORTEST_LINE]:
            del lines[line]
        return cls(lines, lines.total())

    def likeness(self, other: Profile) -> float:
        """Jaccard index of the two multisets, 0 to 1."""
        shared = self.shared(other)
        union = self.total + other.total - shared
        return shared / union if union else 0.0

    def share_in(self, other: Profile) -> float:
        """How many of this file's lines the other one holds, 0 to 1."""
        return self.shared(other) / self.total if self.total else 0.0

    def shared(self, other: Profile) -> int:
        """How many lines both have."""
        small, large = sorted((self.lines, other.lines), key=len)
        return sum(min(count, large[line]) for line, count in small.items() if line in large)


def likely_order(path: str, scored: Iterable[tuple[float, str]]) -> list[str]:
    """The paths whose score reaches THRESHOLD, likeliest first; near scores go by the words of `path`."""
    good = sorted(((score, other) for score, other in scored if score >= THRESHOLD), reverse=True)
    if not good:
        return []
    best = good[0][0]
    near = [other for score, other in good if score > best - MARGIN]
    near.sort(key=lambda other: -shared_words(path, other))
    return near + [other for score, other in good if score <= best - MARGIN]


def shared_words(path: str, other: str) -> float:
    """Jaccard index of the words of two paths, 0 to 1."""
    left, right = set(_WORD.findall(path)), set(_WORD.findall(other))
    union = left | right
    return len(left & right) / len(union) if union else 0.0
