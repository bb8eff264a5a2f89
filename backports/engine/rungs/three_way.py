"""Line merge against the blob that the patch was made on."""

from __future__ import annotations

from backports.engine.merge import Merged
from backports.engine.result import Placement, Rung

from . import already
from .context import FileContext, Landing, Refusal, Replace


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands when no run of the hunk meets a change of the target's own."""
    merged = context.merged(number)
    if not merged:
        return None
    conflict = next((found for found in merged if found.state == "conflict"), None)
    if conflict is not None:
        return Refusal(
            "touched-by-target",
            "The target changed the same lines, or lines next to them, in its own way.",
            conflict.start,
        )
    return _land(context, number, merged)


def _land(context: FileContext, number: int, merged: list[Merged]) -> Landing | Refusal:
    start, stop = merged[0].start, merged[-1].stop
    if not context.fits(number, start, stop - start):
        return Refusal("overlapping", "Its place in the target is taken by another hunk.", start)
    runs = context.shapes[number].runs
    edits = tuple(
        Replace(found.start, found.stop, run.lines, order)
        for order, (found, run) in enumerate(zip(merged, runs, strict=True))
        if found.state == "clean"
    )
    line = max(0, start - runs[0].start)
    if not edits and not context.shapes[number].added and already.is_moved(context, number, start):
        return Refusal(
            "moved-by-target", "The target moved the lines that the hunk removes; they stand there still.", start
        )
    rung = Rung.THREE_WAY if edits else Rung.ALREADY_APPLIED
    return Landing(Placement(rung, line + 1, line - context.named(number)), start, stop, edits)
