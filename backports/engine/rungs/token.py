"""Target and hunk changed different words of the same lines."""

from __future__ import annotations

from functools import partial

from backports.engine.locate import split_lines
from backports.engine.merge import BaseMap, Run, chunks
from backports.engine.result import Rung
from backports.engine.tokens import MAX_TOKENS, holds_words, merge_words
from backports.engine.tree import LineDiffer

from . import chunkwise
from .adjacent import by_lines
from .block import by_block
from .context import FileContext, Landing, Refusal, Replace
from .layout import by_declarations, lined_up
from .rest import by_rest

DOUBT = "the target changed other words of the same lines; both changes were merged word by word"


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands run by run: by lines where lines suffice, by words where they do not."""
    settlers = (by_lines, by_declarations, by_rest, by_block, partial(by_words, context.differ))
    return chunkwise.place(context, number, settlers, Rung.TOKEN, DOUBT)


def by_words(differ: LineDiffer, run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """The lines of the run's chunk that a merge by words changes."""
    chunk = chunks([run], base_map)[0]
    if max(chunk.base_stop - chunk.base_start, chunk.stop - chunk.start) > MAX_TOKENS:
        return None
    ours = base_map.target[chunk.start : chunk.stop]
    base = base_map.base[chunk.base_start : chunk.base_stop]
    sides = b"".join(base), b"".join(ours), b"".join(chunk.theirs)
    if holds_words(*sides, differ):
        return []
    merged = merge_words(*sides, differ)
    if merged is None:
        return None
    lines = lined_up(split_lines(merged), chunk.theirs, ours)
    if lines == list(ours):
        return []
    head = tail = 0
    most = min(len(ours), len(lines))
    while head < most and ours[head] == lines[head]:
        head += 1
    while tail < most - head and ours[-1 - tail] == lines[-1 - tail]:
        tail += 1
    return [Replace(chunk.start + head, chunk.stop - tail, tuple(lines[head : len(lines) - tail]), order)]
