"""The smallest set of commits that makes a fix apply: found among the culprits, tried in memory, a proposal only.

Method: every candidate (a commit of the source's side that a rejected hunk's lines point to) is tried alone, then
pairs, then threes, oldest first; each must land whole by the strict rungs, and the whole fix on top by any. So the
set that is found is a smallest one: all smaller ones were tried and failed. A candidate that does not land itself
brings its own culprits in as candidates. Of several sets of one size the one with the fewest tree-wide commits and
changed lines wins.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pygit2

from backports.engine.diff import Patch, parse_series
from backports.engine.errors import EngineError
from backports.engine.files import Tools
from backports.engine.guards import Symbols
from backports.engine.ladder import apply_series
from backports.engine.result import Outcome, PatchResult, SeriesResult
from backports.engine.rungs import STRICT_RUNGS
from backports.engine.series import OverlayTree, apply_patches, worst
from backports.engine.tree import TreeReader

from .culprits import TREE_WIDE, Culprit, Culprits, find_culprits, size_of
from .errors import GitError
from .patches import format_patch
from .store import Recent, commit_at, open_repository
from .tree import diff_lines

SECONDS = 4.0
MOST = 3
CANDIDATES = 6
FAILING_FOLLOWED = 2
BIGGEST = 60
PATCHES_KEPT = 64
_PATCHES: Recent[tuple[str, str], tuple[Patch, ...]] = Recent(PATCHES_KEPT)


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """A commit of a set with what it costs: how many files and lines it changes."""

    oid: str
    subject: str
    files: int
    changed: int
    patches: tuple[PatchResult, ...]

    @property
    def tree_wide(self) -> bool:
        """Whether it is a clean-up of many files: adapting the fix by hand is then nearly always better."""
        return self.files >= TREE_WIDE


@dataclass(frozen=True, slots=True)
class PrerequisiteSet:
    """Commits, oldest first, that make the fix apply, and the fix's own result on top of them."""

    commits: tuple[Prerequisite, ...]
    result: SeriesResult

    @property
    def patches(self) -> tuple[PatchResult, ...]:
        """The set and the fix, in the order in which they are to be committed."""
        return (*(patch for commit in self.commits for patch in commit.patches), *self.result.patches)


@dataclass(frozen=True, slots=True)
class Task:
    """What is tried: a fix made on the commit `base`, and the tree of the commit `target` that did not take it."""

    git_dir: Path
    patches: tuple[Patch, ...]
    base: str
    target: str
    tree: TreeReader
    symbols: Symbols | None = None


def find_set(task: Task, culprits: Culprits, *, seconds: float = SECONDS) -> PrerequisiteSet | None:
    """The smallest set that makes the whole fix apply, or None when none of at most MOST commits was found in time.

    `culprits` are those of the fix's result on `task.tree`. Raises GitError when the repository is broken, EngineError
    when a result fails the engine's own check.
    """
    if not culprits.candidates():
        return None
    return _Search(task, culprits, time.monotonic() + seconds).run()


