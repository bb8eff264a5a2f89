"""Which branch holds which commit: the whole commit graph of a mirror, in one pass of git.

Method: `git log --topo-order` names every commit after all its children, so one pass that
hands each commit's set of branches (a bit mask) to its parents gives the branches that
hold each commit. The result is kept per process for the mirror's present tips.
"""

from __future__ import annotations

import bisect
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .errors import GitError
from .messages import reverted
from .mirror import branch_oids, branch_ref, version_key
from .runner import refuse_option, run_git
from .store import Recent, commit_at, open_repository

GRAPHS_KEPT = 3
LOG_TIMEOUT = 300.0


@dataclass(frozen=True)
class Graph:
    """All commits under some tips; `names[i]` is the branch of bit i, `order` is newest first."""

    names: tuple[str, ...]
    tips: Mapping[str, str]
    masks: Mapping[str, int]
    order: Mapping[str, int]
    subjects: Mapping[str, tuple[str, ...]]
    reverts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def bit(self, name: str) -> int:
        """The mask of one branch; GitError `no-such-branch`."""
        try:
            return 1 << self.names.index(name)
        except ValueError as error:
            raise _no_branch() from error

    def holders(self, oid: str) -> tuple[str, ...]:
        """The branches whose history has this commit, reverted there or not."""
        mask = self.masks.get(oid, 0)
        return tuple(name for place, name in enumerate(self.names) if mask >> place & 1)

    def holds(self, name: str, oid: str) -> bool:
        """Whether the branch has this commit and did not revert it later."""
        bit = self.bit(name)
        return bool(self.masks.get(oid, 0) & bit) and not self.undone(bit, oid)

    def undone(self, bit: int, oid: str) -> bool:
        """Whether one of the commit's reverts is on the branch, and is not undone itself."""
        later = (revert for revert in self.reverts.get(oid, ()) if self.masks.get(revert, 0) & bit)
        return any(not self.undone(bit, revert) for revert in later)

    def full_oid(self, abbreviated: str) -> str | None:
        """The one commit whose oid starts so, or None."""
        if len(abbreviated) == 40:
            return abbreviated if abbreviated in self.masks else None
        place = bisect.bisect_left(self._sorted, abbreviated)
        found = [oid for oid in self._sorted[place : place + 2] if oid.startswith(abbreviated)]
        return found[0] if len(found) == 1 else None

    @functools.cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted(self.masks)


def _no_branch() -> GitError:
    return GitError("no-such-branch", "The mirror has no branch of that name; fetch it, or correct the name.")


_GRAPHS: Recent[tuple[str, tuple[tuple[str, str], ...]], Graph] = Recent(GRAPHS_KEPT)


def graph_of(path: Path | str, names: Iterable[str] = ()) -> Graph:
    """The graph of a mirror's followed branches, and of the branches `names` besides.

    Raises GitError `not-a-repository`, `no-such-branch`.
    """
    tips = _tips(path, names)
    key = (str(Path(path).absolute()), tuple(sorted(tips.items())))
    return _GRAPHS.get(key, lambda: _load(path, tips))


def _tips(path: Path | str, names: Iterable[str]) -> dict[str, str]:
    tips = branch_oids(path)
    more = [name for name in dict.fromkeys(names) if name not in tips]
    repo = open_repository(path) if more else None
    for name in more:
        try:
            tips[name] = str(commit_at(repo, branch_ref(refuse_option(name, "branch"))).id) if repo else ""
        except GitError as error:
            raise _no_branch() from error
    return tips


def _load(path: Path | str, tips: Mapping[str, str]) -> Graph:
    names = tuple(sorted(tips, key=lambda name: (version_key(name), name)))
    masks: dict[str, int] = defaultdict(int)
    for place, name in enumerate(names):
        masks[tips[name]] |= 1 << place
    order, subjects = _walk(path, tips, masks)
    graph = Graph(names, tips, dict(masks), order, subjects)
    return replace(graph, reverts=_reverts(path, graph))


def _walk(
    path: Path | str, tips: Mapping[str, str], masks: dict[str, int]
) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    order: dict[str, int] = {}
    subjects: dict[str, tuple[str, ...]] = {}
    for ids, subject in log_records(path, tips.values(), ["--topo-order", "--format=%H %P%x1f%s"]):
        oid, *parents = ids.split()
        order[oid] = len(order)
        subjects[subject] = (*subjects.get(subject, ()), oid)
        for parent in parents:
            masks[parent] |= masks[oid]
    return order, subjects


def _reverts(path: Path | str, graph: Graph) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    only = ["--no-merges", "-i", "--grep=^This reverts ", "--format=%H%x1f%B"]
    for revert, message in log_records(path, graph.tips.values(), only):
        for oid in filter(None, map(graph.full_oid, reverted(message))):
            found[oid] = (*found.get(oid, ()), revert)
    return found


def log_records(path: Path | str, tips: Iterable[str], options: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """What `git log OPTIONS TIPS` says, split at the unit separators of its --format."""
    wanted = "".join(f"{oid}\n" for oid in sorted(set(tips)))
    if not wanted:
        return
    args = ["log", "-z", "--no-color", "--encoding=UTF-8", *options, "--stdin"]
    out = run_git(args, git_dir=path, input=wanted.encode(), timeout=LOG_TIMEOUT)
    for record in out.split(b"\0"):
        if record:
            yield tuple(record.decode("utf-8", "surrogateescape").split("\x1f"))
