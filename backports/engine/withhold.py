"""What a guard found to be wrong more often than right is not given out as landed.

A flag with one of the codes in WITHHELD turns the hunks that hold its lines into rejections: they keep
their likely place, which is where they landed, so that a person sees base, ours and theirs there. The
rest of the fix stays, and is applied anew without them, patch after patch. The codes were chosen by
measuring real backports whose answer is known (docs/ladder.md has the figures).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .diff import FileDiff, FileKind
from .locate import split_lines
from .result import Flag, HunkResult, Rung, SeriesResult
from .rungs import Refusal

WITHHELD = frozenset(
    {
        "missing-symbol",
        "undeclared-symbol",
        "missing-local",
        "missing-label",
        "missing-format",
        "missing-header",
        "other-arity",
    }
)
KINDS = (FileKind.MODIFY, FileKind.RENAME, FileKind.COPY)
Withheld = Mapping[int, Mapping[int, Refusal]]
"""By the identity of the file diff: its hunks, counted from 0, with what is said of each."""
Placed = tuple[FileDiff, int, HunkResult]


def hunks(result: SeriesResult) -> Withheld:
    """The hunks that hold the lines of a flag that withholds."""
    found: dict[int, dict[int, Refusal]] = {}
    for flag in result.flags:
        if flag.code not in WITHHELD or not flag.lines:
            continue
        lines, placed = split_lines(_after(result, flag.path)), list(_placed(result, flag.path))
        for line in flag.lines:
            if placed and line <= len(lines):
                diff, number, hunk = _holder(placed, line, lines[line - 1].strip())
                found.setdefault(id(diff), {}).setdefault(number, _refusal(flag, hunk))
    return found


def told(again: SeriesResult, before: SeriesResult) -> SeriesResult:
    """The result without the withheld hunks, with the flags that withheld them and those that it still has.

    A flag that only came up because hunks are missing says nothing and is left out.
    """
    known = {flag.code for flag in before.flags} - WITHHELD
    withheld = tuple(replace(flag, lines=()) for flag in before.flags if flag.code in WITHHELD)
    return replace(again, flags=(*withheld, *(flag for flag in again.flags if flag.code in known)))


def _refusal(flag: Flag, hunk: HunkResult) -> Refusal:
    at = hunk.placement.line if hunk.placement else 1
    if hunk.placement and hunk.placement.path:
        return Refusal(flag.code, f"It can be placed at line {at} of {hunk.placement.path}, but {flag.sentence}")
    return Refusal(flag.code, f"It can be placed at line {at}, but {flag.sentence}", at - 1)


def _after(result: SeriesResult, path: str) -> bytes:
    data = b""
    for patch in result.patches:
        change = patch.changes.get(path)
        data = change.data or b"" if change else data
    return data


def _placed(result: SeriesResult, path: str) -> Iterator[Placed]:
    for patch in result.patches:
        for file in patch.files:
            if file.diff.kind not in KINDS:
                continue
            for number, hunk in enumerate(file.hunks):
                place = hunk.placement
                if place and (place.path or file.path) == path and place.rung is not Rung.ALREADY_APPLIED:
                    yield file.diff, number, hunk


def _holder(placed: list[Placed], line: int, text: bytes) -> Placed:
    """The hunk that adds this line, the nearest of several; the nearest of all when its words were changed."""
    holding = [one for one in placed if any(own.tag == "+" and own.text.strip() == text for own in one[2].hunk.lines)]
    return min(holding or placed, key=lambda one: _far(one, line))


def _far(one: Placed, line: int) -> int:
    """How many lines the hunk's new text is from a line of the result."""
    diff, number, hunk = one
    grown = sum(other.new_count - other.old_count for other in diff.hunks[:number])
    start = (hunk.placement.line if hunk.placement else 0) + grown
    return max(start - line, line - start - hunk.hunk.new_count, 0)
