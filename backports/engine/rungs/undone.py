"""The target holds the hunk's change in other surroundings: all that it adds is there, and nothing is left to remove.

Source of the idea: `patch --reverse`, which takes a patch for applied when its inverse applies. Here the question is
asked run by run, with the file as the patch's author left it for a base: what a run adds stands there unbroken, or a
merge by words takes it out and puts it back; what it removes stands there no more often than in the author's file, and
the target has nothing of its own at the place that it could have become.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from backports.engine.align import LIKENESS, Alignment, likeness, words
from backports.engine.dialect import names_of, without_words
from backports.engine.locate import Index, function_name
from backports.engine.merge import BaseMap, Run, chunks
from backports.engine.tokens import MAX_TOKENS, can_be_undone
from backports.engine.tree import LineDiffer
from backports.engine.verify import any_distinctive, is_distinctive

from . import already, chunkwise
from .context import FileContext, Landing, Refusal

MANY = 5  # removed lines: so many are not all said in other words
MAX_LEFT = 0.2  # of those, and of their names; in long code some are so common that they stand there anyway
REACH = 3  # lines beside a removed one in which a neighbour with words is looked for
MAX_PAIRS = 20_000  # of removed lines and the target's own; more are not compared, and nothing is known
MAX_OWN = 60  # lines of the target's own in one edit; more are not looked at one by one


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands without any edit where the change is there, as the hunk says it or in the target's names."""
    found = _place(context, number)
    if found is None and context.base_map and context.dialect:
        told = context.dialect.told(line.text for line in context.hunks[number].lines)
        spoken = context.read_in() if told else None
        found = _place(spoken, number) if spoken else None
    return found


def _place(context: FileContext, number: int) -> Landing | None:
    if context.base_map is None or not _tells(context, number):
        return None
    inverse = context.inverse(context.base_map)
    runs = inverse.base_runs(number)
    for authored in chunkwise.maps(inverse, number):
        in_order = not _moves(context, number) or _keeps(authored, runs)
        if in_order and all(_is_done(context, inverse, authored, run) for run in runs):
            return _there(context, number, inverse, authored)
    return None


def _tells(context: FileContext, number: int) -> bool:
    """Whether finding the change would prove anything."""
    shape = context.shapes[number]
    if shape.added:
        return any_distinctive(shape.added)
    return bool(shape.lead and shape.trail) and any_distinctive(shape.removed)


def _moves(context: FileContext, number: int) -> bool:
    """Whether the hunk removes a line and adds it again, at another place."""
    shape = context.shapes[number]
    return any_distinctive(set(shape.added) & set(shape.removed))


def _keeps(authored: BaseMap, runs: Sequence[Run]) -> bool:
    """Whether the target has a line of those between one run and the next, so that it is told which lines moved.

    Lines cannot stand above a moved one and below it too, so one is enough.
    """
    lines = Alignment(authored)
    between = (
        [at for at in range(one.stop, other.start) if is_distinctive(authored.base[at])]
        for one, other in pairwise(runs)
    )
    return all(not gap or any(lines.at(at) is not None for at in gap) for gap in between)


def _is_done(context: FileContext, inverse: FileContext, authored: BaseMap, undo: Run) -> bool:
    """Whether the target holds the run that `undo` would take back."""
    added = authored.base[undo.start : undo.stop]
    if not b"".join((*added, *undo.lines)).strip():
        return True  # blank lines alone are no change
    if added and authored.whole(undo.start, undo.stop) is None:
        return _by_words(undo, authored, context.differ) and not _left(context, inverse, authored, undo)
    return not undo.lines or _is_gone(context, inverse, authored, undo)


def _by_words(undo: Run, authored: BaseMap, differ: LineDiffer) -> bool:
    """Whether the words that the run adds can be taken out of the target's lines there and put back."""
    chunk = chunks([undo], authored)[0]
    if max(chunk.base_stop - chunk.base_start, chunk.stop - chunk.start) > MAX_TOKENS:
        return False
    ours, left = authored.target[chunk.start : chunk.stop], authored.base[chunk.base_start : chunk.base_stop]
    return can_be_undone(b"".join(chunk.theirs), b"".join(ours), b"".join(left), differ)


