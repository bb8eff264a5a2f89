"""The preimage stands whole in several places, or in another function: the nearest, for review."""

from __future__ import annotations

from backports.engine.verify import is_anchor

from .context import FileContext, Landing, Refusal
from .offset import candidates, landing


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands where `git apply` would, and says that a person must look."""
    found = candidates(context, number)
    if not found:
        return _misplaced(context, number)
    expected = context.expected(number)
    found.sort(key=lambda start: (context.in_function(number, start) is False, abs(start - expected)))
    best = found[0]
    if not is_anchor(context.shapes[number].preimage):
        return Refusal(
            "ambiguous",
            f"The lines that it expects are too common to place it by; they stand in {len(found)} places.",
            best,
        )
    if context.in_function(number, best) is False and context.names_a_function(number):
        return Refusal("other-function", "Its lines stand whole only in another function than the one it is for.", best)
    if len(found) == 1:
        return landing(context, number, best, "its lines stand in a function of another name")
    return landing(context, number, best, f"its lines stand in {len(found)} places; the nearest was taken")


def _misplaced(context: FileContext, number: int) -> Refusal | None:
    found = context.index.find(context.shapes[number].preimage, context.expected(number))
    if not found:
        return None
    return Refusal(
        "overlapping",
        "The lines that it expects stand only where another hunk landed, out of order, or away from the file's edge.",
        found[0],
    )
