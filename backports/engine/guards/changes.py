"""A result as the guards see it: each file before and after the whole series, here and at its author's."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from backports.engine.apply import patched_base
from backports.engine.diff import FileDiff
from backports.engine.locate import is_heading, split_lines
from backports.engine.merge import BaseMap, Run, merge_runs
from backports.engine.result import SeriesResult
from backports.engine.tree import Edit, LineDiffer, TreeReader

from . import ccode
from .symbols import Symbols

GUARDED_HUNKS = 1000  # of a file; what is larger is not looked at, and told
GUARDED_BYTES = 4 * 1024 * 1024
LONGEST_COMMENT = 20_000  # bytes; how far back the start of an open one is looked for
LONGEST_INDENT = 200  # bytes of white space beside a line's text
BRACES = frozenset((b"{", b"}"))
LONGEST_FUNCTION = 2000  # lines; what is longer is looked at as far as this


class Text:
    """A file's lines, the same without comments and strings, and its names; all made when asked for."""

    def __init__(self, data: bytes, path: str) -> None:
        self.data, self.path = data, path
        self._words: dict[bytes, bool] = {}

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines with their endings."""
        return split_lines(self.data)

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate(map(len, self.lines), initial=0))

    @cached_property
    def _windows(self) -> dict[tuple[int, int], list[bytes]]:
        return {}

    def code(self, low: int, high: int) -> list[bytes]:
        """Lines `[low, high)` with comments and strings blanked; nothing for what is no C.

        Whether a comment is open at `low` is told by the marks before it.
        """
        low, high = max(0, low), min(high, len(self.lines))
        if low >= high:
            return []
        if (low, high) not in self._windows:
            self._windows[low, high] = self._blanked(low, high) if ccode.is_c(self.path) else []
        return self._windows[low, high]

    def _blanked(self, low: int, high: int) -> list[bytes]:
        start = self._starts[low]
        part = self.data[start : self._starts[high]]
        back = max(0, start - LONGEST_COMMENT)
        if self.data.rfind(b"/*", back, start) <= self.data.rfind(b"*/", back, start):
            return split_lines(ccode.code_only(part))
        return split_lines(ccode.code_only(b"/*" + part)[2:])

    def code_line(self, at: int) -> bytes:
        """One line of code; b"" for what is no C, or no line."""
        return b"".join(self.code(at, at + 1))

    def has_word(self, name: bytes) -> bool:
        """Whether the file holds the name as a word, comments included."""
        if name not in self._words:
            self._words[name] = ccode.has_word(self.data, name)
        return self._words[name]

    def has_member(self, parts: Sequence[bytes]) -> bool:
        """Whether the file uses these members, one of the other."""
        return ccode.has_member(self.data, parts)

    def has_line(self, line: bytes) -> bool:
        """Whether a line is this one, white space at its ends aside."""
        at = self.data.find(line)
        while at >= 0:
            low, stop = max(0, at - LONGEST_INDENT), at + len(line)
            before = self.data[max(low, self.data.rfind(b"\n", low, at)) : at]
            if not before.strip() and not self.data[stop : stop + LONGEST_INDENT].partition(b"\n")[0].strip():
                return True
            at = self.data.find(line, stop)
        return False

    def heading(self, at: int) -> bytes:
        """The nearest line above `at` that git would show as its section, or b""."""
        near = range(at - 1, max(-1, at - LONGEST_FUNCTION), -1)
        return next((self.lines[place].rstrip() for place in near if is_heading(self.lines[place])), b"")

    def function(self, at: int) -> tuple[int, int]:
        """The body `[low, high)` that holds line `at`, from its `{` in the first column to its `}`; or (at, at)."""
        found = bisect_left(self._braces, at)
        if not 0 < found < len(self._braces):
            return at, at
        low, high = self._braces[found - 1], self._braces[found]
        near = at - low <= LONGEST_FUNCTION and high - at < LONGEST_FUNCTION
        return (low, high) if near and at < high and self.lines[low][:1] == b"{" else (at, at)

    @cached_property
    def _braces(self) -> list[int]:
        """The lines that begin with a brace."""
        return [at for at, line in enumerate(self.lines) if line[:1] in BRACES]


class Change:
    """Two texts of one file and what lies between them."""

    def __init__(self, before: Text, after: Text, differ: LineDiffer) -> None:
        self.before, self.after, self._differ = before, after, differ

    def since(self, other: Change) -> Change:
        """What lies between the other change's start and this one's."""
        return Change(other.before, self.before, self._differ)

    @cached_property
    def edits(self) -> Sequence[Edit]:
        """The edits from before to after."""
        return [] if self.before.data == self.after.data else self._differ(self.before.data, self.after.data)

    @cached_property
    def added(self) -> list[int]:
        """The 0-based lines of `after` that are new."""
        return [at for edit in self.edits for at in range(edit.new_start, edit.new_stop)]

    @cached_property
    def removed(self) -> list[int]:
        """The 0-based lines of `before` that are gone."""
        return [at for edit in self.edits for at in range(edit.old_start, edit.old_stop)]

    @cached_property
    def added_lines(self) -> dict[int, bytes]:
        """The code of every new line of `after`, by its 0-based place; empty for what is no C."""
        found: dict[int, bytes] = {}
        for edit in self.edits:
            found.update(enumerate(self.after.code(edit.new_start, edit.new_stop), edit.new_start))
        return found

    @cached_property
    def added_code(self) -> bytes:
        """The new lines without comments and strings."""
        return b"".join(self.added_lines.values())

    @cached_property
    def removed_code(self) -> bytes:
        """The lines that are gone, without comments and strings."""
        return b"".join(line for edit in self.edits for line in self.before.code(edit.old_start, edit.old_stop))

    def where(self, names: Collection[bytes]) -> tuple[int, ...]:
        """The 1-based new lines whose code holds one of `names` as a word."""
        sought = frozenset(names)
        found = (at for at, line in self.added_lines.items() if not sought.isdisjoint(ccode.WORD.findall(line)))
        return tuple(at + 1 for at in found)


@dataclass(frozen=True)
class FileChange:
    """What the series does to one file: `ours` in the target, `theirs` in its author's tree when known."""

    path: str
    ours: Change
    theirs: Change | None
    diffs: tuple[FileDiff, ...]

    @property
    def is_c(self) -> bool:
        """Whether the file is C, C++ or assembler."""
        return ccode.is_c(self.path)

    @cached_property
    def drift(self) -> Change | None:
        """What lies between the author's file and the target's, both before the fix."""
        return None if self.theirs is None else self.ours.since(self.theirs)

    @property
    def untouched(self) -> bool:
        """Whether the target's file is the author's own, and so is the result."""
        theirs, ours = self.theirs, self.ours
        return theirs is not None and (theirs.before.data, theirs.after.data) == (ours.before.data, ours.after.data)

    @cached_property
    def merged(self) -> bytes | None:
        """The target after a merge of the whole change by lines; None without a base or with a conflict."""
        if self.theirs is None or self.drift is None or not self.ours.before.data:
            return None
        if self.theirs.before.data == self.ours.before.data:
            return self.theirs.after.data
        base, theirs, ours = self.theirs.before, self.theirs.after, self.ours.before
        runs = [
            Run(0, edit.old_start, edit.old_stop, tuple(theirs.lines[edit.new_start : edit.new_stop]))
            for edit in self.theirs.edits
        ]
        found = merge_runs(runs, BaseMap(base.lines, ours.lines, self.drift.edits))
        if any(part.state == "conflict" for part in found):
            return None
        out: list[bytes] = []
        at = 0
        for run, part in zip(runs, found, strict=True):
            if part.state == "clean":
                out += ours.lines[at : part.start]
                out += run.lines
                at = part.stop
        return b"".join(out + ours.lines[at:])


