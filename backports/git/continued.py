"""Which of upstream's commits a source continues that came without history, told by its files alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pygit2

from .changes import changed_paths
from .paths import path_index
from .runner import run_git
from .store import commit_at

MOST_COMMITS = 5_000
LEAST_SAME = 0.9  # of the files that both have
LOG_SECONDS = 60.0
Change = tuple[str, str, str]  # a path, and its blobs before and after


def source_of(upstream: pygit2.Repository, tip: str, tree: pygit2.Tree, own: pygit2.Repository) -> str | None:
    """The commit in the first line of parents from `tip` whose files are most like those of `tree`, which is in `own`.

    None where fewer than half of upstream's files are there, or too many are others. Raises GitError.
    """
    blobs, there = path_index(own, tree).oids, path_index(upstream, commit_at(upstream, tip).tree).oids
    both = len(blobs.keys() & there.keys())
    same = sum(blobs.get(path) == oid for path, oid in there.items())
    best, found = same, tip
    for oid, changes in _first_parents(upstream, tip):
        if same > best:
            best, found = same, oid
        same += sum((blobs.get(path) == before) - (blobs.get(path) == after) for path, before, after in changes)
    return found if 2 * both > len(there) and best >= LEAST_SAME * both else None


def held_by(upstream: pygit2.Repository, source: str, tree: pygit2.Tree, commits: Iterable[str]) -> frozenset[str]:
    """Of `commits` those that `source` builds on, and all of whose files are in `tree` as they are at `source`.

    Raises GitError.
    """
    asked = run_git(["rev-list", source], git_dir=upstream.path, timeout=LOG_SECONDS).decode()
    there, known = commit_at(upstream, source).tree, frozenset(asked.split())
    return frozenset(oid for oid in commits if oid in known and _are_same(upstream, oid, there, tree))


def _are_same(upstream: pygit2.Repository, oid: str, there: pygit2.Tree, here: pygit2.Tree) -> bool:
    commit = commit_at(upstream, oid)
    paths = changed_paths(upstream.path, str(commit.parents[0].id), oid) if commit.parents else None
    return bool(paths) and all(_blob(there, path) == _blob(here, path) for path in paths or ())


def _blob(tree: pygit2.Tree, path: str) -> str:
    try:
        return str(tree[path].id)
    except (KeyError, ValueError):
        return ""


def _first_parents(upstream: pygit2.Repository, tip: str) -> Iterator[tuple[str, list[Change]]]:
    """The commits, newest first, each with what it changed."""
    options = ["--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames", "--format=%x00%H"]
    asked = ["log", "--no-color", *options, f"--max-count={MOST_COMMITS}", tip]
    for record in run_git(asked, git_dir=upstream.path, timeout=LOG_SECONDS).split(b"\0")[1:]:
        oid, *lines = record.decode("utf-8", "surrogateescape").splitlines()
        yield oid, [_change(line) for line in lines if line.startswith(":")]


def _change(line: str) -> Change:
    told, _, path = line.partition("\t")
    _, _, before, after, _ = told.split()
    return path, before, after
