"""Rungs that do not agree: merging by lines is clean and gives another file than the result.

Two ways of applying that see different evidence (the context around a hunk, and what the target
changed since the author's file) are wrong together far less often than either alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from backports.engine.result import Flag

from .changes import Case


def look(case: Case) -> Iterator[Flag]:
    """`rungs-disagree`: a clean merge with the author's own file puts the change elsewhere."""
    for file in case.files:
        if file.merged is not None and file.merged != file.ours.after.data:
            lines = [edit.new_start + 1 for edit in file.ours.edits]
            sentence = "merging with the source's own file gives another result than placing the hunks."
            yield Flag("rungs-disagree", sentence, file.path, tuple(lines))
