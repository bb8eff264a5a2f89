"""Which paths differ between two commits."""

from __future__ import annotations

from pathlib import Path

import pygit2

from .errors import GitError
from .store import commit_at, open_repository


def changed_paths(path: Path | str, old: str, new: str) -> frozenset[str] | None:
    """Every path that the two commits' trees do not share; None when one of them is not there any more."""
    repo = open_repository(path)
    try:
        before, after = commit_at(repo, old), commit_at(repo, new)
    except GitError:
        return None
    diff = before.tree.diff_to_tree(after.tree, flags=pygit2.enums.DiffOption.SKIP_BINARY_CHECK)
    files = (file for delta in diff.deltas for file in (delta.old_file, delta.new_file))
    return frozenset(file.raw_path.decode("utf-8", "surrogateescape") for file in files)


def full_oid(path: Path | str, abbreviated: str) -> str | None:
    """The commit that an abbreviated oid stands for; None when there is none, or more than one."""
    repo = open_repository(path)
    try:
        found = repo.get(abbreviated)
    except ValueError:
        return None
    return str(found.id) if isinstance(found, pygit2.Commit) else None
