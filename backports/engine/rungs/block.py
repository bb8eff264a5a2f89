"""The hunk removes a whole block that reads a little differently in the target."""

from __future__ import annotations

from backports.engine.merge import BaseMap, Run
from backports.engine.result import Rung

from . import chunkwise
from .adjacent import by_lines
from .context import FileContext, Landing, Refusal, Replace

DOUBT = "the block that it removes reads a little differently in the target; it was removed as it stands there"
MIN_LINES = 5
MIN_SHARE = 0.7
MAX_OWN = 0.2


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands when both ends of the block stand in the target with most of its lines between them."""
    return chunkwise.place(context, number, (by_lines, by_block), Rung.BLOCK, DOUBT)


def by_block(run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """The target's lines between the ends of a removed block, when they are mostly the block's own."""
    if run.lines or run.stop - run.start < MIN_LINES:
        return None
    first, last = base_map.whole(run.start, run.start + 1), base_map.whole(run.stop - 1, run.stop)
    if first is None or last is None:
        return None
    kept = sum(base_map.whole(at, at + 1) is not None for at in range(run.start, run.stop))
    own = last + 1 - first - kept
    mostly = kept >= MIN_SHARE * (run.stop - run.start) and own <= MAX_OWN * kept
    return [Replace(first, last + 1, (), order)] if mostly else None
