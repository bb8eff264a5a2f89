"""What a backport's version holds, read again from its bytes."""

from __future__ import annotations

from backports.engine.diff import Patch, parse_series
from backports.git.store import commit_at, open_repository
from backports.models import BackportVersion

from .places import results_path


def patches_of(version: BackportVersion) -> list[Patch]:
    """The patches in order. Raises EngineError."""
    rows = version.patches.order_by("position")
    return [patch for row in rows for patch in parse_series(bytes(row.data), strip=row.strip)]


def tree_of(version: BackportVersion) -> str:
    """The oid of the tree that the version gives on its base; "" when nothing landed. Raises GitError."""
    if not version.result:
        return ""
    backport = version.backport
    repo = open_repository(results_path(backport.branch.repository.name, backport.advisory.number))
    return str(commit_at(repo, version.result).tree.id)
