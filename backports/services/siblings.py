"""A series that a person finished on one branch, tried on the repository's other branches that still lack the fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pygit2
from django.db.models import QuerySet

from backports.engine.diff import Patch, parse_series
from backports.engine.errors import EngineError
from backports.engine.result import Outcome
from backports.git.bases import with_base
from backports.git.errors import GitError
from backports.git.store import open_repository
from backports.git.tree import GitTree
from backports.models import Attempt, Branch
from xsa.models import Advisory

from .evidence import landed
from .lacking import SETTLED
from .places import mirror_path
from .planning import tried_branches
from .sources import Source
from .trying import apply_on
from .upstream import with_upstream
from .verdicts import official_fix, symbols_for


def tried_on_siblings(attempt: Attempt, data: bytes) -> list[dict[str, Any]]:
    """What becomes of `data`, made for the attempt's branch, on each branch where the ladder did not come through.

    A row each, the newest branch first: its id and name, the tip, outcome, rung, confidence, hunks landed and in
    all; what cannot be read or tried is left out, since whoever finished is told of it by the version itself.
    """
    try:
        repository = attempt.branch.repository
        repo = with_upstream(open_repository(mirror_path(repository.name)), repository)
        patches = with_base(repo, tuple(parse_series(data)), attempt.tip)
    except (EngineError, GitError):
        return []
    official = official_fix(attempt.advisory, attempt.branch)
    return [row for other in _stuck(attempt) if (row := _tried(repo, attempt, other, patches, official))]


def unfinished(advisory: Advisory, branch: Branch) -> Attempt | None:
    """The cell's attempt, where it left something to a person."""
    rows = _left().filter(advisory=advisory, branch=branch)
    return rows.select_related("advisory", "branch__repository").first()


def _left() -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(current=True, state=Attempt.State.DONE, prerequisites=[])
    return rows.exclude(outcome__in=(*SETTLED, Outcome.APPLIED)).defer("evidence", "paths", "reasons")


def _stuck(attempt: Attempt) -> Iterable[Attempt]:
    """The cells of the same advisory on the other branches that have something left to do."""
    branches = [one for one in tried_branches(attempt.branch.repository) if one.pk != attempt.branch_id]
    cells = _left().filter(advisory=attempt.advisory_id, branch__in=branches)
    return cells.select_related("branch__repository").order_by("-branch__rank")


def _tried(
    repo: pygit2.Repository, attempt: Attempt, other: Attempt, patches: tuple[Patch, ...], official: Source | None
) -> dict[str, Any] | None:
    branch = other.branch
    try:
        tree = GitTree(repo, branch.tip, base_treeish=attempt.tip)
        result = apply_on(tree, patches, symbols_for(repo, branch, official))
    except (EngineError, GitError):
        return None
    done, total = landed(result)
    return {
        "branch": str(branch.pk),
        "name": branch.name,
        "tip": branch.tip,
        "outcome": result.outcome.value,
        "rung": result.rung or "",
        "confidence": result.confidence or "",
        "landed": done,
        "total": total,
    }
