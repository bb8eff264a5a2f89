"""A hunk taken apart: each of its change runs is settled on its own against the target's changes.

A settler has the signature `settle(run, base_map, order) -> list[Replace] | None`: the edits that carry the run
out on the target, [] when the target has its change, None when it cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from backports.engine.locate import block_at
from backports.engine.merge import BaseMap, Run, chunks
from backports.engine.result import Placement, Rung
from backports.engine.tree import Edit
from backports.engine.verify import is_distinctive

from . import already
from .context import FileContext, Landing, Refusal, Replace

CASE = re.compile(rb"\s*case\s+\w{4}")
PART = re.compile(rb"[A-Za-z]{4,}")
LANGUAGE = frozenset(
    b"bool break case char const continue default define elif else endif enum error extern false goto ifdef ifndef "
    b"include inline line long null return short signed sizeof static struct switch true typedef uint undef union "
    b"unsigned void volatile while".split()
)
ELSEWHERE = "it is for a function that this tree does not have, and landed in another one"
SHIFT = 3  # lines by which a diff may show an insertion higher or lower
Settle = Callable[[Run, BaseMap, int], list[Replace] | None]


def place(
    context: FileContext, number: int, settlers: Sequence[Settle], rung: Rung, doubt: str
) -> Landing | Refusal | None:
    """Lands by the first settler that takes each run; first by the whole file, then within the hunk's function."""
    refusal: Refusal | None = None
    for base_map in maps(context, number):
        edits = _settle_all(context.base_runs(number), base_map, settlers)
        answer = land(context, number, edits, rung, doubt) if edits else None
        if edits == []:
            answer = _as_there(context, number, base_map)
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
    if chunks([run], base_map)[0].state == "same" or is_there(run, base_map):
        return []
    for settle in settlers:
        found = settle(run, base_map, order)
        if found is not None:
            return found
    return None


def is_there(run: Run, base_map: BaseMap) -> bool:
    """Whether the target's own changes at the place hold the run: the new lines in one of them, the removed gone."""
    edits = [base_map.edits[at] for at in base_map.touching(run.start, run.stop)]
    if not any(_tells(line) for line in run.lines or base_map.base[run.start : run.stop]):
        return False
    return is_gone(run, base_map) and (not run.lines or any(_holds(base_map, edit, run.lines) for edit in edits))


def is_gone(run: Run, base_map: BaseMap) -> bool:
    """Whether nothing is left of what the run removes: where it adds nothing, no line that they became either."""
    edits = [base_map.edits[at] for at in base_map.touching(run.start, run.stop)]
    removed = base_map.base[run.start : run.stop]
    if not removed:
        return True
    kept = set(removed) - set(run.lines)
    new = (line for edit in edits for line in base_map.target[edit.new_start : edit.new_stop])
    if not edits or any(line in kept and _tells(line) for line in new):
        return False
    return _all_dropped(run, base_map, edits) if run.lines else _none_left(run, base_map, edits)


def _tells(line: bytes) -> bool:
    """Whether the line tells code apart where it stands: a case label does within its function."""
    return is_distinctive(line) or CASE.match(line) is not None


def _all_dropped(run: Run, base_map: BaseMap, edits: Sequence[Edit]) -> bool:
    """Whether the target changed or dropped every distinctive line that the run removes."""
    dropped = {at for edit in edits for at in range(max(edit.old_start, run.start), min(edit.old_stop, run.stop))}
    return all(at in dropped for at in range(run.start, run.stop) if _tells(base_map.base[at]))


def _none_left(run: Run, base_map: BaseMap, edits: Sequence[Edit]) -> bool:
    """Whether the target has nothing there that the run's lines could have become: no part of their names."""
    told = [line for line in base_map.base[run.start : run.stop] if _tells(line)]
    new = [line for edit in edits for line in base_map.target[edit.new_start : edit.new_stop]]
    return _all_dropped(run, base_map, edits) and have_nothing_alike(told, new)


def have_nothing_alike(told: Sequence[bytes], own: Sequence[bytes]) -> bool:
    """Whether no names in the lines have a part in common; of one line for one, no words of the language either."""
    common = _parts(told) & _parts(own)
    return common <= (frozenset() if len(told) == len(own) == 1 else LANGUAGE)


def _parts(lines: Iterable[bytes]) -> frozenset[bytes]:
    """What the names in the lines are made of."""
    return frozenset(part.lower() for line in lines for part in PART.findall(line))


def _holds(base_map: BaseMap, edit: Edit, block: tuple[bytes, ...]) -> bool:
    """Whether the block stands in the edit's new lines, or is shown shifted by lines that its two ends share."""
    low, high = max(0, edit.new_start - SHIFT), edit.new_stop + SHIFT - len(block)
    places = (at for at in range(low, high + 1) if block_at(base_map.target, block, at))
    return any(at < edit.new_stop and edit.new_start < at + len(block) for at in places)


def _as_there(context: FileContext, number: int, base_map: BaseMap) -> Landing | None:
    """The landing of a hunk that needs no edit, where it keeps clear of other hunks."""
    runs = context.base_runs(number)
    start, stop = base_map.position(runs[0].start), base_map.position(runs[-1].stop)
    if not context.fits(number, start, max(0, stop - start)):
        return None
    if not context.shapes[number].added and already.is_moved(context, number, start):
        return None
    return already.landing(context, number, start, max(0, stop - start), context.shapes[number].runs[0].start)


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
    elsewhere = not context.names_a_function(number) and context.in_function(number, line) is False
    told = ELSEWHERE if elsewhere else doubt
    return Landing(Placement(rung, line + 1, line - context.named(number)), start, stop, tuple(edits), told)


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
