"""Judges results against what the maintainers committed, and counts them in a table.

A row is `equal` when every path that either side changed has the maintainers' blob, `differs` when a
whole result was given and is not equal, and `none` when there was no whole result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pygit2

from backports.git.errors import GitError
from backports.git.store import commit_at

from .ladder_corpus import ERAS, Row, nearest
from .ladder_paths import blob_at, changed_paths
from .ladder_run import Answer, Files

DISTANCES = ("0", "1", "2 and more", "master", "unknown")
HIGH = "high"
UNKNOWN = "not judged"
COLUMNS = (
    f"{'rows':>5}  {'equal':>7} {'differs':>7} {'none':>7}   {'high':>7} {'right':>7}   "
    f"{'wall':>8} {'p95':>8}   {'cpu':>8} {'p95':>8}"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One row with its answer and verdict; `verdict` is "" when the expected commit is not known."""

    row: Row
    answer: Answer
    verdict: str


def judge(repo: pygit2.Repository, row: Row, files: Files | None) -> str:
    """`equal`, `differs` or `none`; "" when the repository does not hold the expected commit."""
    try:
        target, expected = (commit_at(repo, oid).tree for oid in (row.task.target, row.expected))
        paths = changed_paths(target, expected) | set(files or ())
    except (GitError, KeyError, pygit2.GitError):
        return ""
    if not files:
        return "none"
    got = {path: files[path] if path in files else blob_at(target, path) for path in paths}
    return "equal" if all(got[path] == blob_at(expected, path) for path in paths) else "differs"


def groups_of(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The table's lines: all rows, the nearest source of each fix, by distance, and those nearest by era."""
    yield "all rows", list(rows)
    chosen = nearest(rows)
    yield "nearest source, else master", chosen
    for distance in DISTANCES:
        yield f"distance {distance}", [row for row in rows if row.distance == distance]
    for era in [*(name for _, name in ERAS), "4.23 and up", "other branches"]:
        yield f"nearest, {era}", [row for row in chosen if row.era == era]


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """The lines of the printed table; shares are of the rows of the line, `right` is of those called `high`.

    `wall` and `cpu` are the medians of the times a row, each with its 95th percentile.
    """
    yield f"{'':30} {COLUMNS}"
    by_row = {id(one.row): one for one in judged if one.verdict}
    for name, rows in groups_of([one.row for one in judged if one.verdict]):
        if rows:
            yield line(name, [by_row[id(row)] for row in rows])


def line(name: str, members: Sequence[Judged]) -> str:
    """One line of the table."""
    count = Counter(one.verdict for one in members)
    high = Counter(one.verdict for one in members if one.answer.confidence == HIGH and one.verdict != "none")
    total, called = len(members), high.total()
    right = share(high["equal"], called)
    shares = " ".join(share(count[verdict], total) for verdict in ("equal", "differs", "none"))
    wall, cpu = (_times(times) for times in zip(*((one.answer.ms, one.answer.cpu_ms) for one in members), strict=True))
    return f"{name:30} {total:5}  {shares}   {share(called, total)} {right}   {wall}   {cpu}"


def percentiles(times: Iterable[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


def counts(judged: Iterable[Judged], what: str) -> Iterator[str]:
    """How often each rung or outcome (an attribute of the answer) came with each verdict."""
    found: dict[str, Counter[str]] = {}
    for one in judged:
        found.setdefault(getattr(one.answer, what) or "-", Counter())[one.verdict or UNKNOWN] += 1
    for name, count in sorted(found.items()):
        yield f"  {name:20} " + "  ".join(f"{verdict} {number}" for verdict, number in sorted(count.items()))


def _times(times: Iterable[float]) -> str:
    median, p95 = percentiles(times)
    return f"{median:5.1f} ms {p95:5.0f} ms"


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent."""
    return f"{100 * part / whole:5.1f} %" if whole else f"{'-':>7}"
