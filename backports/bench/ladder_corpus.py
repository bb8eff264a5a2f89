"""Rows of a corpus: real backports whose answer is known.

A corpus is a tab-separated file, gzipped when its name ends in `.gz`, with the columns

    source    the commit whose change is carried over, or several, comma-separated, in order
    target    the commit on whose tree it is applied: the parent of the real backport
    expected  the commit that the maintainers made
    branch    the target's branch, `4.1` and up
    from      the source's branch, or `master`
    gap       the distance in branches from source to target, or `master`
    xsa       advisory numbers, or `-`
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("source", "target")
ERAS = ((5, "4.1 to 4.5"), (9, "4.6 to 4.9"), (13, "4.10 to 4.13"), (17, "4.14 to 4.17"), (22, "4.18 to 4.22"))
FURTHEST = 10_000


class BadCorpus(ValueError):
    """The corpus cannot be read; `sentence` says why and what to do."""

    code = "bad-corpus"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Task:
    """What an engine is told of a row, and no more: the commits to carry over, and the commit to put them on."""

    sources: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `expected` is "" when nobody knows the answer."""

    task: Task
    expected: str
    branch: str
    gap: str

    @property
    def source(self) -> str:
        """The column as it stood in the corpus."""
        return ",".join(self.task.sources)

    @property
    def distance(self) -> str:
        """`0` (within one release), `1`, `2 and more`, `master`, or `unknown`."""
        if self.gap in {"0", "1", "master"}:
            return self.gap
        return "2 and more" if self.gap.isdecimal() else "unknown"

    @property
    def era(self) -> str:
        """The group of the target's branch."""
        major, _, minor = self.branch.partition(".")
        if major != "4" or not minor.isdecimal():
            return "other branches"
        return next((name for last, name in ERAS if int(minor) <= last), "4.23 and up")


def read_rows(path: Path, limit: int | None = None) -> list[Row]:
    """The rows of a corpus in order, the first `limit` of them. Raises BadCorpus."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadCorpus(f"The corpus cannot be read ({type(error).__name__}); name a .tsv or .tsv.gz file.") from error
    table = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = [name for name in NEEDED if name not in (table.fieldnames or ())]
    if missing:
        raise BadCorpus(f"The corpus has no column {missing[0]}; its first line must name the columns.")
    return [_row(values) for values in list(table)[:limit]]


def _row(values: dict[str, str]) -> Row:
    sources = tuple(oid.strip() for oid in values["source"].split(",") if oid.strip())
    task = Task(sources, (values["target"] or "").strip())
    expected, branch, gap = ((values.get(name) or "").strip() for name in ("expected", "branch", "gap"))
    return Row(task, "" if expected == "-" else expected, branch, gap)


def nearest(rows: Sequence[Row]) -> list[Row]:
    """For each expected commit the row with the nearest source, which is master's when there is no other."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.expected and (row.expected not in best or _steps(row) < _steps(best[row.expected])):
            best[row.expected] = row
    return list(best.values())


def commits(rows: Iterable[Row]) -> list[str]:
    """Every commit that the tasks of these rows name."""
    return sorted({oid for row in rows for oid in (*row.task.sources, row.task.target)})


def _steps(row: Row) -> int:
    return int(row.gap) if row.gap.isdecimal() else FURTHEST
