"""One file diff on a tree: where the file is, what the diff does to it as a whole, and its hunks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .apply import Applied, apply_hunks
from .diff import FileDiff, FileKind
from .locate import diff_lines
from .result import Change, FileResult, HunkResult, Outcome, Placement, Rejection, Rung
from .rungs import RUNGS, Refusal, Rungs
from .tree import EXECUTABLE, REGULAR, Blob, LineDiffer, TreeReader

Changes = dict[str, Change]
Answer = tuple[FileResult, Changes]
T = TypeVar("T")
RUNG_ORDER = tuple(Rung)
BY_LIKENESS = "by its name and content"  # ends the doubt about a file that was found elsewhere
Strangers = Callable[[Collection[bytes], str], frozenset[bytes]]
Holding = Callable[[bytes, str], Iterator[str]]
Renamed = Callable[[Collection[bytes], str], Mapping[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Tools:
    """What applying needs besides patch and tree.

    `strangers(names, path)` gives those of the names that the source tree has and the target lacks,
    `renamed(names, path)` what the target's tree calls such names when other files tell;
    `holding(name, path)` the files of the target, in reach of `path`, that hold the name; `withheld` (see
    withhold.py) the hunks that stay out, by the identity of their file diff. `known` keeps what was applied, so
    that a series that is applied again without some hunks only climbs where that matters.
    """

    differ: LineDiffer = diff_lines
    rungs: Rungs = RUNGS
    strangers: Strangers | None = None
    renamed: Renamed | None = None
    holding: Holding | None = None
    withheld: Mapping[int, Mapping[int, Refusal]] = field(default_factory=dict)
    known: dict[Hashable, tuple[FileDiff, Applied]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the target that a diff is about; `doubt` is set when it was found by likeness only."""

    path: str
    blob: Blob
    note: str = ""
    doubt: str = ""


def bound(ask: Callable[[Collection[bytes], str], T] | None, path: str) -> Callable[[Collection[bytes]], T] | None:
    """What is asked of names and a path, for this path."""
    return None if ask is None else lambda names: ask(names, path)


def apply_file(diff: FileDiff, tree: TreeReader, tools: Tools) -> Answer:
    """Applies one file diff; the changes hold only what differs from the tree."""
    return HANDLERS[diff.kind](diff, tree, tools)


def too_much(diff: FileDiff) -> FileResult:
    """The refusal of a file that the series changes too often."""
    sentence = f"{diff.path} is changed so often that applying all of it would take too long; give a shorter series."
    return _reject(diff, "too-much-work", sentence)


def base_of(diff: FileDiff, tree: TreeReader) -> Blob | None:
    """The file that the diff was made on, when the store has it."""
    if not diff.old_oid or not diff.old_oid.strip("0"):
        return None
    return tree.blob(diff.old_oid)


def find_file(path: str, tree: TreeReader, base: Blob | None) -> Found | None:
    """The file at `path`, or where it lives in this tree."""
    blob = tree.read(path)
    if blob is not None:
        return Found(path, blob)
    for moved in tree.moved_to(path, base):
        blob = tree.read(moved)
        if blob is None:
            continue
        note = f"{path} is {moved} in this tree."
        same = base is not None and base.data == blob.data
        return Found(moved, blob, note, "" if same else f"the file was found as {moved} {BY_LIKENESS}")
    return None


def _modify(diff: FileDiff, tree: TreeReader, tools: Tools) -> Answer:
    base = base_of(diff, tree)
    found = find_file(diff.path, tree, base)
    if found is None:
        return _reject(diff, "file-not-found", f"{diff.path} is not in this tree, and nothing like it was found."), {}
    refused = _refused(diff, found.blob)
    if refused:
        return _reject(diff, *refused, path=found.path), {}
    applied = _apply(diff, found.path, found.blob, base, tools)
    mode = diff.new_mode if diff.new_mode and diff.new_mode != diff.old_mode else found.blob.mode
    changes: Changes = {}
    if applied.data != found.blob.data or mode != found.blob.mode:
        changes[found.path] = Change(applied.data, mode)
    return _summary(diff, found, applied, more=mode != found.blob.mode), changes


