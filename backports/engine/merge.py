"""Three-way merge of one file's change runs by lines, in memory.

Base is the file as the patch's author saw it, ours the target, theirs the patch. The rule is
the one of git's merge machinery (diff3 on line edits): edits of the two sides that overlap or
touch conflict, unless both sides leave the same text there.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .tree import Edit

WORDS, WORD = re.compile(rb"\w\w\w"), re.compile(rb"\w")
REACH = 3  # lines below a place that tell it when the first has a short word only


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `-` and `+` lines: base lines `[start, stop)`, 0-based, become `lines`; `hunk` counts from 0."""

    hunk: int
    start: int
    stop: int
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a run: `[start, stop)` in the target, and `clean`, `same` or `conflict`.

    `same` means that the target holds the run's change already.
    """

    state: str
    start: int
    stop: int


class BaseMap:
    """Where base lines stand in the target. `paired` holds what `align` found out about edits, by their number."""

    def __init__(self, base: Sequence[bytes], target: Sequence[bytes], edits: Sequence[Edit]) -> None:
        self.paired: dict[int, dict[int, int]] = {}
        self.base, self.target, self.edits = base, target, list(edits)
        self._stops = [edit.old_stop for edit in self.edits]
        self._starts = [edit.old_start for edit in self.edits]

    def position(self, at: int) -> int:
        """Target line for base line `at`; inside or at an edit the place where the edit's new text starts."""
        found = bisect_left(self._stops, at)
        if found < len(self.edits) and self._starts[found] <= at:
            edit = self.edits[found]
            return edit.new_start if at <= edit.old_start or at < edit.old_stop else edit.new_stop
        if not found:
            return at
        return at + self.edits[found - 1].new_stop - self.edits[found - 1].old_stop

    def whole(self, start: int, stop: int) -> int | None:
        """The target line where base lines `[start, stop)` stand unmodified and unbroken, or None."""
        if start >= stop:
            return None
        found = bisect_left(self._stops, start + 1)
        while found < len(self.edits) and self.edits[found].old_start < stop:
            edit = self.edits[found]
            if edit.old_stop > start and not (edit.old_start == edit.old_stop == start):
                return None
            found += 1
        before = bisect_left(self._stops, start + 1)
        return start + (self.edits[before - 1].new_stop - self.edits[before - 1].old_stop if before else 0)

    def gap(self, at: int) -> int | None:
        """Where lines inserted before base line `at` belong when one neighbour is unmodified; None when neither is.

        Lines that the target itself inserted there leave the order open, which is None too; so does a
        neighbour without a word in it when the target has lines of its own on the other side, but for the blank
        line at a paragraph's end with the next paragraph's line beyond it.
        """
        edit = next((self.edits[number] for number in self.touching(at, at)), None)
        if edit is None:
            return self.position(at)
        if edit.old_start == edit.old_stop or edit.old_start < at < edit.old_stop:
            return None
        before = edit.old_stop == at
        neighbour = self.base[at - (not before)] if at - (not before) < len(self.base) else b""
        is_open = edit.new_start < edit.new_stop and not WORDS.search(neighbour)
        if is_open and not (self._tells_below(at) if before else self._opens_block(at)):
            return None
        return edit.new_stop if before else edit.new_start

    def _tells_below(self, at: int) -> bool:
        """Whether base line `at` ends a paragraph, or has a short word and lines beside it that tell more."""
        if self._ends_paragraph(at):
            return True
        return any(map(WORD.search, self.base[at : at + 1])) and self._stand_and_tell(at, at + REACH)

    def _opens_block(self, at: int) -> bool:
        """Whether the line above base line `at` is the brace of a block whose heading stands there too."""
        return at > 1 and self.base[at - 1].strip() == b"{" and self._stand_and_tell(at - 2, at)

    def _stand_and_tell(self, start: int, stop: int) -> bool:
        return self.whole(start, stop) is not None and any(map(WORDS.search, self.base[start:stop]))

    def _ends_paragraph(self, at: int) -> bool:
        """Whether base line `at` is blank and stands unbroken with the line after it, which has words."""
        if not at + 1 < len(self.base) or self.base[at].strip() or not WORDS.search(self.base[at + 1]):
            return False
        return self.whole(at, at + 2) is not None

    def touching(self, start: int, stop: int) -> range:
        """Numbers of the edits that overlap or touch base lines `[start, stop)`."""
        first = bisect_left(self._stops, start)
        last = first
        while last < len(self.edits) and self._starts[last] <= stop:
            last += 1
        return range(first, last)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Runs joined by the target's edits: base lines `[base_start, base_stop)`, the target's `[start, stop)`.

    `state` is as in Merged.
    """

    state: str
    runs: tuple[Run, ...]
    base_start: int
    base_stop: int
    start: int
    stop: int
    base: Sequence[bytes] = field(repr=False, compare=False)

    @property
    def theirs(self) -> tuple[bytes, ...]:
        """What the patch leaves of the base lines."""
        return tuple(line for piece in _theirs(self.runs, self.base_start, self.base_stop, self.base) for line in piece)


def merge_runs(runs: Sequence[Run], base_map: BaseMap) -> list[Merged]:
    """What becomes of each run, in order. Runs are ascending and do not touch."""
    return [Merged(chunk.state, chunk.start, chunk.stop) for chunk in chunks(runs, base_map) for _ in chunk.runs]


def chunks(runs: Sequence[Run], base_map: BaseMap) -> list[Chunk]:
    """The runs in groups that can be decided on their own. Runs are ascending and do not touch."""
    return [_chunk(group, edits, base_map) for group, edits in _groups(runs, base_map)]


def _groups(runs: Sequence[Run], base_map: BaseMap) -> Iterator[tuple[list[Run], range]]:
    """Runs that are joined by the target's edits, with the edits that they touch."""
    group: list[Run] = []
    edits = range(0)
    for run in runs:
        touched = base_map.touching(run.start, run.stop)
        if group and touched and edits and touched.start < edits.stop:
            group.append(run)
            edits = range(edits.start, max(edits.stop, touched.stop))
            continue
        if group:
            yield group, edits
        group, edits = [run], touched
    if group:
        yield group, edits


