"""Runs the ladder on rows of a corpus, each in a repository that holds what the row may see and nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pygit2

from backports.engine.diff import Patch, parse_series
from backports.engine.errors import EngineError
from backports.engine.guards import Symbols
from backports.engine.result import Change, Outcome, SeriesResult
from backports.engine.series import blob_oid
from backports.git.errors import GitError
from backports.git.patches import format_patch
from backports.git.store import commit_at, open_repository
from backports.git.symbols import SymbolIndex
from backports.git.tree import GitTree
from backports.services.trying import try_patches

from .ladder_corpus import Task
from .ladder_reach import Reach, row_repository

KEPT_SOURCES = 32
ROWS_AT_ONCE = 4
ROW_SECONDS = 120.0
Files = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine made of a row.

    `files` maps every path that the result changes to its blob id (None: deleted); it is None
    when not all of the series applied. `ms` is wall time, from commits to result, and `cpu_ms` the
    processor's share of it, which other work on the machine does not lengthen; `index_ms`, in neither,
    is what the index of identifiers took for blobs that no row before had. `problem` is the
    code of what kept the row from being tried at all.
    """

    task: Task
    outcome: str
    confidence: str | None = None
    rung: str | None = None
    guards: tuple[str, ...] = ()
    files: Files | None = None
    ms: float = 0.0
    cpu_ms: float = 0.0
    index_ms: float = 0.0
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row's object in the results file."""
        facts: dict[str, Any] = {"source": ",".join(self.task.sources), "target": self.task.target}
        facts |= {"outcome": self.outcome, "confidence": self.confidence, "rung": self.rung}
        facts |= {"guards": list(self.guards), "files": self.files, "ms": round(self.ms, 2)}
        facts |= {"cpu_ms": round(self.cpu_ms, 2), "index_ms": round(self.index_ms, 2)}
        return facts | ({"problem": self.problem} if self.problem else {})


class Runner:
    """One process's engine: the store is opened once, and the last few sources stay read, as in a worker.

    The index of identifiers, by blob, is in the folder `symbols` (None: in `scratch`) for all processes
    and all rows; a row asks it for its own trees' blobs only.
    """

    def __init__(self, path: Path, reach: Reach, scratch: Path, *, symbols: Path | None = None) -> None:
        self._store = open_repository(path).odb
        self._reach = reach
        self._empty = Path(tempfile.mkdtemp(dir=scratch)) / "empty.git"
        pygit2.init_repository(str(self._empty), bare=True)
        self._symbols = SymbolIndex(symbols or scratch / "symbols")
        self._indexed: set[str] = set()
        self._sources: OrderedDict[tuple[str, ...], tuple[Patch, ...]] = OrderedDict()

    def run(self, task: Task) -> Answer:
        """Tries one row. Nothing that goes wrong in it stops the bench; it is told as the row's `problem`."""
        index_ms = self._fill_index(task)
        began, cpu = time.perf_counter(), time.process_time()
        try:
            with time_limit(ROW_SECONDS):
                answer = self._try(task)
        except Exception as error:
            answer = Answer(task, Outcome.ERROR, problem=problem_of(error))
        return replace(
            answer,
            ms=(time.perf_counter() - began) * 1000,
            cpu_ms=(time.process_time() - cpu) * 1000,
            index_ms=index_ms,
        )

    def repository(self, task: Task) -> pygit2.Repository:
        """All that a row may see, and nothing else."""
        return row_repository(self._empty, self._store, self._reach, (*task.sources, task.target))

    def _fill_index(self, task: Task) -> float:
        """A server has its branches' blobs in the index before anything is tried; so it is here."""
        began = time.perf_counter()
        with contextlib.suppress(GitError, LookupError, pygit2.GitError):
            repo = self.repository(task)
            for oid in (task.target, base_of(repo, task)):
                if oid not in self._indexed:
                    self._symbols.fill(repo, oid)
                    self._indexed.add(oid)
        return (time.perf_counter() - began) * 1000

    def _try(self, task: Task) -> Answer:
        repo = self.repository(task)
        base = base_of(repo, task)
        patches = self.patches(repo, task.sources)
        tree = GitTree(repo, task.target, base_treeish=base)
        symbols = Symbols(target=self._symbols.of(repo, task.target), source=self._symbols.of(repo, base))
        tried = try_patches("bench", patches, tree, symbols)
        if tried.result is None:
            return Answer(task, tried.outcome, problem=tried.problem_code)
        return _answer(task, tried.result, tree)

    def patches(self, repo: pygit2.Repository, sources: tuple[str, ...]) -> tuple[Patch, ...]:
        """The series as it is read from the sources."""
        if sources not in self._sources:
            mails = [format_patch(repo, oid, number=n, total=len(sources)) for n, oid in enumerate(sources, 1)]
            self._sources[sources] = tuple(patch for mail in mails for patch in parse_series(mail))
            while len(self._sources) > KEPT_SOURCES:
                self._sources.popitem(last=False)
        return self._sources[sources]