def _refused(diff: FileDiff, blob: Blob) -> tuple[str, str] | None:
    if diff.binary:
        return "binary-file", f"{diff.path} is changed as a binary file; put the new file in place by hand."
    if blob.mode not in (REGULAR, EXECUTABLE):
        return "not-a-file", f"{diff.path} is a link or a submodule in this tree; nothing is written through it."
    return None


def _apply(diff: FileDiff, path: str, blob: Blob, base: Blob | None, tools: Tools) -> Applied:
    if diff.new_oid and len(diff.new_oid) == 40 and diff.new_oid == blob.oid:
        return Applied(blob.data, _as_already(diff))
    if not diff.hunks:
        return Applied(blob.data, ())
    held = tools.withheld.get(id(diff), {})
    key = id(diff), path, blob.data, base.data if base else None, tuple(held)
    if key not in tools.known:
        # The diff is kept too: its identity must not become another one's.
        tools.known[key] = diff, _climbed(diff, path, blob, base, tools, held)
    return tools.known[key][1]


def _climbed(
    diff: FileDiff, path: str, blob: Blob, base: Blob | None, tools: Tools, held: Mapping[int, Refusal]
) -> Applied:
    return apply_hunks(
        diff.hunks,
        blob.data,
        base.data if base else None,
        differ=tools.differ,
        rungs=tools.rungs,
        strangers=bound(tools.strangers, path),
        renamed=bound(tools.renamed, path),
        withheld=held,
    )


def _as_already(diff: FileDiff) -> tuple[HunkResult, ...]:
    return tuple(HunkResult(hunk, Placement(Rung.ALREADY_APPLIED, max(1, hunk.new_start))) for hunk in diff.hunks)


def _add(diff: FileDiff, tree: TreeReader, _tools: Tools) -> Answer:
    named = diff.new_path or ""
    path = tree.home_of(named)
    if diff.binary:
        return _reject(diff, *(_refused(diff, Blob("", REGULAR, b"")) or ("", ""))), {}
    data, mode = _all_text(diff, "+"), diff.new_mode or REGULAR
    present = tree.read(path)
    if present is None:
        placed = tuple(HunkResult(hunk, Placement(Rung.EXACT, 1)) for hunk in diff.hunks)
        note = "" if path == named else f"{named} is new; in this tree it belongs at {path}."
        return FileResult(diff, path, Outcome.APPLIED, placed, Rung.EXACT, note), {path: Change(data, mode)}
    if present.data == data:
        return _already(diff, f"{path} is in this tree already, with the same content."), {}
    return _reject(diff, "exists-already", f"{path} is in this tree already, with other content.", path=path), {}


def _all_text(diff: FileDiff, tag: str) -> bytes:
    return b"".join(line.text for hunk in diff.hunks for line in hunk.lines if line.tag == tag)


def _delete(diff: FileDiff, tree: TreeReader, _tools: Tools) -> Answer:
    base = base_of(diff, tree)
    found = find_file(diff.path, tree, base)
    if found is None:
        return _already(diff, f"{diff.path} is not in this tree, so there is nothing to delete."), {}
    expected = _all_text(diff, "-") if diff.hunks else (base.data if base else None)
    same = found.blob.oid == diff.old_oid or (not diff.binary and expected == found.blob.data)
    if not same:
        return _reject(
            diff,
            "changed-before-delete",
            f"{found.path} differs from the file that the patch deletes.",
            path=found.path,
        ), {}
    placed = tuple(HunkResult(hunk, Placement(Rung.EXACT, 1)) for hunk in diff.hunks)
    result = FileResult(
        diff, found.path, Outcome.APPLIED, placed, Rung.EXACT, found.note, (found.doubt,) if found.doubt else ()
    )
    return result, {found.path: Change(None)}


def _rename(diff: FileDiff, tree: TreeReader, tools: Tools) -> Answer:
    old, new = diff.old_path or "", diff.new_path or ""
    source, taken = tree.read(old), tree.read(new)
    if source is not None and taken is not None:
        return _reject(diff, "exists-already", f"{new}, the new name of {old}, is in this tree already."), {}
    if source is None:
        return _renamed_before(diff, taken is not None, tree, tools)
    applied = _moved(diff, Found(old, source), tree, tools)
    if isinstance(applied, FileResult):
        return applied, {}
    result, change = applied
    return result, {old: Change(None), new: change}


