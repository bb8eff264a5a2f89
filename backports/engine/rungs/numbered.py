"""Entries added to a list that numbers them, and the count below it: the numbers go on from the target's own.

Motivated by XSA-254 c513244d8e5b and XSA-398 eed4a84a83f8, where the older branch has used other numbers, or fewer, and
by the mistake that a merge makes there: two names for one slot. Numbers that both trees share, as those of a public
interface, are left alone: something must show that the target counts for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backports.engine.align import Alignment
from backports.engine.merge import BaseMap, Run

from .context import Replace

ENTRY = re.compile(rb"(\s*(?:#\s*define\s+|\w+\(\s*)([A-Za-z_]\w*)\b.*?)(\d+)(\)?,?\s*)$")
COMMENT, PART = re.compile(rb"\s*/\*.*\*/\s*$"), re.compile(rb"\w+|[^\w\s]")
WIDTH = 32  # bits of a word of flags: a slot beyond it belongs into another word
REACH = 16  # entries at the end of the author's list of which the target may lack some
MAX_LIST = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a numbered list: its name and slot, the slot's place in the line, and what such lines share."""

    name: bytes
    slot: int
    span: tuple[int, int]
    shape: tuple[bytes, ...]


def entry_of(line: bytes) -> Entry | None:
    """The line as an entry, or None when it is none."""
    found = ENTRY.match(COMMENT.sub(b"", line.rstrip(b"\n")))
    if found is None:
        return None
    head, name, slot, tail = found.groups()
    return Entry(name, int(slot), found.span(3), tuple(part for part in PART.findall(head + tail) if part != name))


def by_number(runs: Sequence[Run], run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """The entries with the target's next numbers at the end of its list, or the count that goes with them.

    `runs` are all of the hunk; [] when the target's list has the names. None too where the numbers are the author's.
    """
    if run.start < run.stop:
        return _counted(runs, run, base_map, order)
    wanted = _appended(run, base_map.base)
    last = _end_of_list(wanted, run, base_map) if wanted else None
    if last is None:
        return None
    theirs, ours = (_list_above(lines, at, wanted[0]) for lines, at in _ends(run, base_map, last))
    if {entry.name for entry in wanted} <= ours.keys():
        return []
    step = next(iter(ours.values())) + 1 - wanted[0].slot
    if not step or not (_counts_itself(wanted, theirs, ours) or any(map(_is_count, _pairs(runs, base_map)))):
        return None
    if str(WIDTH).encode() in wanted[0].shape and wanted[-1].slot + step >= WIDTH:
        return None
    lines = (_moved(line, entry, step) for line, entry in zip(run.lines, wanted, strict=True))
    return [Replace(last + 1, last + 1, tuple(lines), order)]


def _ends(run: Run, base_map: BaseMap, last: int) -> tuple[tuple[Sequence[bytes], int], tuple[Sequence[bytes], int]]:
    return (base_map.base, run.start - 1), (base_map.target, last)


def _appended(run: Run, base: Sequence[bytes]) -> list[Entry]:
    """The run's lines as entries that go on from the line above them in the author's file, at the end of its list."""
    found = [entry_of(line) for line in (base[run.start - 1] if run.start else b"", *run.lines)]
    entries = [entry for entry in found if entry is not None]
    if len(entries) < len(found) or any(entry.shape != entries[0].shape for entry in entries):
        return []
    if run.stop < len(base) and _is_like(base[run.stop], entries[0]):
        return []
    goes_on = all(entry.slot == entries[0].slot + step for step, entry in enumerate(entries))
    return entries[1:] if goes_on else []


def _end_of_list(wanted: Sequence[Entry], run: Run, base_map: BaseMap) -> int | None:
    """The target's last line of the list that the author's entries stand in; None when it has none of them."""
    lines, near = Alignment(base_map), range(run.start - 1, max(-1, run.start - 1 - REACH), -1)
    at = next((found for line in near if (found := lines.at(line)) is not None), None)
    if at is None or not _is_like(base_map.target[at], wanted[0]):
        return None
    while at + 1 < len(base_map.target) and _is_like(base_map.target[at + 1], wanted[0]):
        at += 1
    return at


def _is_like(line: bytes, entry: Entry) -> bool:
    found = entry_of(line)
    return found is not None and found.shape == entry.shape


def _list_above(lines: Sequence[bytes], at: int, entry: Entry) -> dict[bytes, int]:
    """The slots of the list that ends at a line, by name, from its end."""
    found: dict[bytes, int] = {}
    for line in reversed(lines[max(0, at + 1 - MAX_LIST) : at + 1]):
        own = entry_of(line)
        if own is None or own.shape != entry.shape:
            break
        found.setdefault(own.name, own.slot)
    return found


def _counts_itself(wanted: Sequence[Entry], theirs: dict[bytes, int], ours: dict[bytes, int]) -> bool:
    """Whether a name has another slot in the target, or one of the slots that are asked for has another name."""
    taken = {entry.slot for entry in wanted} & set(ours.values())
    return bool(taken) or any(ours.get(name, slot) != slot for name, slot in theirs.items())


def _moved(line: bytes, entry: Entry, step: int) -> bytes:
    start, stop = entry.span
    return line[:start] + b"%d" % (entry.slot + step) + line[stop:]


def _pairs(runs: Iterable[Run], base_map: BaseMap) -> list[tuple[Entry | None, Entry | None]]:
    """What each run makes of one line, where it does."""
    single = (run for run in runs if run.stop - run.start == len(run.lines) == 1)
    return [(entry_of(base_map.base[run.start]), entry_of(run.lines[0])) for run in single]


def _is_count(pair: tuple[Entry | None, Entry | None]) -> bool:
    before, after = pair
    return before is not None and after is not None and before.name == after.name and before.slot < after.slot


def _counted(runs: Sequence[Run], run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """The target's count, higher by as many entries as the hunk adds to the list above it; [] when it has them."""
    before, after = next(iter(_pairs([run], base_map)), (None, None))
    at = Alignment(base_map).at(run.start) if before and after else None
    own = None if at is None else entry_of(base_map.target[at])
    if at is None or own is None or before is None or after is None or own.slot == before.slot:
        return None
    lists = [other for other in runs if other.start == other.stop and _appended(other, base_map.base)]
    added = sum(len(other.lines) for other in lists)
    if not before.name == after.name == own.name or not 0 < added == after.slot - before.slot:
        return None
    if all(by_number(runs, other, base_map, order) == [] for other in lists):
        return []
    return [Replace(at, at + 1, (_moved(run.lines[0], after, own.slot - before.slot),), order)]
