"""Numbers that are taken: a new #define, enumerator or feature bit with the value of another one.

Motivated by XSA-254 6fef46d6fb9 and XSA-297 0c4bbad7e14, where a feature bit of the older tree was used twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from backports.engine.result import Flag

from .changes import Case, Text

NEAR = 40  # lines around a definition that are taken for its table
LONGEST_LINE = 400
_SLOT = re.compile(
    rb"^\s*(?:#\s*define\s+()(\w+)\s+(.*\d.*?)|([A-Z]\w*)\(\s*(\w+)\s*,\s*(.*\d.*?)\s*\)\s*;?"
    rb"|()([A-Z_][A-Z0-9_]*)\s*=\s*(\w*\d\w*)\s*,?)\s*$"
)
_MAY_BE = re.compile(rb"#\s*define|\(.*\d.*\)|=.*\d")
_SPACE = re.compile(rb"\s+")


class Slot(NamedTuple):
    """A name's number in a table; `table` is the macro that makes the entries, or the names' first word."""

    table: bytes
    name: bytes
    value: bytes


def look(case: Case) -> Iterator[Flag]:
    """`slot-taken`: an added definition's number belongs to another name of the same table."""
    for file in case.c_files:
        added = [(at, slot) for at in file.ours.added if (slot := _slot(file.ours.after, at))]
        near = [(at, slot, taken) for at, slot in added if (taken := _takers(file.ours.after, at, slot))]
        known = _by_value(file.theirs.after) if near and file.theirs else {}
        for at, slot, taken in near:
            if new := taken - known.get(slot.value, set()):
                other = min(new).decode("latin-1")
                sentence = f"{slot.name.decode('latin-1')} gets the number that {other} has."
                yield Flag("slot-taken", sentence, file.path, (at + 1,))


def _slot(text: Text, at: int) -> Slot | None:
    line = text.lines[at]
    if len(line) > LONGEST_LINE or not _MAY_BE.search(line):
        return None
    match = _SLOT.match(text.code_line(at))
    if match is None:
        return None
    first = next(group for group in (1, 4, 7) if match.group(group) is not None)
    table, name, value = match.group(first, first + 1, first + 2)
    return Slot(table or name.partition(b"_")[0], name, _SPACE.sub(b"", value))


def _takers(text: Text, at: int, slot: Slot) -> set[bytes]:
    """Other names of the same table with the same value near line `at`."""
    near = range(max(0, at - NEAR), min(len(text.lines), at + NEAR))
    found = filter(None, (_slot(text, place) for place in near))
    return {other.name for other in found if (other.table, other.value) == (slot.table, slot.value)} - {slot.name}


def _by_value(text: Text) -> dict[bytes, set[bytes]]:
    """The names that share a value at the author's too."""
    found: dict[bytes, set[bytes]] = {}
    for slot in filter(None, (_slot(text, at) for at in range(len(text.lines)))):
        found.setdefault(slot.value, set()).add(slot.name)
    return found