def _renamed_before(diff: FileDiff, is_there: bool, tree: TreeReader, tools: Tools) -> Answer:
    """The file has its new name, or another one, in this tree: only its text is changed, where it is."""
    path = (diff.new_path if is_there else diff.old_path) or ""
    if not diff.hunks and is_there:
        return _already(diff, f"{path} has its new name in this tree already."), {}
    text_only = replace(diff, kind=FileKind.MODIFY, old_path=path, new_path=path)
    result, changes = _modify(text_only, tree, tools)
    note = f"{path} has its new name in this tree already." if is_there else result.note
    return replace(result, diff=diff, note=note), changes


def _moved(diff: FileDiff, source: Found, tree: TreeReader, tools: Tools) -> FileResult | tuple[FileResult, Change]:
    refused = _refused(diff, source.blob) if diff.hunks or diff.binary else None
    if refused:
        return _reject(diff, *refused)
    applied = _apply(diff, source.path, source.blob, base_of(diff, tree), tools)
    result = _summary(diff, replace(source, path=diff.new_path or ""), applied, more=True)
    return result, Change(applied.data, diff.new_mode or source.blob.mode)


def _copy(diff: FileDiff, tree: TreeReader, tools: Tools) -> Answer:
    old, new = diff.old_path or "", diff.new_path or ""
    found = find_file(old, tree, base_of(diff, tree))
    if found is None:
        return _reject(diff, "file-not-found", f"{old}, which the patch copies, is not in this tree."), {}
    made = _moved(diff, found, tree, tools)
    if isinstance(made, FileResult):
        return made, {}
    result, change = made
    present = tree.read(new)
    if present is None:
        return result, {new: change}
    if present.data == change.data:
        return _already(diff, f"{new} is in this tree already, with the same content."), {}
    return _reject(diff, "exists-already", f"{new} is in this tree already, with other content."), {}


def _summary(diff: FileDiff, found: Found, applied: Applied, *, more: bool) -> FileResult:
    """The file's result; `more` says that something besides its text changes."""
    doubts = (*((found.doubt,) if found.doubt else ()), *applied.doubts)
    outcome = file_outcome(len(applied.hunks), applied.landed, applied.rejected, more=more)
    rung = highest(hunk.placement.rung for hunk in applied.hunks if hunk.placement)
    if rung in (None, Rung.ALREADY_APPLIED) and outcome is Outcome.APPLIED:
        rung = Rung.EXACT
    return FileResult(diff, found.path, outcome, applied.hunks, rung, found.note, doubts)


def file_outcome(hunks: int, landed: int, rejected: int, *, more: bool) -> Outcome:
    """The outcome of so many hunks, of which so many changed something or found no place."""
    if rejected:
        return Outcome.PARTLY_APPLIED if landed or (more and rejected < hunks) else Outcome.CONFLICT
    return Outcome.APPLIED if landed or more else Outcome.ALREADY_APPLIED


def highest(rungs: Iterable[Rung]) -> Rung | None:
    """The least trusted of these rungs, or None."""
    return max(rungs, key=RUNG_ORDER.index, default=None)


def _already(diff: FileDiff, note: str) -> FileResult:
    path = diff.new_path or diff.path
    return FileResult(diff, path, Outcome.ALREADY_APPLIED, _as_already(diff), Rung.ALREADY_APPLIED, note)


def _reject(diff: FileDiff, code: str, sentence: str, *, path: str = "") -> FileResult:
    hunks = tuple(HunkResult(hunk, rejection=Rejection(code, sentence)) for hunk in diff.hunks)
    return FileResult(diff, path or diff.path, Outcome.CONFLICT, hunks, note=sentence, code=code)


HANDLERS: dict[FileKind, Callable[[FileDiff, TreeReader, Tools], Answer]] = {
    FileKind.MODIFY: _modify,
    FileKind.MODE: _modify,
    FileKind.ADD: _add,
    FileKind.DELETE: _delete,
    FileKind.RENAME: _rename,
    FileKind.COPY: _copy,
}