def _is_gone(context: FileContext, inverse: FileContext, authored: BaseMap, undo: Run) -> bool:
    """Whether nothing is left of what the run removes, and nothing of the target's own could have come of it."""
    told, own = [line for line in undo.lines if is_distinctive(line)], _own_lines(authored, undo)
    most = MAX_LEFT * len(told) if len(told) >= MANY and undo.start == undo.stop else 0
    if _alike(told, own) > most or _left(context, inverse, authored, undo) > most:
        return False
    told = [line for line in told if line not in inverse.removed_lines]  # the patch adds those again elsewhere
    if undo.start < undo.stop or not told:
        return True
    return (most > 0 or chunkwise.have_nothing_alike(told, own)) and _is_lost(
        context, inverse, authored, undo.start, told
    )


def _alike(removed: Sequence[bytes], own: Sequence[bytes]) -> int:
    """How many removed lines are like one of the target's own; all of them where too many would have to be compared."""
    if len(removed) * len(own) > MAX_PAIRS:
        return len(removed)
    return sum(any(likeness(line, other) >= LIKENESS for other in own) for line in removed)


def _is_lost(context: FileContext, inverse: FileContext, authored: BaseMap, line: int, told: list[bytes]) -> bool:
    """Whether the target's file has, as the author's, no more of the names that the file loses with these lines.

    The code around must be there, or else it is not known whether the lines ever were.
    """
    names = inverse.base_index.lacking(names_of([without_words(one) for one in told]))
    left = names - context.index.lacking(names)
    most = MAX_LEFT * len(names) if len(told) >= MANY else 0
    return len(left) <= most and _is_known(authored, line)


def _is_known(authored: BaseMap, line: int) -> bool:
    """Whether the target has a counterpart of the nearest line with words above the author's `line`, or below."""
    lines, base = Alignment(authored), authored.base
    above = next((at for at in range(line - 1, max(0, line - REACH) - 1, -1) if words(base[at])), -1)
    below = next((at for at in range(line, min(len(base), line + REACH)) if words(base[at])), -1)
    return lines.at(above) is not None or lines.at(below) is not None


def _own_lines(authored: BaseMap, undo: Run) -> list[bytes]:
    """Lines of the target's own beside the run that no line of the author's became."""
    lines = Alignment(authored)
    own: list[bytes] = []
    for edit in (authored.edits[number] for number in authored.touching(undo.start, undo.stop)):
        new = range(edit.new_start, edit.new_stop)
        few = max(len(new), edit.old_stop - edit.old_start) <= MAX_OWN
        taken = {lines.at(line) for line in range(edit.old_start, edit.old_stop)} if few and new else set()
        own += [authored.target[at] for at in new if at not in taken]
    return own


def _left(context: FileContext, inverse: FileContext, authored: BaseMap, undo: Run) -> int:
    """How many of the lines that the run removes stand in the function more often than the author left them there."""
    target, left = context.index, inverse.base_index
    ours, theirs = target.function_at(authored.position(undo.start)), left.function_at(undo.start)
    told = {line for line in undo.lines if is_distinctive(line)}
    return sum(_count(target, line, *ours) > _count(left, line, *theirs) for line in told)


def _count(index: Index, line: bytes, low: int, high: int) -> int:
    places = index.places(line)
    return bisect_left(places, high) - bisect_left(places, low)


def _there(context: FileContext, number: int, inverse: FileContext, authored: BaseMap) -> Landing | None:
    runs = inverse.base_runs(number)
    start, stop = authored.position(runs[0].start), authored.position(runs[-1].stop)
    length = max(0, stop - start)
    if not context.fits(number, start, length):
        return None
    if context.leaves_function(number, start) and not _is_same_function(context, start, inverse, runs[0].start):
        return None
    return already.landing(context, number, start, length, context.shapes[number].lead)


def _is_same_function(context: FileContext, start: int, inverse: FileContext, line: int) -> bool:
    """Whether target line `start` is in the function of the author's `line`, or in one that has another name here."""
    ours, theirs = context.index.heading(start), inverse.base_index.heading(line)
    mine, other = function_name(ours), function_name(theirs)
    if mine == other or not mine or not other:
        return True
    return bool(inverse.base_index.lacking({mine}) and context.index.lacking({other}))
