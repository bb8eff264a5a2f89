"""The rungs of the ladder, most trusted first. A new rung is one module here and one entry in RUNGS.

Every rung has the signature `place(context, number) -> Landing | Refusal | None`: the landing of
hunk `number` (from 0), or why a place that it saw is refused, or None when it sees none.
"""

from __future__ import annotations

from collections.abc import Callable

from . import adjacent, already, block, dialect, exact, fuzz, nearest, offset, three_way, token, undone, whitespace
from .context import FileContext, Landing, Refusal

__all__ = ["RUNGS", "STRICT_RUNGS", "FileContext", "Landing", "Refusal", "Rungs", "name_of"]

Place = Callable[[FileContext, int], Landing | Refusal | None]
Rungs = tuple[Place, ...]

RUNGS: Rungs = (
    exact.place,
    already.place,
    offset.place,
    three_way.place,
    nearest.place,
    undone.place,
    whitespace.place,
    adjacent.place,
    fuzz.place,
    block.place,
    token.place,
    dialect.place,
)
STRICT_RUNGS: Rungs = (exact.place, offset.place, three_way.place)


def name_of(place: Place) -> str:
    """What a rung is called in a hunk's trail: its module's name, as in `three-way`."""
    return place.__module__.rpartition(".")[2].replace("_", "-")
