"""Judges results against what the maintainers committed, and counts them in a table.

A row is `equal` when every path that either side changed has the maintainers' blob, `differs` when a
whole result was given and is not equal, and `none` when there was no whole result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pygit2

from .ladder_corpus import ERAS, Row, nearest
from .ladder_paths import blob_at, changed_paths
from .ladder_run import Answer, Files

DISTANCES = ("1", "2 and more", "master")
HIGH = "high"
COLUMNS = f"{'rows':>5}  {'equal':>7} {'differs':>7} {'none':>7}   {'high':>7} {'right':>7}   {'median':>8} {'p95':>8}"


@dataclass(frozen=True, slots=True)
class Judged:
    """One row with its answer and verdict; `verdict` is "" when the expected commit is not known."""

    row: Row
    answer: Answer
    verdict: str


def judge(repo: pygit2.Repository, row: Row, files: Files | None) -> str:
    """`equal`, `differs` or `none`; "" when the repository does not hold the expected commit."""
    expected = repo.get(row.expected) if row.expected else None
    target = repo.get(row.task.target)
    if not isinstance(expected, pygit2.Commit) or not isinstance(target, pygit2.Commit):
        return ""
    if not files:
        return "none"
    paths = changed_paths(target.tree, expected.tree) | set(files)
    got = {path: files[path] if path in files else blob_at(target.tree, path) for path in paths}
    return "equal" if all(got[path] == blob_at(expected.tree, path) for path in paths) else "differs"


def groups(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    """The table's lines: all rows, the nearest source of each fix, by distance, and those nearest by era."""
    yield "all rows", list(judged)
    near = {id(row) for row in nearest([one.row for one in judged])}
    chosen = [one for one in judged if id(one.row) in near]
    yield "nearest source, else master", chosen
    for distance in DISTANCES:
        yield f"distance {distance}", [one for one in judged if one.row.distance == distance]
    for era in [*(name for _, name in ERAS), "4.23 and up", "other branches"]:
        yield f"nearest, {era}", [one for one in chosen if one.row.era == era]


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """The lines of the printed table; shares are of the rows of the line, `right` is of those called `high`."""
    yield f"{'':30} {COLUMNS}"
    for name, members in groups([one for one in judged if one.verdict]):
        if members:
            yield line(name, members)


def line(name: str, members: Sequence[Judged]) -> str:
    """One line of the table."""
    count = Counter(one.verdict for one in members)
    high = Counter(one.verdict for one in members if one.answer.confidence == HIGH and one.verdict != "none")
    total, called = len(members), high.total()
    right = _share(high["equal"], called) if called else f"{'-':>7}"
    shares = " ".join(_share(count[verdict], total) for verdict in ("equal", "differs", "none"))
    median, p95 = percentiles(one.answer.ms for one in members)
    return f"{name:30} {total:5}  {shares}   {_share(called, total)} {right}   {median:5.1f} ms {p95:5.0f} ms"


def percentiles(times: Iterable[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


def counts(judged: Iterable[Judged], what: str) -> Iterator[str]:
    """How often each rung or outcome (an attribute of the answer) came with each verdict."""
    found: dict[str, Counter[str]] = {}
    for one in judged:
        found.setdefault(getattr(one.answer, what) or "-", Counter())[one.verdict] += 1
    for name, count in sorted(found.items()):
        yield f"  {name:20} " + "  ".join(f"{verdict} {number}" for verdict, number in sorted(count.items()))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %"
