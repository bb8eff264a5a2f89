"""Rungs that do not agree: merging by lines is clean and gives another file than the result.

Two ways of applying that see different evidence (the context around a hunk, and what the target
changed since the author's file) are wrong together far less often than either alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from backports.engine.merge import BaseMap, Run, merge_runs
from backports.engine.result import Flag

from .changes import Case, FileChange


def look(case: Case) -> Iterator[Flag]:
    """`rungs-disagree`: a clean merge with the author's own file puts the change elsewhere."""
    for file in case.files:
        merged = merge(case, file)
        if merged is not None and merged != file.ours.after.lines:
            lines = [edit.new_start + 1 for edit in file.ours.edits]
            sentence = "merging with the source's own file gives another result than placing the hunks."
            yield Flag("rungs-disagree", sentence, file.path, tuple(lines))


def merge(case: Case, file: FileChange) -> list[bytes] | None:
    """The target's lines after a three-way merge of the whole change; None without a base or with a conflict."""
    if file.theirs is None or not file.ours.before.data:
        return None
    base, theirs, ours = file.theirs.before, file.theirs.after, file.ours.before
    if base.data == ours.data:
        return theirs.lines
    runs = [
        Run(0, edit.old_start, edit.old_stop, tuple(theirs.lines[edit.new_start : edit.new_stop]))
        for edit in file.theirs.edits
    ]
    found = merge_runs(runs, BaseMap(base.lines, ours.lines, case.differ(base.data, ours.data)))
    if any(part.state == "conflict" for part in found):
        return None
    out: list[bytes] = []
    at = 0
    for run, part in zip(runs, found, strict=True):
        if part.state == "clean":
            out += ours.lines[at : part.start]
            out += run.lines
            at = part.stop
    return out + ours.lines[at:]
