"""The target has other names for the same things; the hunk is read in the target's names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backports.engine.result import Rung

from . import adjacent, block, fuzz, offset, three_way, token
from .context import FileContext, Landing, Refusal

RUNGS = (offset.place, three_way.place, adjacent.place, block.place, fuzz.place, token.place)


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands where the hunk lands once its names are the target's."""
    spoken = context.read_in() if context.dialect else None
    if spoken is None:
        return None
    told = context.dialect.told(line.text for line in context.hunks[number].lines)
    for rung in RUNGS if told else ():
        answer = rung(spoken, number)
        if isinstance(answer, Landing):
            placement = replace(answer.placement, rung=Rung.DIALECT)
            return replace(answer, placement=placement, doubt=_doubt(told))
    return None


def _doubt(told: Sequence[tuple[bytes, bytes]]) -> str:
    shown = ", ".join(f"{old.decode('latin-1')} as {new.decode('latin-1') or 'nothing'}" for old, new in told[:6])
    return f"its names were put into the target's: {shown}"


def reword(context: FileContext, landing: Landing) -> Landing:
    """A landing whose added lines use names that the target has others for, in those."""
    if not landing.edits or not context.dialect:
        return landing
    edits = tuple(replace(edit, lines=tuple(context.spoken(line) for line in edit.lines)) for edit in landing.edits)
    if edits == landing.edits:
        return landing
    told = context.dialect.told(line for edit in landing.edits for line in edit.lines)
    return replace(landing, edits=edits, placement=replace(landing.placement, rung=Rung.DIALECT), doubt=_doubt(told))
