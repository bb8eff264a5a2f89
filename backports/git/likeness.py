"""How much of one file is in another.

Method: multisets of lines without their white space, very short lines left out; the
likeness is their Jaccard index (shared lines over all lines), so it is 1 for equal files and
falls with every line that only one of them has.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

THRESHOLD = 0.5
MARGIN = 0.15
SPLIT_SHARE = 0.5
_SHORTEST_LINE = 4
_SPACE = b" \t\r\f\v"
_WORD = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """A file's significant lines as hashes, 8 bytes for each: good in the process that made it only."""

    lines: array[int]

    @classmethod
    def of(cls, data: bytes) -> Profile:
        lines = data.translate(None, _SPACE).split(b"\n")
        return cls(array("q", [hash(line) for line in lines if len(line) >= _SHORTEST_LINE]))


class Sought:
    """A file that others are compared with."""

    def __init__(self, data: bytes) -> None:
        self._counts = Counter(Profile.of(data).lines)
        self._total = self._counts.total()

    def likeness(self, other: Profile) -> float:
        """Jaccard index of the two multisets, 0 to 1; 0 where their sizes alone keep it under THRESHOLD."""
        small, large = sorted((self._total, len(other.lines)))
        if small < THRESHOLD * large or not large:
            return 0.0
        shared = self._shared(other)
        return shared / (small + large - shared)

    def share_in(self, other: Profile) -> float:
        """How many of this file's lines the other one holds, 0 to 1; 0 where it is too short for SPLIT_SHARE."""
        if len(other.lines) < SPLIT_SHARE * self._total or not self._total:
            return 0.0
        return self._shared(other) / self._total

    def _shared(self, other: Profile) -> int:
        """How many lines both have."""
        counts = self._counts
        common = Counter([line for line in other.lines if line in counts])
        return sum(min(count, counts[line]) for line, count in common.items())


def likely_order(path: str, scored: Iterable[tuple[float, str]]) -> list[str]:
    """The paths whose score reaches THRESHOLD, likeliest first; near scores go by the words of `path`."""
    good = sorted(((score, other) for score, other in scored if score >= THRESHOLD), reverse=True)
    if not good:
        return []
    best = good[0][0]
    near = [other for score, other in good if score > best - MARGIN]
    near.sort(key=lambda other: -shared_words(path, other))
    return near + [other for score, other in good if score <= best - MARGIN]


@lru_cache(maxsize=16_384)
def _words(path: str) -> frozenset[str]:
    return frozenset(_WORD.findall(path))


def shared_words(path: str, other: str) -> float:
    """Jaccard index of the words of two paths, 0 to 1."""
    left, right = _words(path), _words(other)
    union = left | right
    return len(left & right) / len(union) if union else 0.0
