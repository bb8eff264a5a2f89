"""The lines that the hunk removes, or stands between, read a little differently in the target.

Motivated by XSA-60 684b40eb41c3, XSA-280 d96e6290c217 and XSA-456 62844c4415f5, where the older tree has other
names, comments or formats in lines that the fix takes away.
"""

from __future__ import annotations

import re

from backports.engine.align import Alignment, likeness, lost_words, words
from backports.engine.merge import BaseMap, Run
from backports.engine.result import Rung

from . import chunkwise
from .adjacent import by_lines
from .context import FileContext, Landing, Refusal, Replace
from .layout import by_declarations
from .rest import by_rest

DOUBT = "lines that it removes, or stands between, read a little differently in the target"
WORD, INDENT = re.compile(rb"\w"), re.compile(rb"[ \t]*")
MIN_SHARE = 0.7
MAX_OWN = 0.2  # of the removed lines, when only lines are removed and they are LONG or more
LONG = 5
ALIKE = 0.5


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands when every removed line has its counterpart in the target, and nothing else stands between them."""
    return chunkwise.place(context, number, (by_lines, by_declarations, by_rest, by_block), Rung.BLOCK, DOUBT)


def by_block(run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """The target's lines that a run removes, or the place between two lines that the target changed."""
    lines = Alignment(base_map)
    found = _region(run, lines)
    if found is None or not _is_the_block(run, lines, *found) or _is_outdated(run, lines):
        return None
    return [Replace(*found, run.lines, order)]


def _region(run: Run, lines: Alignment) -> tuple[int, int] | None:
    """The target's lines from the counterpart of the first removed line to that of the last.

    Where one of the two has none the counterpart of the line above, or below, tells.
    """
    start, above = lines.at(run.start) if run.start < run.stop else None, lines.at(run.start - 1)
    stop, below = lines.at(run.stop - 1) if run.start < run.stop else None, lines.at(run.stop)
    low = start if start is not None or above is None else above + 1
    high = below if stop is None else stop + 1
    if high is None and low is not None and _ends_paragraph(run, lines, low):
        high = low
    return None if low is None or high is None or low > high else (low, high)


def _ends_paragraph(run: Run, lines: Alignment, at: int) -> bool:
    """Whether lines are added at the end of a paragraph, and target line `at` ends one."""
    ends = run.start == run.stop < len(lines.base) and not lines.base[run.stop].strip()
    return ends and (at == len(lines.target) or not lines.target[at].strip())


def _is_the_block(run: Run, lines: Alignment, low: int, high: int) -> bool:
    """Whether the target's lines `[low, high)` are the removed ones and no others, and none of them is kept changed."""
    places = {line: lines.at(line) for line in range(run.start, run.stop)}
    counterparts = {at for at in places.values() if at is not None}
    own = sum(at not in counterparts and bool(WORD.search(lines.target[at])) for at in range(low, high))
    telling = [line for line in places if WORD.search(lines.base[line])]
    found = sum(places[line] is not None for line in telling)
    if own > (MAX_OWN * found if found >= LONG and not run.lines else 0):
        return False
    if found < MIN_SHARE * len(telling) or (run.start < run.stop and not found):
        return False
    changed = [lines.base[line] for line in telling if lines.is_changed(line)]
    return not any(likeness(old, new) >= ALIKE for old in changed for new in run.lines)


def _is_outdated(run: Run, lines: Alignment) -> bool:
    """Whether the lines beside or among the run's show that the target would say, or indent, what it adds otherwise."""
    near = range(run.start - 1, run.stop + 1)
    lost = {word for line in near if lines.is_changed(line) for word in lost_words(lines, line)}
    if any(_is_reindented(lines, line) for line in near if run.lines):
        return True
    return bool(lost & {word for line in run.lines for word in words(line)})


def _is_reindented(lines: Alignment, line: int) -> bool:
    at = lines.at(line)
    if at is None or not lines.target[at].strip():
        return False
    return INDENT.match(lines.base[line]).group() != INDENT.match(lines.target[at]).group()  # type: ignore[union-attr]
