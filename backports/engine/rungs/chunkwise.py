"""A hunk taken apart: each of its change runs is settled on its own against the target's changes.

A settler has the signature `settle(run, base_map, order) -> list[Replace] | None`: the edits that carry the run
out on the target, [] when the target has its change, None when it cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from backports.engine.merge import BaseMap, Run, chunks
from backports.engine.result import Placement, Rung
from backports.engine.verify import is_distinctive

from .context import FileContext, Landing, Refusal, Replace

Settle = Callable[[Run, BaseMap, int], list[Replace] | None]


def place(
    context: FileContext, number: int, settlers: Sequence[Settle], rung: Rung, doubt: str
) -> Landing | Refusal | None:
    """Lands by the first settler that takes each run; first by the whole file, then within the hunk's function."""
    refusal: Refusal | None = None
    for base_map in maps(context, number):
        edits = _settle_all(context.base_runs(number), base_map, settlers)
        answer = land(context, number, edits, rung, doubt) if edits else None
        if isinstance(answer, Landing):
            return answer
        refusal = refusal or answer
    return refusal


def maps(context: FileContext, number: int) -> Iterator[BaseMap]:
    """The base maps to try: of the file, and of the function that holds the hunk in both files."""
    if context.base_map is None or not context.shapes[number].runs:
        return
    yield context.base_map
    scoped = context.scoped(number)
    if scoped is not None:
        yield scoped


def _settle_all(runs: Sequence[Run], base_map: BaseMap, settlers: Sequence[Settle]) -> list[Replace] | None:
    edits: list[Replace] = []
    for order, run in enumerate(runs):
        found = _settle(run, base_map, order, settlers)
        if found is None:
            return None
        edits += found
    return edits


def _settle(run: Run, base_map: BaseMap, order: int, settlers: Sequence[Settle]) -> list[Replace] | None:
    if chunks([run], base_map)[0].state == "same":
        return []
    for settle in settlers:
        found = settle(run, base_map, order)
        if found is not None:
            return found
    return None


def land(context: FileContext, number: int, edits: list[Replace], rung: Rung, doubt: str) -> Landing | Refusal:
    """The landing of edits in order, when they keep clear of other hunks, in the function, and repeat no line."""
    start, stop = edits[0].start, edits[-1].stop
    in_order = all(one.stop <= other.start for one, other in pairwise(edits))
    if not in_order or not context.fits(number, start, stop - start):
        return Refusal("overlapping", "Its place in the target is taken by another hunk.", start)
    line = max(0, start - context.shapes[number].runs[0].start)
    if context.leaves_function(number, start):
        return Refusal("other-function", "Its place is in a function of another name.", start)
    if any(repeats(context, number, edit) for edit in edits):
        return Refusal("duplicate-line", "A line that it adds would stand there twice in a row.", start)
    if context.strange(edits):
        return Refusal("missing-name", "It adds names that the target does not have.", start)
    return Landing(Placement(rung, line + 1, line - context.named(number)), start, stop, tuple(edits), doubt)


def repeats(context: FileContext, number: int, edit: Replace) -> bool:
    """Whether an added line would stand beside its own twin, which it does not in the patch's own result."""
    lines, post = context.index.lines, context.shapes[number].postimage
    pairs = []
    if edit.lines and edit.start:
        pairs.append((lines[edit.start - 1], edit.lines[0]))
    if edit.lines and edit.stop < len(lines):
        pairs.append((edit.lines[-1], lines[edit.stop]))
    meant = set(pairwise(post))
    return any(
        one == other and (is_distinctive(one) or b"return" in one) and (one, other) not in meant for one, other in pairs
    )
