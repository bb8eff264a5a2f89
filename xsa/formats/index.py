"""xsa.json: the public list of all advisories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import FormatError, Problem
from .meta import load_json
from .text import clean

_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_PRERELEASED = re.compile(r"\W*(?:pre-?released|embargoed)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One advisory of the list. `public_time` is aware and in UTC, or None when no time is known yet."""

    number: int
    title: str
    public_time: datetime | None
    cves: tuple[str, ...]

    @property
    def released(self) -> bool:
        """Whether the list tells what it is about; one that is still embargoed has a time, and no title of its own."""
        return bool(self.title) and not _PRERELEASED.match(self.title)


@dataclass(frozen=True, slots=True)
class Index:
    """The whole list, and what of it could not be read."""

    entries: tuple[IndexEntry, ...]
    problems: tuple[Problem, ...] = ()


def parse_index(data: bytes) -> tuple[IndexEntry, ...]:
    """The entries of `read_index`."""
    return read_index(data).entries


def read_index(data: bytes) -> Index:
    """Reads xsa.json; of two entries with one number the first counts.

    Raises FormatError("malformed-index") when it is not JSON of that shape at all.
    """
    entries: dict[int, IndexEntry] = {}
    problems: list[Problem] = []
    for at, row in enumerate(_rows(load_json(data, "malformed-index", "The advisory list"))):
        entry = _read_entry(row)
        if entry is None:
            problems.append(Problem("malformed-entry", f"Entry {at + 1} of the advisory list cannot be read."))
        elif entry.number in entries:
            problems.append(Problem("duplicate-entry", f"Entry {at + 1} of the advisory list repeats a number."))
        else:
            entries[entry.number] = entry
    return Index(tuple(entries.values()), tuple(problems))


def _rows(top: Any) -> Iterator[Any]:
    """The rows of `[{"xsas": [row, …]}, …]`, of a single such object, or of a bare list of rows."""
    groups = [top] if isinstance(top, dict) else top
    if not isinstance(groups, list):
        raise FormatError("malformed-index", "The advisory list has no “xsas”; is this xsa.json?")
    for group in groups:
        if isinstance(group, dict) and isinstance(group.get("xsas"), list):
            yield from group["xsas"]
        elif isinstance(group, dict) and "xsa" in group:
            yield group
        else:
            raise FormatError("malformed-index", "The advisory list has no “xsas”; is this xsa.json?")


def _read_entry(row: Any) -> IndexEntry | None:
    if not isinstance(row, dict):
        return None
    number, cves = row.get("xsa"), row.get("cve")
    if isinstance(number, str) and re.fullmatch(r"[0-9]{1,6}", number):
        number = int(number)
    if type(number) is not int or not 0 < number < 10**6:
        return None
    return IndexEntry(
        number=number,
        title=clean(title) if isinstance(title := row.get("title"), str) else "",
        public_time=_read_time(row.get("public_time")),
        cves=tuple(name for name in cves if isinstance(name, str) and _CVE.fullmatch(name))
        if isinstance(cves, list)
        else (),
    )


def _read_time(value: Any) -> datetime | None:
    """A time without a zone is UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value.strip().replace(" UTC", "+00:00"))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