class _Search:
    def __init__(self, task: Task, culprits: Culprits, until: float) -> None:
        self.task = task
        self.until = until
        self.repo = open_repository(task.git_dir)
        self.stuck = tuple(_only(task.patches, culprits))
        self.age = {oid: at for at, oid in enumerate(culprits.order)}
        self.first = [one for one in culprits.candidates() if self._usable(one)][:CANDIDATES]
        usable = {one.oid for one in self.first}
        self.wanted = [frozenset(one.oid for one in some) & usable for some in culprits.hunks.values()]

    def run(self) -> PrerequisiteSet | None:
        """The cheapest of the smallest sets that do it."""
        if not all(self.wanted):
            return None
        pool = self._widened()
        for size in range(1, MOST + 1):
            likely = filter(self._answers, itertools.combinations(pool, size))
            fitting = [chosen for chosen in likely if not self._late() and self._takes(chosen)]
            made = [self._set(chosen) for chosen in sorted(fitting, key=self._cost)]
            whole = [one for one in made if one.result.outcome is Outcome.APPLIED]
            if whole or self._late():
                return whole[0] if whole else None
        return None

    def _answers(self, oids: Sequence[str]) -> bool:
        """Whether the commits touch what every rejected hunk misses; others are not worth the time."""
        return all(some.intersection(oids) for some in self.wanted)

    def _late(self) -> bool:
        return time.monotonic() > self.until

    def _usable(self, culprit: Culprit) -> bool:
        return culprit.files <= BIGGEST and len(commit_at(self.repo, culprit.oid).parents) == 1

    def _widened(self) -> list[str]:
        """The candidates and, of those that do not land themselves, what keeps them from it."""
        pool = [culprit.oid for culprit in self.first]
        failing = [oid for oid in pool if self._land([oid]) is None]
        for oid in failing[:FAILING_FOLLOWED]:
            if self._late():
                break
            pool += [below.oid for below in self._below(oid)[:FAILING_FOLLOWED] if below.oid not in pool]
        return sorted(pool, key=lambda oid: self.age.get(oid, -1))

    def _below(self, oid: str) -> list[Culprit]:
        made = apply_patches(self._patches(oid), OverlayTree(self.task.tree), Tools(diff_lines, STRICT_RUNGS))
        result = SeriesResult(worst([patch.outcome for patch in made]), made)
        parent = str(commit_at(self.repo, oid).parents[0].id)
        left = max(0.1, self.until - time.monotonic())
        found = find_culprits(self.task.git_dir, result, parent, self.task.target, seconds=left)
        for at, older in enumerate(found.order):
            self.age.setdefault(older, at - len(found.order))
        return [one for one in found.candidates() if self._usable(one)]

    def _takes(self, oids: Sequence[str]) -> bool:
        overlay = self._land(oids)
        if overlay is None:
            return False
        made = apply_patches(self.stuck, OverlayTree(overlay), Tools(diff_lines))
        return worst([patch.outcome for patch in made]) in (Outcome.APPLIED, Outcome.ALREADY_APPLIED)

    def _land(self, oids: Iterable[str]) -> OverlayTree | None:
        """The tree with these commits on it, or None when one of them does not land whole by the strict rungs."""
        overlay = OverlayTree(self.task.tree)
        landed = all(self._on(overlay, oid) is not None for oid in oids)
        return overlay if landed else None

    def _on(self, overlay: OverlayTree, oid: str) -> tuple[PatchResult, ...] | None:
        made = apply_patches(self._patches(oid), overlay, Tools(diff_lines, STRICT_RUNGS))
        whole = bool(made) and worst([patch.outcome for patch in made]) is Outcome.APPLIED
        return made if whole else None

    def _patches(self, oid: str) -> tuple[Patch, ...]:
        return _PATCHES.get((str(self.task.git_dir), oid), lambda: _read(self.repo, oid))

    def _cost(self, oids: Sequence[str]) -> tuple[int, int, int]:
        sizes = [size_of(self.repo, oid) for oid in oids]
        return (
            sum(files >= TREE_WIDE for files, _ in sizes),
            sum(changed for _, changed in sizes),
            sum(files for files, _ in sizes),
        )

    def _set(self, oids: Sequence[str]) -> PrerequisiteSet:
        overlay = OverlayTree(self.task.tree)
        commits = tuple(self._told(oid, self._on(overlay, oid) or ()) for oid in oids)
        result = apply_series(self.task.patches, overlay, differ=diff_lines, symbols=self.task.symbols)
        return PrerequisiteSet(commits, result)

    def _told(self, oid: str, made: tuple[PatchResult, ...]) -> Prerequisite:
        files, changed = size_of(self.repo, oid)
        subject = commit_at(self.repo, oid).message.partition("\n")[0]
        return Prerequisite(oid, subject, files, changed, made)


def _only(patches: Sequence[Patch], culprits: Culprits) -> Iterator[Patch]:
    """The patches' parts for the files in which a hunk was rejected."""
    names = {patches[place.patch].files[place.file].path for place in culprits.hunks}
    for patch in patches:
        files = tuple(file for file in patch.files if file.path in names or file.new_path in names)
        if files:
            yield replace(patch, files=files)


def _read(repo: pygit2.Repository, oid: str) -> tuple[Patch, ...]:
    """The commit as patches; none when it has nothing that the ladder could apply."""
    try:
        return parse_series(format_patch(repo, oid))
    except (EngineError, GitError):
        return ()
