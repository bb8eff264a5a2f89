"""The target changed lines right beside the hunk's, but none of its own.

A three-way merge by git's rule takes edits that touch for a conflict. Here every line that the hunk
removes stands unmodified and unbroken in the target, and every insertion has one unmodified neighbour,
or falls into a block that the target lacks as a whole. Entries of a numbered list go on from the target's numbers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from backports.engine.locate import is_heading
from backports.engine.merge import BaseMap, Run
from backports.engine.result import Rung
from backports.engine.tree import Edit

from . import chunkwise, layout
from .context import FileContext, Landing, Refusal, Replace
from .numbered import by_number

DOUBT = "the target differs in lines right beside the changed ones"
RENUMBERED = "what it adds to a numbered list got the target's next numbers"


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands run by run beside the target's own changes."""
    settlers = (partial(by_number, context.base_runs(number)), by_lines, layout.by_declarations)
    answer = chunkwise.place(context, number, settlers, Rung.ADJACENT, DOUBT)
    if not isinstance(answer, Landing):
        return answer
    own = {line for edit in answer.edits for line in edit.lines}.difference(context.shapes[number].added)
    return replace(answer, doubt=RENUMBERED) if own else answer


def by_lines(run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """The target's lines that a run replaces, or None when they were changed or their place is open."""
    if run.start < run.stop:
        start = base_map.whole(run.start, run.stop)
        return None if start is None else [Replace(start, start + run.stop - run.start, run.lines, order)]
    start = base_map.gap(run.start)
    if start is None:
        start = collapsed(run, base_map)
    if start is None or layout.is_late(run, base_map, start):
        return None
    return [replace(layout.parted(run, base_map, start), run=order)]


def collapsed(run: Run, base_map: BaseMap) -> int | None:
    """Where an insertion into a block belongs that the target lacks as a whole, and outside any function of it.

    A missing block may be shown shifted by lines that its two ends share; of those shifts the one
    is taken that leaves most of the insertion's own neighbours beside it.
    """
    edit = next((base_map.edits[at] for at in base_map.touching(run.start, run.start)), None)
    if edit is None or edit.new_start != edit.new_stop or not edit.old_start < run.start < edit.old_stop:
        return None
    if _inside_function(run, edit, base_map):
        return None
    above, below = base_map.base[run.start - 1], base_map.base[run.start] if run.start < len(base_map.base) else b""
    target = base_map.target
    return max(
        _shifts(edit, base_map),
        key=lambda at: (2 * (at > 0 and target[at - 1] == above) + (at < len(target) and target[at] == below), at),
    )


def _inside_function(run: Run, edit: Edit, base_map: BaseMap) -> bool:
    first = next((line for line in run.lines if line.strip()), b"")
    opened = any(is_heading(line) or line[:1] == b"{" for line in base_map.base[edit.old_start : run.start])
    return opened and first[:1].isspace()


def _shifts(edit: Edit, base_map: BaseMap) -> list[int]:
    found = [edit.new_start]
    base = base_map.base
    for step in range(1, 4):
        low, high = edit.old_start + step - 1, edit.old_stop + step - 1
        if high >= len(base) or base[low] != base[high]:
            break
        found.append(edit.new_start + step)
    for step in range(1, 4):
        low, high = edit.old_start - step, edit.old_stop - step
        if low < 0 or base[low] != base[high]:
            break
        found.append(edit.new_start - step)
    return found