@dataclass(frozen=True, slots=True)
class Case:
    """All that a guard may look at; `too_large` are paths whose change is beyond what guards look at."""

    result: SeriesResult
    files: tuple[FileChange, ...]
    tree: TreeReader
    symbols: Symbols | None = None
    too_large: tuple[str, ...] = ()

    @property
    def c_files(self) -> Iterator[FileChange]:
        """The C files among the changes."""
        return (file for file in self.files if file.is_c)


def open_case(result: SeriesResult, tree: TreeReader, differ: LineDiffer, symbols: Symbols | None) -> Case:
    """The case for a result on `tree`; files that it deletes are left out."""
    after: dict[str, bytes | None] = {}
    diffs: dict[str, list[FileDiff]] = {}
    for patch in result.patches:
        after.update((path, change.data) for path, change in patch.changes.items())
        for file in patch.files:
            diffs.setdefault(file.path, []).append(file.diff)
    for path, diff in _moved(result):
        diffs.setdefault(path, [diff])
    kept = {path: data for path, data in after.items() if data is not None}
    too_large = tuple(path for path, data in kept.items() if _is_too_large(data, diffs.get(path, [])))
    files = tuple(
        _file_change(path, data, diffs.get(path, []), tree, differ)
        for path, data in kept.items()
        if path not in too_large
    )
    return Case(result, files, tree, symbols, too_large)


def _moved(result: SeriesResult) -> Iterator[tuple[str, FileDiff]]:
    """Files that hunks of another file's diff went to."""
    for file in (file for patch in result.patches for file in patch.files):
        for place in (hunk.placement for hunk in file.hunks):
            if place and place.path:
                yield place.path, file.diff


def _is_too_large(data: bytes, diffs: Sequence[FileDiff]) -> bool:
    return len(data) > GUARDED_BYTES or sum(len(diff.hunks) for diff in diffs) > GUARDED_HUNKS


def _file_change(path: str, data: bytes, diffs: Sequence[FileDiff], tree: TreeReader, differ: LineDiffer) -> FileChange:
    blob = tree.read(path)
    ours = Change(Text(blob.data if blob else b"", path), Text(data, path), differ)
    theirs = _theirs(path, diffs, tree, differ)
    if theirs is not None and theirs.before.data == ours.before.data:
        after = ours.after if theirs.after.data == ours.after.data else theirs.after
        theirs = Change(ours.before, after, differ)  # what was found out about a text holds for both
    return FileChange(path, ours, theirs, tuple(diffs))


def _theirs(path: str, diffs: Sequence[FileDiff], tree: TreeReader, differ: LineDiffer) -> Change | None:
    """The author's file before and after all of the series, when the store has it and the diffs fit it."""
    if not diffs or not diffs[0].old_oid:
        return None
    base = tree.blob(diffs[0].old_oid) if diffs[0].old_oid.strip("0") else None
    if base is None and diffs[0].old_oid.strip("0"):
        return None
    before = data = base.data if base else b""
    for diff in diffs:
        patched = patched_base(diff.hunks, data)
        if patched is None:
            return None
        data = patched
    return Change(Text(before, path), Text(data, path), differ)
