"""What makes a place trustworthy, and the check that a result is what the patch says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from .diff import FileDiff, FileKind, Hunk, Line, Patch
from .errors import EngineError

if TYPE_CHECKING:
    from .rungs.context import Landing

WORDS = re.compile(rb"\w")
COMMON = re.compile(
    rb"(?:(?:break|continue|return|else|do|default|out|#endif|#else|case \w++|return \w{1,3}|return -\w++)?"
    rb"[\s;:{}()]*+|/?\*++/?)"
)
MIN_ANCHOR = 8


@lru_cache(maxsize=4096)
def is_distinctive(line: bytes) -> bool:
    """Whether a line tells code apart: `}`, `break;`, `return 0;` and blank lines do not."""
    return not COMMON.fullmatch(line.strip()) and len(WORDS.findall(line)) >= 4


def any_distinctive(lines: Iterable[bytes]) -> bool:
    """Whether at least one of the lines is distinctive."""
    return any(is_distinctive(line) for line in lines)


def is_anchor(lines: Iterable[bytes]) -> bool:
    """Whether the lines hold enough word characters to place code by them."""
    return sum(len(WORDS.findall(line)) for line in lines) >= MIN_ANCHOR


def anchors(hunk: Hunk, lead: int, trail: int) -> tuple[bool, bool]:
    """Whether the hunk was made at the start, and at the end, of its file.

    A hunk without trailing context ended the file, as `git apply` reads it; a diff made
    without any context says nothing of the kind.
    """
    if not lead and not trail:
        return False, False
    return hunk.old_start <= 1 and not lead, not trail


def check_result(before: Sequence[bytes], after: Sequence[bytes], landings: Iterable[Landing]) -> None:
    """Raises EngineError `self-check` unless `after` is `before` with these landings' edits, and no other.

    Every line outside the edits must be the target's own, in order.
    """
    at = drift = 0
    for edit in (edit for landing in landings for edit in landing.edits):
        start = edit.start + drift
        same = before[at : edit.start] == after[at + drift : start]
        if edit.start < at or not same or tuple(after[start : start + len(edit.lines)]) != edit.lines:
            raise _mismatch()
        at = edit.stop
        drift += len(edit.lines) - (edit.stop - edit.start)
    if before[at:] != after[at + drift :]:
        raise _mismatch()


def _mismatch() -> EngineError:
    return EngineError(
        "The result is not what its own placements say; this is a fault of the engine, report it.", code="self-check"
    )


REVERSED = {FileKind.ADD: FileKind.DELETE, FileKind.DELETE: FileKind.ADD, FileKind.COPY: FileKind.DELETE}
SWAPPED = {"+": "-", "-": "+", " ": " "}


def reverse_hunk(hunk: Hunk) -> Hunk:
    """The hunk that undoes this one; removed lines stand before added ones in each run."""
    lines: list[Line] = []
    added: list[Line] = []
    for line in hunk.lines:
        if line.tag == "-":
            added.append(Line("+", line.text))
            continue
        if line.tag == " ":
            lines += added
            added = []
        lines.append(Line(SWAPPED[line.tag], line.text))
    return Hunk(hunk.new_start, hunk.new_count, hunk.old_start, hunk.old_count, hunk.section, tuple(lines + added))


def reverse_file(diff: FileDiff) -> FileDiff:
    """The file diff that undoes this one; a copy is undone by deleting it."""
    copy = diff.kind is FileKind.COPY
    return FileDiff(
        old_path=diff.new_path,
        new_path=None if copy else diff.old_path,
        kind=REVERSED.get(diff.kind, diff.kind),
        hunks=() if copy else tuple(reverse_hunk(hunk) for hunk in diff.hunks),
        old_mode=diff.new_mode,
        new_mode=diff.old_mode,
        old_oid=diff.new_oid,
        new_oid=diff.old_oid,
        binary=diff.binary,
    )


def reverse_patch(patch: Patch) -> Patch:
    """The patch that undoes this one, its files in reverse order."""
    return Patch(files=tuple(reverse_file(diff) for diff in reversed(patch.files)), style=patch.style)
