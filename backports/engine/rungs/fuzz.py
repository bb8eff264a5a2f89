"""Part of the outer context is given up, as GNU patch does with -F1 and -F2, but with guards.

GNU patch takes the first place that fits; here the place must be the only one, in the function
that the hunk names when it names one, in order, and clear of the other hunks.
"""

from __future__ import annotations

from backports.engine.result import Placement, Rung
from backports.engine.verify import is_anchor

from . import already
from .context import FileContext, Landing, Refusal

MAX_FUZZ = 2


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands with the least fuzz that gives one guarded place; records how much was given up."""
    shape = context.shapes[number]
    if not shape.lead and not shape.trail:
        return None
    refusal: Refusal | None = None
    for fuzz in range(1, MAX_FUZZ + 1):
        lead, trail = trimmed(shape.lead, shape.trail, fuzz)
        there = already.place_loosely(context, number, lead, trail)
        if there is not None:
            return there
        answer = _place(context, number, fuzz, (lead, trail))
        if isinstance(answer, Landing):
            return answer
        refusal = refusal or answer
    return refusal


def trimmed(lead: int, trail: int, fuzz: int) -> tuple[int, int]:
    """How many context lines to drop at either end: the longer context loses first (GNU patch's rule)."""
    longest = max(lead, trail)
    return max(0, min(lead, fuzz + lead - longest)), max(0, min(trail, fuzz + trail - longest))


def _place(context: FileContext, number: int, fuzz: int, drop: tuple[int, int]) -> Landing | Refusal | None:
    shape = context.shapes[number]
    block = shape.preimage[drop[0] : len(shape.preimage) - drop[1]]
    if not is_anchor(block):
        return _weak(context, number, block)
    found = [
        start
        for start in context.index.find(block, context.expected(number) + drop[0])
        if context.fits(number, start, len(block))
    ]
    inside = [start for start in found if context.in_function(number, start - drop[0]) is not False]
    if len(inside) != 1:
        return _refuse(found, inside)
    start = inside[0] - drop[0]
    edits = context.edits_at(number, start)
    if context.strange(edits):
        return Refusal("missing-name", "It adds names that the target does not have.", inside[0])
    placement = Placement(Rung.FUZZ, max(0, start) + 1, start - context.named(number), fuzz)
    doubt = f"it fits only with fuzz {fuzz}: {drop[0]} lines of context before it and {drop[1]} after were given up"
    return Landing(placement, inside[0], inside[0] + len(block), edits, doubt)


def _weak(context: FileContext, number: int, block: tuple[bytes, ...]) -> Refusal | None:
    found = context.index.find(block, context.expected(number))
    if not found:
        return None
    return Refusal("ambiguous", "With less context too little is left to tell its place from others.", found[0])


def _refuse(found: list[int], inside: list[int]) -> Refusal | None:
    if inside:
        return Refusal(
            "ambiguous", f"With less context its lines fit in {len(inside)} places; none was taken.", inside[0]
        )
    if found:
        return Refusal(
            "other-function",
            "With less context its lines fit only in a function of another name; it was not taken.",
            found[0],
        )
    return None
