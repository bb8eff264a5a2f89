"""A run of which the target has a part already, or lacks a part of what it removes: the rest is carried out.

Motivated by XSA-398 3c8e7395e2d0 and XSA-222 50ee10e22cde, where the older tree reads as fixed at one end of the
run, by XSA-499 2881e008a7ab, where it lacks the `#ifdef` around the removed lines, and by XSA-231 2fece3530352, where
lines of its own stand between the removed line and the blank one after it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from backports.engine.merge import BaseMap, Run
from backports.engine.tokens import TOKEN, balance
from backports.engine.tree import Edit
from backports.engine.verify import any_distinctive

from .context import Replace

OPENS, CLOSES = re.compile(rb"\s*#\s*if"), re.compile(rb"\s*#\s*endif")


def by_rest(run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """The edit that carries out what is left of the run, or None when that cannot be told."""
    inner = [base_map.edits[at] for at in base_map.touching(run.start, run.stop)]
    inner = [edit for edit in inner if edit.old_start < run.stop and run.start < edit.old_stop]
    found = _beside_done(run, base_map, inner)
    if found is None and not run.lines:
        found = _without_missing(run, base_map, inner) or _without_blank(run, base_map)
    return None if found is None else [replace(found, run=order)]


def _beside_done(run: Run, base_map: BaseMap, inner: Sequence[Edit]) -> Replace | None:
    """The rest of a run of which the target has changed the first or last lines as the run does, line for line."""
    if not inner:
        return None
    head, tail = _done_head(run, base_map, inner[0]), _done_tail(run, base_map, inner[-1])
    start, stop = run.start + head, run.stop - tail
    if start >= stop or head + tail > len(run.lines) or not any_distinctive(run.lines[:head] + _last(run.lines, tail)):
        return None
    at = base_map.whole(start, stop)
    return None if at is None else Replace(at, at + stop - start, run.lines[head : len(run.lines) - tail])


def _done_head(run: Run, base_map: BaseMap, edit: Edit) -> int:
    new, size = _new(base_map, edit), edit.old_stop - edit.old_start
    return size if edit.old_start == run.start and len(new) == size and new == run.lines[:size] else 0


def _done_tail(run: Run, base_map: BaseMap, edit: Edit) -> int:
    new, size = _new(base_map, edit), edit.old_stop - edit.old_start
    return size if edit.old_stop == run.stop and len(new) == size and new == _last(run.lines, size) else 0


def _new(base_map: BaseMap, edit: Edit) -> tuple[bytes, ...]:
    return tuple(base_map.target[edit.new_start : edit.new_stop])


def _last(lines: tuple[bytes, ...], count: int) -> tuple[bytes, ...]:
    return lines[len(lines) - count :]


def _without_missing(run: Run, base_map: BaseMap, inner: Sequence[Edit]) -> Replace | None:
    """What the target has of the removed lines, when it only lacks the others, and brackets stay whole."""
    if not inner or any(edit.new_start < edit.new_stop for edit in inner):
        return None
    gone = {line for edit in inner for line in range(max(edit.old_start, run.start), min(edit.old_stop, run.stop))}
    kept = [line for line in range(run.start, run.stop) if line not in gone]
    left, lost = ([base_map.base[line] for line in some] for some in (kept, sorted(gone)))
    if not any_distinctive(left) or not (_is_whole(left) or _is_whole(lost)):
        return None
    first, last = base_map.whole(kept[0], kept[0] + 1), base_map.whole(kept[-1], kept[-1] + 1)
    if first is None or last is None or last - first + 1 != len(kept):
        return None
    return Replace(first, last + 1, ())


def _is_whole(lines: Sequence[bytes]) -> bool:
    """Whether every bracket and every conditional that the lines open they close, too."""
    opened = sum(bool(OPENS.match(line)) for line in lines) - sum(bool(CLOSES.match(line)) for line in lines)
    return not opened and not any(balance(TOKEN.findall(b"".join(lines))).values())


def _without_blank(run: Run, base_map: BaseMap) -> Replace | None:
    """The removed lines without the blank ones at their end, which part the target's own lines from the next."""
    stop = run.stop
    while stop > run.start and not base_map.base[stop - 1].strip():
        stop -= 1
    at = base_map.whole(run.start, stop) if stop < run.stop else None
    return None if at is None else Replace(at, at + stop - run.start, ())