def base_of(repo: pygit2.Repository, task: Task) -> str:
    """The commit that the first source was made on. Raises GitError `no-such-commit`, `no-base`."""
    if not task.sources:
        raise GitError("no-such-commit", "The row names no source.")
    parents = commit_at(repo, task.sources[0]).parent_ids
    if not parents or parents[0] not in repo:
        raise GitError("no-base", "The first source has no parent in the repository, so it says no change.")
    return str(parents[0])


def problem_of(error: Exception) -> str:
    """The code that stands for an error in a row."""
    return error.code if isinstance(error, EngineError | GitError) else type(error).__name__


class TooSlow(Exception):
    """A row took more processor time than any row may."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TooSlow inside the block after so much processor time of this process; only in its main thread."""

    def stop(_number: int, _frame: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _answer(task: Task, result: SeriesResult, tree: GitTree) -> Answer:
    whole = result.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED)
    return Answer(
        task,
        outcome=result.outcome.value,
        confidence=result.confidence.value if whole and result.confidence else None,
        rung=result.rung.value if result.rung else None,
        guards=tuple(dict.fromkeys(flag.code for flag in result.flags)),
        files=changed_files(result, tree) if whole else None,
    )


def changed_files(result: SeriesResult, tree: GitTree) -> Files:
    """Every path that the whole result leaves otherwise than `tree` has it, with its blob id."""
    last: dict[str, Change] = {}
    for patch in result.patches:
        last |= patch.changes
    files: Files = {}
    for path, change in sorted(last.items()):
        before = tree.read(path)
        oid = None if change.data is None else blob_oid(change.data)
        if (before and (before.oid, before.mode)) != (oid and (oid, change.mode)):
            files[path] = oid
    return files


def missing_commits(path: Path, oids: Sequence[str]) -> set[str]:
    """Those of the commits that the repository does not hold."""
    repo, missing = open_repository(path), set()
    for oid in oids:
        try:
            commit_at(repo, oid)
        except GitError:
            missing.add(oid)
    return missing


_runner: Any = None


def _start(make: Callable[[Path], Any], scratch: Path) -> None:
    global _runner  # noqa: PLW0603 - each process of a pool has its own, made once
    _runner = make(scratch)


def _run(task: Any) -> Any:
    return _runner.run(task)


def run_all(make: Callable[[Path], Any], tasks: Sequence[Any], jobs: int) -> Iterator[Any]:
    """What `make(scratch).run(task)` answers for every task, in order, by `jobs` processes that call `make` once each.

    `scratch` is a folder that is removed at the end. With one job everything happens in this process.
    """
    with tempfile.TemporaryDirectory(prefix="bench-ladder-") as folder:
        scratch = Path(folder)
        if jobs <= 1:
            yield from map(make(scratch).run, tasks)
            return
        with multiprocessing.get_context("fork").Pool(jobs, _start, (make, scratch)) as pool:
            yield from pool.imap(_run, tasks, chunksize=ROWS_AT_ONCE)
