"""Whether the ladder knows its own work again: each row's series on the fixed tree, and twice on the target.

The fixed tree is the one that the maintainers committed. This pass has a reach of its own, for it alone may
see the expected commit; the pass that is judged never does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backports.engine.ladder import apply_series
from backports.engine.result import Change, Outcome, Rung, SeriesResult
from backports.engine.series import blob_oid
from backports.engine.tree import Blob, TreeReader
from backports.git.tree import GitTree, diff_lines

from .ladder_corpus import Row, Task
from .ladder_reach import Reach
from .ladder_run import ROW_SECONDS, Runner, base_of, problem_of, time_limit
from .ladder_table import groups_of, share


@dataclass(frozen=True, slots=True)
class AgainTask:
    """A row with its answer, for this pass only."""

    task: Task
    expected: str


@dataclass(frozen=True, slots=True)
class Again:
    """Outcomes on the fixed tree and on our own result: "" where it was not tried, an error's code where it failed.

    `rung` is the highest that the result on the target needed.
    """

    task: Task
    fixed: str = ""
    twice: str = ""
    rung: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row's object in the second results file."""
        return {"source": ",".join(self.task.sources), "target": self.task.target} | {
            "on_fixed_tree": self.fixed or None,
            "applied_twice": self.twice or None,
            "rung": self.rung or None,
        }


class ResultTree:
    """`tree` with a whole result in it, as a commit of it would have it."""

    def __init__(self, tree: TreeReader, result: SeriesResult) -> None:
        self._tree = tree
        self._blobs: dict[str, Blob | None] = {}
        for patch in result.patches:
            self._blobs |= {path: _blob(change) for path, change in patch.changes.items()}

    def read(self, path: str) -> Blob | None:
        """The file as the result leaves it."""
        return self._blobs[path] if path in self._blobs else self._tree.read(path)

    def blob(self, oid: str) -> Blob | None:
        """What the store below has."""
        return self._tree.blob(oid)

    def moved_to(self, path: str, base: Blob | None) -> Sequence[str]:
        """Where the tree below has it, without what the result deleted."""
        return [other for other in self._tree.moved_to(path, base) if self.read(other) is not None]

    def home_of(self, path: str) -> str:
        """The path itself where the result has it, else where the tree below wants it."""
        return path if path in self._blobs else self._tree.home_of(path)


def _blob(change: Change) -> Blob | None:
    return None if change.data is None else Blob(blob_oid(change.data), change.mode, change.data)


class AgainRunner:
    """One process's engine for this pass. The index of identifiers is not asked."""

    def __init__(self, path: Path, reach: Reach, scratch: Path) -> None:
        self._runner = Runner(path, reach, scratch)

    def run(self, task: AgainTask) -> Again:
        """Tries one row in both ways."""
        fixed = self._told(lambda: self._on_fixed(task)) if task.expected else ("", "")
        twice, rung = self._told(lambda: self._twice(task.task))
        return Again(task.task, fixed[0], twice, rung)

    def _told(self, attempt: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        try:
            with time_limit(ROW_SECONDS):
                return attempt()
        except Exception as error:
            return problem_of(error), ""

    def _on_fixed(self, task: AgainTask) -> tuple[str, str]:
        row = replace(task.task, target=task.expected)
        return self._apply(row, self._tree(row)).outcome, ""

    def _twice(self, row: Task) -> tuple[str, str]:
        """The outcome of the second time and the rung of the first; two times "" where the first was not whole."""
        tree = self._tree(row)
        first = self._apply(row, tree)
        if first.outcome not in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
            return "", ""
        return self._apply(row, ResultTree(tree, first)).outcome, first.rung or ""

    def _tree(self, row: Task) -> GitTree:
        repo = self._runner.repository(row)
        return GitTree(repo, row.target, base_treeish=base_of(repo, row))

    def _apply(self, row: Task, tree: TreeReader) -> SeriesResult:
        return apply_series(self._runner.patches(self._runner.repository(row), row.sources), tree, differ=diff_lines)


def heads(rows: Sequence[Row]) -> list[str]:
    """Every commit that this pass may see."""
    return sorted({oid for row in rows for oid in (*row.task.sources, row.task.target, row.expected) if oid})


def again_tasks(rows: Sequence[Row], missing: set[str]) -> list[AgainTask]:
    """What this pass is told; an answer that the repository lacks is left out."""
    return [AgainTask(row.task, "" if row.expected in missing else row.expected) for row in rows]


def again_table(rows: Sequence[Row], answers: Sequence[Again]) -> Iterator[str]:
    """Lines of the printed table: of how many rows, and of these the share that was told `already-applied`."""
    yield f"{'told already-applied':30} {'rows':>5} {'on the fixed tree':>18}   {'rows':>5} {'applied twice':>14}"
    by_row = dict(zip(map(id, rows), answers, strict=True))
    for name, members in groups_of(rows):
        told = [by_row[id(row)] for row in members]
        if members:
            yield _line(name, told)
    for rung in Rung:
        if found := [one for one in answers if one.rung == rung]:
            yield _line(f"highest rung {rung}", found)


def _line(name: str, told: Sequence[Again]) -> str:
    fixed, twice = _known([one.fixed for one in told]), _known([one.twice for one in told])
    return f"{name:30} {fixed[1]:5} {share(*fixed):>18}   {twice[1]:5} {share(*twice):>14}"


def _known(outcomes: Sequence[str]) -> tuple[int, int]:
    """How many were told `already-applied`, of how many that were tried."""
    tried = [outcome for outcome in outcomes if outcome]
    return tried.count(Outcome.ALREADY_APPLIED), len(tried)