def _chunk(group: Sequence[Run], edits: range, base_map: BaseMap) -> Chunk:
    start, stop = group[0].start, group[-1].stop
    if not edits:
        at = base_map.position(start)
        return Chunk("clean", tuple(group), start, stop, at, at + stop - start, base_map.base)
    first, last = base_map.edits[edits.start], base_map.edits[edits.stop - 1]
    start, stop = min(start, first.old_start), max(stop, last.old_stop)
    ours_start = first.new_start - (first.old_start - start)
    ours_stop = last.new_stop + (stop - last.old_stop)
    base_line, our_line = base_map.base[start : start + 1], base_map.target[ours_start : ours_start + 1]
    first_differs = start < group[0].start and list(base_line) != list(our_line)
    pieces = _theirs(group, start, stop, base_map.base)
    same = not first_differs and _stands(pieces, base_map.target, ours_start, ours_stop)
    return Chunk("same" if same else "conflict", tuple(group), start, stop, ours_start, ours_stop, base_map.base)


def _theirs(group: Sequence[Run], start: int, stop: int, base: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    at = start
    for run in group:
        yield base[at : run.start]
        yield run.lines
        at = run.stop
    yield base[at:stop]


def _stands(pieces: Iterable[Sequence[bytes]], lines: Sequence[bytes], start: int, stop: int) -> bool:
    """Whether the pieces, one after another, are `lines[start:stop]`; tells the first difference without the rest."""
    at = start
    for piece in pieces:
        if at + len(piece) > stop or list(lines[at : at + len(piece)]) != list(piece):
            return False
        at += len(piece)
    return at == stop
