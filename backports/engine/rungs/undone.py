"""The target holds the hunk's change in other surroundings: undoing it would land.

Source of the idea: `patch --reverse`, which takes a patch for applied when its inverse applies. Here the inverse climbs
the merging rungs, with the file as the patch's author left it for a base.
"""

from __future__ import annotations

from backports.engine.result import Rung
from backports.engine.verify import any_distinctive

from . import already, chunkwise
from .adjacent import by_lines
from .context import FileContext, Landing, Refusal


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands without any edit where the inverse hunk would take the added lines away again.

    That lines can be added again is no proof that they were removed, so nothing of those may be left.
    """
    base_map = context.base_map
    if base_map is None or not any_distinctive(context.shapes[number].added):
        return None
    if not all(chunkwise.is_gone(run, base_map) for run in context.base_runs(number)):
        return None
    inverse = context.inverse(base_map)
    answer = chunkwise.place(inverse, number, (by_lines,), Rung.ALREADY_APPLIED, "")
    return _there(context, number, answer) if isinstance(answer, Landing) and answer.edits else None


def _there(context: FileContext, number: int, undoing: Landing) -> Landing | None:
    length = undoing.stop - undoing.start
    if not context.fits(number, undoing.start, length):
        return None
    return already.landing(context, number, undoing.start, length, context.shapes[number].lead)
