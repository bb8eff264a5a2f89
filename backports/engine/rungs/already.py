"""The target holds the hunk's change already."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from backports.engine.locate import block_at
from backports.engine.result import Placement, Rung
from backports.engine.verify import any_distinctive, is_anchor, is_distinctive

from .context import FileContext, Landing, Refusal, Replace

LABEL = re.compile(rb"\s*(?!default\b)[A-Za-z_]\w*:\s*$")
PARTLY_THERE = "some of the lines that it adds stood there already; the rest was added"


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands without any edit when the postimage stands whole and the preimage has no better claim."""
    shape = context.shapes[number]
    if not _tells(context, number, shape.lead + shape.trail):
        return None
    found = _postimages(context, number, 0, len(shape.postimage))
    if not found:
        return None
    best = min(found, key=lambda start: _rank(context, number, start))
    preimages = context.index.find(shape.preimage, context.expected(number))
    if any(_rank(context, number, start) <= _rank(context, number, best) for start in preimages):
        return None
    return landing(context, number, best, len(shape.postimage))


def place_loosely(context: FileContext, number: int, lead: int, trail: int) -> Landing | None:
    """The same with `lead` and `trail` context lines given up: only distinctive added lines, in one place."""
    shape = context.shapes[number]
    if not any_distinctive(shape.added):
        return None
    found = _postimages(context, number, lead, len(shape.postimage) - trail)
    if len(found) > 1:
        found = [start for start in found if context.in_function(number, start)]
    if len(found) != 1 or context.in_function(number, found[0]) is False:
        return None
    return landing(context, number, found[0], len(shape.postimage) - lead - trail, lead)


def _tells(context: FileContext, number: int, context_lines: int) -> bool:
    """Whether finding the postimage would prove anything."""
    shape = context.shapes[number]
    if not shape.added:
        return bool(shape.lead and shape.trail) and any_distinctive(shape.removed) and is_anchor(shape.postimage)
    moved = context.removed_lines
    if any_distinctive(shape.added) and not any_distinctive(line for line in shape.added if line not in moved):
        return False
    return any_distinctive(shape.added) or (context_lines > 2 and is_anchor(shape.postimage))


def _postimages(context: FileContext, number: int, start: int, stop: int) -> list[int]:
    block = context.shapes[number].postimage[start:stop]
    found = context.index.find(block, context.expected(number) + start)
    found = [at for at in found if context.fits(number, at, len(block))]
    if not found or context.shapes[number].added:
        return found
    lead = context.shapes[number].lead
    return [at for at in _without_the_removed(context, number, found) if not is_moved(context, number, at + lead)]


def is_moved(context: FileContext, number: int, at: int) -> bool:
    """Whether the target itself put lines that the hunk removes elsewhere into the function of line `at`.

    Lines that the patch adds to that function may stand there.
    """
    if context.base_map is None:
        return False
    low, high = context.index.function_at(at)
    section = context.hunks[number].section
    inside = (shape for shape, hunk in zip(context.shapes, context.hunks, strict=True) if hunk.section == section)
    added = {line for shape in inside for line in shape.added}
    removed = {line for line in context.shapes[number].removed if is_distinctive(line)} - added
    near = (edit for edit in context.base_map.edits if edit.new_start < high and low < edit.new_stop)
    return any(line in removed for edit in near for line in context.index.lines[edit.new_start : edit.new_stop])


def _without_the_removed(context: FileContext, number: int, found: list[int]) -> list[int]:
    """Those of the places where the removed code is gone: from the function, and as a block from everywhere."""
    shape, index = context.shapes[number], context.index
    blocks = (shape.preimage[run.start : run.stop] for run in shape.runs)
    if any(len(block) > 1 and any_distinctive(block) and index.find(block, found[0]) for block in blocks):
        return []
    places = [index.places(line) for line in set(shape.removed) if is_distinctive(line)]
    return [at for at in found if not any(_within(some, *index.function_at(at)) for some in places)]


def _within(places: Sequence[int], low: int, high: int) -> bool:
    """Whether one of the ascending places is in `[low, high)`."""
    at = bisect_left(places, low)
    return at < len(places) and places[at] < high


def _rank(context: FileContext, number: int, start: int) -> tuple[bool, int]:
    return context.in_function(number, start) is False, abs(start - context.expected(number))


def landing(context: FileContext, number: int, start: int, length: int, lead: int = 0) -> Landing:
    """The landing of a change that is there; `start` is where the part that was found begins."""
    line = max(0, start - lead)
    placement = Placement(Rung.ALREADY_APPLIED, line + 1, line - context.named(number))
    return Landing(placement, start, start + length)


def drop_present(context: FileContext, number: int, landing: Landing) -> Landing:
    """The landing without the insertions whose very lines stand beside their place already.

    A diff may show one insertion at several lines, so a merge can take the same insertion for
    another one. Lines that the patch's author had there too are no sign of that.
    """
    kept = tuple(edit for edit in landing.edits if not _is_beside(context, number, edit))
    if len(kept) == len(landing.edits):
        return landing
    if kept:
        return replace(landing, edits=kept, doubt=PARTLY_THERE)
    return replace(landing, edits=(), placement=replace(landing.placement, rung=Rung.ALREADY_APPLIED, fuzz=0))


def without_effect(context: FileContext, landing: Landing) -> Landing:
    """The landing; one whose edits change nothing, for the target has their very lines there, tells that."""
    lines = context.index.lines
    if not landing.edits or any(tuple(lines[edit.start : edit.stop]) != edit.lines for edit in landing.edits):
        return landing
    return replace(landing, edits=(), doubt="", placement=replace(landing.placement, rung=Rung.ALREADY_APPLIED, fuzz=0))


def _is_beside(context: FileContext, number: int, edit: Replace) -> bool:
    added = edit.lines
    if edit.start != edit.stop or set(added) <= context.removed_lines:
        return False
    if not any_distinctive(added) and not any(LABEL.match(line) for line in added):
        return False
    if _are_included(context, added):
        return True
    if not any(_turned(context.index.lines, added, edit.start, before) for before in _turns(len(added))):
        return False
    return not context.author_has(number, added)


def _are_included(context: FileContext, added: tuple[bytes, ...]) -> bool:
    """Whether only headers are included that the target's file includes already, and the author's did not."""
    if not all(line.startswith(b"#include") for line in added) or context.base_map is None:
        return False
    return all(context.index.places(line) for line in added) and not set(added) & set(context.base_map.base)


def _turns(length: int) -> set[int]:
    """How many of the inserted lines to look for above the place; the rest is looked for below."""
    return {turn for turn in (0, 1, 2, length - 2, length - 1, length) if 0 <= turn <= length}


def _turned(lines: Sequence[bytes], added: tuple[bytes, ...], at: int, before: int) -> bool:
    turned = added[len(added) - before :] + added[: len(added) - before]
    return block_at(lines, turned, at - before)
