"""The preimage stands whole at the line that the hunk names."""

from __future__ import annotations

from backports.engine.locate import block_at
from backports.engine.result import Placement, Rung

from .context import FileContext, Landing, Refusal
from .offset import better_named


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands where the header says, unless base or function show that twin code stands there."""
    start, preimage = context.named(number), context.shapes[number].preimage
    if not preimage:
        return _insert(context, number, start)
    if not block_at(context.index.lines, preimage, start) or not context.anchored(number, start, len(preimage)):
        return None
    if better_named(context, number, start):
        return None
    mapped = context.mapped(number)
    if (mapped is not None and mapped != start) or not context.fits(number, start, len(preimage)):
        return None
    return Landing(Placement(Rung.EXACT, start + 1), start, start + len(preimage), context.edits_at(number, start))


def _insert(context: FileContext, number: int, start: int) -> Landing | Refusal | None:
    """Lines added without any context: their place is known only in the very file that they were made on."""
    same = context.base_map is not None and not context.base_map.edits
    if (same or not context.index.lines) and context.fits(number, start, 0):
        return Landing(Placement(Rung.EXACT, start + 1), start, start, context.edits_at(number, start))
    return Refusal(
        "no-context",
        "The hunk adds lines without any context, so nothing tells where they belong; make the patch with context.",
        min(start, len(context.index.lines)),
    )
