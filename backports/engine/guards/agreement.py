"""Rungs that do not agree: merging by lines is clean and gives another file than the result.

Two ways of applying that see different evidence (the context around a hunk, and what the target
changed since the author's file) are wrong together far less often than either alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from backports.engine.result import Flag, Rung

from .changes import Case


def look(case: Case) -> Iterator[Flag]:
    """`rungs-disagree`: a clean merge with the author's own file puts the change elsewhere.

    What was put into the target's own words differs from such a merge by intention, and so does a file that holds
    hunks of another one's.
    """
    passed = _translated(case) | _joined(case)
    for file in (file for file in case.files if file.path not in passed):
        if file.merged is not None and file.merged != file.ours.after.data:
            lines = [edit.new_start + 1 for edit in file.ours.edits]
            sentence = "merging with the source's own file gives another result than placing the hunks."
            yield Flag("rungs-disagree", sentence, file.path, tuple(lines))


def _joined(case: Case) -> frozenset[str]:
    """Files that hunks of another file's diff went to."""
    hunks = (hunk for patch in case.result.patches for file in patch.files for hunk in file.hunks)
    return frozenset(hunk.placement.path for hunk in hunks if hunk.placement and hunk.placement.path)


def _translated(case: Case) -> frozenset[str]:
    files = (file for patch in case.result.patches for file in patch.files)
    return frozenset(
        file.path
        for file in files
        if any(hunk.placement and hunk.placement.rung is Rung.DIALECT for hunk in file.hunks)
    )
