"""The preimage stands whole, in one place only, at another line."""

from __future__ import annotations

from backports.engine.result import Placement, Rung

from .context import FileContext, Landing, Refusal


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands where the base maps the hunk to, or at the only place; a place in another function is left to others."""
    found = candidates(context, number)
    mapped = context.mapped(number)
    if mapped in found and not better_named(context, number, mapped):
        return landing(context, number, mapped)
    if len(found) > 1:
        found = [start for start in found if context.in_function(number, start)]
    if len(found) != 1 or context.in_function(number, found[0]) is False:
        return None
    return landing(context, number, found[0])


def candidates(context: FileContext, number: int) -> list[int]:
    """Where the whole preimage stands, in order with the other hunks and at the file's edge if made there."""
    preimage, (low, high) = context.shapes[number].preimage, context.bounds(number)
    return [
        start
        for start in context.index.find(preimage, context.expected(number))
        if low <= start <= high - len(preimage) and context.anchored(number, start, len(preimage))
    ]


def better_named(context: FileContext, number: int, start: int | None) -> bool:
    """Whether `start` is in another function than the hunk's while its lines stand whole in the right one too.

    Where a copy of a function was put above it, a diff between base and target may take the copy for the function.
    """
    if start is None or context.in_function(number, start) is not False:
        return False
    return any(context.in_function(number, other) for other in candidates(context, number))


def landing(context: FileContext, number: int, start: int, doubt: str = "") -> Landing:
    """The landing of a whole preimage at `start`."""
    offset = start - context.named(number)
    rung = Rung.OFFSET if offset else Rung.EXACT
    stop = start + len(context.shapes[number].preimage)
    return Landing(Placement(rung, start + 1, offset), start, stop, context.edits_at(number, start), doubt)
