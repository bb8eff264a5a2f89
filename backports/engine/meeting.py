"""How a fix's changes meet the target's own in the file that the fix was made on.

What a fix rewrites or takes away beside a change of the target's, it finds unmodified, and is nearly always
right. Told here are the ways of meeting that were measured to be wrong more often.
"""

from __future__ import annotations

from .guards.changes import FileChange
from .merge import BaseMap
from .tree import Edit

INSERT_AHEAD = "insert-ahead"
REMOVE_BESIDE = "remove-beside"
OVER_CHANGED = "over-changed"
WAYS = (INSERT_AHEAD, REMOVE_BESIDE, OVER_CHANGED)


def ways(file: FileChange) -> frozenset[str]:
    """Those of WAYS in which the fix's edits touch the target's; none where the author's file is not known."""
    if file.theirs is None or file.drift is None:
        return frozenset()
    own = BaseMap(file.theirs.before.lines, file.ours.before.lines, file.drift.edits)
    met = (_way(fix, own.edits[at]) for fix in file.theirs.edits for at in own.touching(fix.old_start, fix.old_stop))
    return frozenset(way for way in met if way)


def _way(fix: Edit, own: Edit) -> str:
    """How two edits of one text that touch meet; "" for a way that is as good as any.

    `insert-ahead`: lines go in ahead of ones that the target lacks or has otherwise, so that what they were
    put before is not there to tell the place. `remove-beside`: lines go beside ones that the target rewrote.
    `over-changed`: lines are rewritten that the target has otherwise.
    """
    if fix.old_start == fix.old_stop:
        return "" if own.old_start < own.old_stop <= fix.old_start else INSERT_AHEAD
    if own.old_start < fix.old_stop and fix.old_start < own.old_stop:
        return OVER_CHANGED if fix.new_start < fix.new_stop else ""
    if fix.new_start == fix.new_stop and own.old_start < own.old_stop and own.new_start < own.new_stop:
        return REMOVE_BESIDE
    return ""
