"""Which line of the target a changed line of the base became.

Method: inside one edit of the target, lines are paired in order so that the likeness of all pairs together is
greatest (Needleman and Wunsch's alignment with Dice's coefficient on words); pairs less alike than LIKENESS are none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from .merge import BaseMap
from .tree import Edit

LIKENESS = 0.6
BETWEEN = 0.5  # how alike one line must be to the one that stands for it between the same two lines
MAX_LINES = 60
WORD = re.compile(rb"\w+")


class Alignment:
    """The lines of a base and where each stands in the target, changed or not; made edit by edit when asked for."""

    def __init__(self, base_map: BaseMap) -> None:
        self.base, self.target, self._map = base_map.base, base_map.target, base_map

    def at(self, line: int) -> int | None:
        """The target's line for base line `line` (0-based), or None when it has no counterpart."""
        if not 0 <= line < len(self.base):
            return None
        whole = self._map.whole(line, line + 1)
        if whole is not None:
            return whole
        return next(
            (at for number in self._map.touching(line, line + 1) if (at := self._paired(number, line)) >= 0), None
        )

    def is_changed(self, line: int) -> bool:
        """Whether the target has another line, or none, for base line `line`."""
        at = self.at(line)
        return at is None or self.target[at] != self.base[line]

    def _paired(self, number: int, line: int) -> int:
        known = self._map.paired
        if number not in known:
            known[number] = self._pair(self._map.edits[number])
        return known[number].get(line, -1)

    def _pair(self, edit: Edit) -> dict[int, int]:
        old, new = self.base[edit.old_start : edit.old_stop], self.target[edit.new_start : edit.new_stop]
        if max(len(old), len(new)) > MAX_LINES:
            return {}
        if len(old) == len(new) == 1 and likeness(old[0], new[0]) >= BETWEEN:
            return {edit.old_start: edit.new_start}
        return {edit.old_start + one: edit.new_start + other for one, other in pairs(old, new)}


def pairs(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """Places in `old` and `new` of lines that are alike, ascending in both."""
    return best_pairs([[_score(one, other) for other in new] for one in old])


def best_pairs(scores: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Rows and columns that belong together, ascending in both, so that their scores add up to most; 0 is no pair."""
    height, width = len(scores), len(scores[0]) if scores else 0
    best = [[0.0] * (width + 1) for _ in range(height + 1)]
    for i in range(height - 1, -1, -1):
        for j in range(width - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], scores[i][j] + best[i + 1][j + 1])
    found = []
    i = j = 0
    while i < height and j < width:
        if scores[i][j] and best[i][j] == scores[i][j] + best[i + 1][j + 1]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def likeness(one: bytes, other: bytes) -> float:
    """Dice's coefficient of the words of two lines, 0 to 1; lines without words are alike when equal but for space."""
    mine, theirs = words(one), words(other)
    if not mine or not theirs:
        return float(not mine and not theirs and one.split() == other.split())
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())


def lost_words(lines: Alignment, line: int) -> set[bytes]:
    """Words of base line `line` that its counterpart in the target has others for, or leaves out."""
    at = lines.at(line)
    return set() if at is None else set(words(lines.base[line]) - words(lines.target[at]))


def _score(one: bytes, other: bytes) -> float:
    found = likeness(one, other)
    if not words(one):
        return found / 10
    return found if found >= LIKENESS else 0.0


@lru_cache(maxsize=4096)
def words(line: bytes) -> Counter[bytes]:
    """The words of a line, counted."""
    return Counter(WORD.findall(line))
