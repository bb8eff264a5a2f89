"""Results that were made for other branches and stand here byte for byte, since the files that they change are here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pygit2
from django.db.models import QuerySet

from backports.engine.result import Outcome
from backports.git.changes import changed_paths
from backports.git.errors import GitError
from backports.git.results import open_results
from backports.git.store import open_repository, tree_at
from backports.models import Attempt, Backport, BackportVersion, Branch
from xsa.models import Advisory
from xsa.visibility import Reader, visible_to

from .places import mirror_path, results_path

MOST = 100  # results that are looked at


@dataclass(frozen=True, slots=True)
class Offer:
    """A result for the same advisory on another branch: an attempt's, or the newest version of a backport."""

    branch: Branch
    attempt: Attempt | None = None
    version: BackportVersion | None = None

    @property
    def pk(self) -> UUID:
        """The id of what is offered."""
        found = self.attempt or self.version
        assert found is not None  # noqa: S101 - exactly one of the two is set
        return found.pk


def offers_for(reader: Reader, *, advisory: Advisory, branch: Branch) -> list[Offer]:
    """What `reader` may see of other repositories' results, and of members' backports on any other branch, and that
    changes files of which `branch` has the same blobs. Empty when the branch's repository cannot be read.
    """
    try:
        here = tree_at(open_repository(mirror_path(branch.repository.name)), branch.tip)
    except GitError:
        return []
    return [offer for offer in _results(reader, advisory, branch) if _stands(here, offer, advisory.number)]


def _results(reader: Reader, advisory: Advisory, branch: Branch) -> Iterator[Offer]:
    attempts = Attempt.objects.filter(advisory=advisory, current=True, outcome=Outcome.APPLIED).exclude(result="")
    attempts = attempts.exclude(branch__repository=branch.repository_id).filter(prerequisites=[])
    rows = visible_to(reader, attempts.defer("evidence")).select_related("branch__repository", "advisory")
    for attempt in rows[:MOST]:
        yield Offer(attempt.branch, attempt=attempt)
    for backport in _backports(reader, advisory, branch)[:MOST]:
        if (version := backport.current) and version.outcome == Outcome.APPLIED and version.result:
            version.backport = backport
            yield Offer(backport.branch, version=version)


def _backports(reader: Reader, advisory: Advisory, branch: Branch) -> QuerySet[Backport]:
    rows = Backport.objects.filter(advisory=advisory, life__in=(Backport.Life.DRAFT, Backport.Life.SHARED))
    rows = visible_to(reader, rows.exclude(branch=branch))
    return rows.select_related("branch__repository", "organisation", "current").defer("current__evidence")


def _stands(here: pygit2.Tree, offer: Offer, number: int) -> bool:
    """Whether every path that the result changes is the same blob here, or as absent."""
    name = offer.branch.repository.name
    base, result = _range(offer)
    try:
        results = results_path(name, number)
        there = tree_at(open_results(results, mirror_path(name)), base)
        paths = changed_paths(results, base, result)
    except GitError:
        return False
    return bool(paths) and all(_blob(here, path) == _blob(there, path) for path in paths or ())


def _range(offer: Offer) -> tuple[str, str]:
    if offer.attempt is not None:
        return offer.attempt.tip, offer.attempt.result
    return (offer.version.base, offer.version.result) if offer.version else ("", "")


def _blob(tree: pygit2.Tree, path: str) -> str:
    try:
        return str(tree[path].id)
    except (KeyError, ValueError):
        return ""
