"""Results that were made for other branches and stand here byte for byte, since the files that they change are here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from uuid import UUID

import pygit2
from django.db.models import QuerySet

from backports.engine.result import Outcome
from backports.git.changes import changed_paths
from backports.git.errors import GitError
from backports.git.results import open_results
from backports.git.store import Recent, open_repository, tree_at
from backports.models import Attempt, Backport, BackportVersion, Branch
from xsa.models import Advisory
from xsa.visibility import Reader, visible_to

from .places import mirror_path, results_path

MOST = 100  # results that are looked at
MOST_AT_ONCE = 2_000  # of all advisories that a page shows
OFFERED = (Backport.Life.DRAFT, Backport.Life.SHARED)


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


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made on `base`, as far as it matters for where else it stands."""

    number: int
    repository: str
    branch: UUID
    base: str
    result: str
    by_us: bool = field(kw_only=True)

    def elsewhere(self, branch: Branch) -> bool:
        """Whether it is no result of that branch's own: an attempt's of the same repository was tried there as well."""
        return self.repository != branch.repository.name if self.by_us else self.branch != branch.pk


def offers_for(reader: Reader, *, advisory: Advisory, branch: Branch) -> list[Offer]:
    """What `reader` may see of other repositories' results, and of members' backports on any other branch, and that
    changes files of which `branch` has the same blobs. Empty when the branch's repository cannot be read.
    """
    return [offer for offer in _results(reader, advisory, branch) if _stands(branch, _made(offer, advisory.number))]


def offered_cells(reader: Reader, cells: Collection[tuple[int, Branch]]) -> set[tuple[int, UUID]]:
    """Those of `cells`, each an advisory's number and a branch, for which `offers_for` has something.

    What a result changes, and which blob a branch has somewhere, are remembered: a page asks for hundreds of cells.
    """
    wanted = defaultdict[int, list[Branch]](list)
    for number, branch in cells:
        wanted[number].append(branch)
    found = set[tuple[int, UUID]]()
    for made in _all_made(reader, wanted.keys()) if wanted else ():
        left = [one for one in wanted[made.number] if (made.number, one.pk) not in found and made.elsewhere(one)]
        found.update((made.number, one.pk) for one in left if _stands(one, made))
    return found


def _all_made(reader: Reader, numbers: Collection[int]) -> Iterator[_Made]:
    where = ("branch__repository__name", "branch")
    attempts = visible_to(reader, _applied().filter(advisory__number__in=numbers))
    columns = ("advisory__number", *where, "tip", "result")
    for number, *rest in attempts.order_by("-advisory__number").values_list(*columns)[:MOST_AT_ONCE]:
        yield _Made(number, *rest, by_us=True)
    whole = Backport.objects.filter(current__outcome=Outcome.APPLIED).exclude(current__result="")
    backports = visible_to(reader, whole.filter(advisory__number__in=numbers, life__in=OFFERED))
    columns = ("advisory__number", *where, "current__base", "current__result")
    for number, *rest in backports.order_by("-advisory__number").values_list(*columns)[:MOST_AT_ONCE]:
        yield _Made(number, *rest, by_us=False)


def _applied() -> QuerySet[Attempt]:
    return Attempt.objects.filter(current=True, outcome=Outcome.APPLIED, prerequisites=[]).exclude(result="")


def _results(reader: Reader, advisory: Advisory, branch: Branch) -> Iterator[Offer]:
    attempts = _applied().filter(advisory=advisory).exclude(branch__repository=branch.repository_id)
    rows = visible_to(reader, attempts.defer("evidence")).select_related("branch__repository", "advisory")
    for attempt in rows[:MOST]:
        yield Offer(attempt.branch, attempt=attempt)
    for backport in _backports(reader, advisory, branch)[:MOST]:
        if (version := backport.current) and version.outcome == Outcome.APPLIED and version.result:
            version.backport = backport
            yield Offer(backport.branch, version=version)


def _backports(reader: Reader, advisory: Advisory, branch: Branch) -> QuerySet[Backport]:
    rows = Backport.objects.filter(advisory=advisory, life__in=OFFERED)
    rows = visible_to(reader, rows.exclude(branch=branch))
    return rows.select_related("branch__repository", "organisation", "current").defer("current__evidence")


def _made(offer: Offer, number: int) -> _Made:
    where = (number, offer.branch.repository.name, offer.branch.pk)
    if offer.attempt is not None:
        return _Made(*where, offer.attempt.tip, offer.attempt.result, by_us=True)
    assert offer.version is not None  # noqa: S101 - exactly one of the two is set
    return _Made(*where, offer.version.base, offer.version.result, by_us=False)


def _stands(branch: Branch, made: _Made) -> bool:
    """Whether every path that the result changes is the same blob here, or as absent."""
    try:
        there = _before(made.repository, made.number, made.base, made.result)
        here = _blobs(branch.repository.name, branch.tip, [path for path, _ in there])
    except GitError:
        return False
    return bool(there) and here == [blob for _, blob in there]


@lru_cache(maxsize=4096)
def _before(repository: str, number: int, base: str, result: str) -> tuple[tuple[str, str], ...]:
    """Each path that a result changes, with the blob that its base has there. Raises GitError."""
    results = results_path(repository, number)
    tree = tree_at(open_results(results, mirror_path(repository)), base)
    return tuple((path, _blob(tree, path)) for path in sorted(changed_paths(results, base, result) or ()))


_known: Recent[tuple[str, str, str], str] = Recent(100_000)


def _blobs(repository: str, tip: str, paths: Sequence[str]) -> list[str]:
    """The blob that a branch has at each path, or "". Raises GitError."""
    found = [_known.find((repository, tip, path)) for path in paths]
    if None not in found:
        return [blob or "" for blob in found]
    tree = tree_at(open_repository(mirror_path(repository)), tip)
    return [_known.get((repository, tip, path), partial(_blob, tree, path)) for path in paths]


def _blob(tree: pygit2.Tree, path: str) -> str:
    try:
        return str(tree[path].id)
    except (KeyError, ValueError):
        return ""
