"""Where a line of a series stands in a later one: comments on lines follow them.

Within one file, hunks that are unchanged are the same wherever they stand; the lines of the others, all patches
together, are laid beside each other in order, and a line is the same one when it and its sign are unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from .diff import Hunk, Patch

AROUND = 3  # lines that are kept before and after the one that is meant
MOST = 4_000  # lines of a file's hunks; beyond, only lines that stand there once are found again

_WORD = re.compile(rb"\w\w")  # a brace alone is found everywhere


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a series: numbers of patch, file of it, hunk of that, and line, all from 1.

    `old_line` and `new_line` are its numbers in the file before and after, 0 where it does not stand. `paths` are the
    file's names, the later one first.
    """

    patch: int
    file: int
    hunk: int
    line: int
    paths: tuple[str, ...]
    old_line: int
    new_line: int
    tag: str
    text: bytes

    @property
    def place(self) -> tuple[int, int, int, int]:
        """All its numbers."""
        return self.patch, self.file, self.hunk, self.line


def spot_at(patches: Sequence[Patch], place: tuple[int, ...]) -> Spot | None:
    """The line of these numbers; None where there is none."""
    return next((one for one in spots(patches) if one.place == place), None)


def spot_of(patches: Sequence[Patch], path: str, line: int, *, old: bool = False) -> Spot | None:
    """The last line of that number that the series shows of a file, as it is afterwards or as it was (`old`)."""
    of_file = (one for one in spots(patches) if path in one.paths)
    found = [one for one in of_file if line == (one.old_line if old else one.new_line)]
    return found[-1] if found and line else None


def around(patches: Sequence[Patch], spot: Spot) -> tuple[list[tuple[str, bytes]], int]:
    """The lines of its hunk around a line, as tag and text, and which of them it is, from 0."""
    lines = patches[spot.patch - 1].files[spot.file - 1].hunks[spot.hunk - 1].lines
    first = max(0, spot.line - 1 - AROUND)
    return [(line.tag, line.text) for line in lines[first : spot.line + AROUND]], spot.line - 1 - first


def spots(patches: Sequence[Patch]) -> Iterator[Spot]:
    """Every line of the series."""
    for at, patch in enumerate(patches, start=1):
        for nth, file in enumerate(patch.files, start=1):
            names = dict.fromkeys(_text(name) for name in (file.new_path, file.path) if name)
            for number, hunk in enumerate(file.hunks, start=1):
                yield from _of_hunk((at, nth, number), tuple(names), hunk)


def _of_hunk(place: tuple[int, int, int], paths: tuple[str, ...], hunk: Hunk) -> Iterator[Spot]:
    old, new = hunk.old_start, hunk.new_start
    for at, line in enumerate(hunk.lines, start=1):
        is_old, is_new = line.tag != "+", line.tag != "-"
        yield Spot(*place, at, paths, old * is_old, new * is_new, line.tag, line.text)
        old, new = old + is_old, new + is_new


class Follower:
    """Finds lines of one series in a later one; each file is laid beside its later self once."""

    def __init__(self, before: Sequence[Patch], after: Sequence[Patch]) -> None:
        self._before, self._after = _by_path(before), _by_path(after)
        self._known: dict[str, dict[tuple[int, ...], Spot]] = {}

    def find(self, path: str, place: tuple[int, ...]) -> Spot | None:
        """Where the line of these numbers, in the file of that later name, stands now; None when it went away."""
        if path not in self._known:
            self._known[path] = dict(self._pairs(path))
        return self._known[path].get(place)

    def _pairs(self, path: str) -> Iterator[tuple[tuple[int, ...], Spot]]:
        left, right = self._before.get(path, []), self._after.get(path, [])
        for one, other in _all_pairs(left, right):
            yield one.place, other


def _all_pairs(left: list[Spot], right: list[Spot]) -> Iterator[tuple[Spot, Spot]]:
    """Whole hunks that are unchanged, wherever they stand; then the lines of the others, in order."""
    hunks, rest = _hunks(right), []
    for key, places in _hunks(left).items():
        others = hunks.get(key, [])
        for lines, again in zip(places, others, strict=False):
            yield from zip(lines, again, strict=True)
        rest += [one for lines in places[len(others) :] for one in lines]
        hunks[key] = others[len(places) :]
    free = [one for places in hunks.values() for lines in places for one in lines]
    rest, free = (sorted(part, key=lambda one: one.place) for part in (rest, free))
    yield from _once(rest, free) if max(len(rest), len(free)) > MOST else _matched(rest, free)


def _hunks(found: list[Spot]) -> dict[tuple[tuple[str, bytes], ...], list[list[Spot]]]:
    """The hunks by their lines; several read alike in the order in which they stand."""
    hunks: dict[tuple[int, ...], list[Spot]] = {}
    for one in found:
        hunks.setdefault(one.place[:3], []).append(one)
    alike: dict[tuple[tuple[str, bytes], ...], list[list[Spot]]] = {}
    for lines in hunks.values():
        alike.setdefault(tuple(map(_key, lines)), []).append(lines)
    return alike


def _matched(left: list[Spot], right: list[Spot]) -> Iterator[tuple[Spot, Spot]]:
    matcher = SequenceMatcher(None, [_key(one) for one in left], [_key(one) for one in right], autojunk=False)
    for start, other, size in matcher.get_matching_blocks():
        if any(_WORD.search(one.text) for one in left[start : start + size]):
            yield from zip(left[start : start + size], right[other : other + size], strict=True)


def _once(left: list[Spot], right: list[Spot]) -> Iterator[tuple[Spot, Spot]]:
    places: dict[tuple[str, bytes], list[Spot]] = {}
    for one in right:
        places.setdefault(_key(one), []).append(one)
    for one in left:
        if len(found := places.get(_key(one), [])) == 1:
            yield one, found[0]


def _key(spot: Spot) -> tuple[str, bytes]:
    return spot.tag, spot.text


def _by_path(patches: Sequence[Patch]) -> dict[str, list[Spot]]:
    found: dict[str, list[Spot]] = {}
    for spot in spots(patches):
        found.setdefault(spot.paths[0], []).append(spot)
    return found


def _text(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
