"""The target holds the hunk's change already."""

from __future__ import annotations

from backports.engine.result import Placement, Rung
from backports.engine.verify import any_distinctive, is_anchor

from .context import FileContext, Landing, Refusal


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
    return any_distinctive(shape.added) or (context_lines > 2 and is_anchor(shape.postimage))


def _postimages(context: FileContext, number: int, start: int, stop: int) -> list[int]:
    block = context.shapes[number].postimage[start:stop]
    found = context.index.find(block, context.expected(number) + start)
    return [at for at in found if context.fits(number, at, len(block))]


def _rank(context: FileContext, number: int, start: int) -> tuple[bool, int]:
    return context.in_function(number, start) is False, abs(start - context.expected(number))


def landing(context: FileContext, number: int, start: int, length: int, lead: int = 0) -> Landing:
    """The landing of a change that is there; `start` is where the part that was found begins."""
    line = max(0, start - lead)
    placement = Placement(Rung.ALREADY_APPLIED, line + 1, line - context.named(number))
    return Landing(placement, start, start + length)
