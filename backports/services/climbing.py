"""A cell's sources tried on one tree, nearest first: upstream's fixes, then our result on the next newer branch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pygit2
from django.db.models import F, Q

from backports.engine.compare import differing_paths
from backports.engine.guards import SymbolReader, Symbols
from backports.engine.result import Outcome
from backports.git.bases import Base, How, find_base, with_base
from backports.git.errors import GitError
from backports.git.store import commit_at, open_repository
from backports.git.tree import GitTree
from backports.models import Attempt, Branch
from xsa.models import Fix

from . import evidence
from .names import added_names, is_filled, names_at, symbols_of
from .places import mirror_path
from .sources import KEPT_SOURCES, Source, read_result, read_source
from .trying import Tried, choose, inherited, try_patches
from .upstream import upstreams

MOST_PATHS = 20
MOST_LEFT = 4  # hunks that did not land, of a fix that another source may bring whole


@dataclass(frozen=True, slots=True)
class Climbed:
    """What every source gave that was tried, in order; `best` is one of them and `source` is what it was made of."""

    best: Tried
    source: Source
    tried: tuple[tuple[Source, Tried], ...]

    @property
    def all_tried(self) -> list[Tried]:
        """Every try, in order."""
        return [tried for _, tried in self.tried]

    def summary(self) -> list[dict[str, Any]]:
        """The `sources` part of the evidence."""
        return [
            {**_summary(source, tried, chosen=tried is self.best), **_beside(tried, self.best)}
            for source, tried in self.tried
        ]


@dataclass(frozen=True, slots=True)
class Place:
    """A tree to try on: commit `tip` of `repo`; `above` is what it has on top of the branch itself, as commits."""

    repo: pygit2.Repository
    tip: str
    branch_tip: str


class Climber:
    """The sources of one cell: `fixes` in the order in which they are tried, and `above` after them."""

    def __init__(self, attempt: Attempt, fixes: Sequence[Fix], siblings: Sequence[Fix], above: Attempt | None) -> None:
        self.branch = attempt.branch
        self.fixes = fixes
        self.siblings = siblings
        self.above = above
        self.has_names = is_filled(attempt.branch)

    def climb(self, place: Place) -> Climbed:
        """Until one is beyond doubt, or leaves too much to a person; what says the same as another is passed over."""
        tried: list[tuple[Source, Tried]] = []
        for fix in self.fixes:
            source = read_source(fix)
            if any(source.says_the_same(other) for other, _ in tried):
                continue
            source = based(source, self.siblings, place.repo, self.branch)
            tried.append((source, self.try_one(source, place)))
            if tried[-1][1].confident or _is_far_from_whole(tried[-1][1]):
                break
        else:
            tried += self.try_above(place)
        best = choose([one for _, one in tried])
        return Climbed(best, next(source for source, one in tried if one is best), tuple(tried))

    def try_above(self, place: Place) -> list[tuple[Source, Tried]]:
        """Our own result for the next newer branch, when there is one."""
        if self.above is None:
            return []
        source = read_result(self.above)
        return [(source, inherited(self.try_one(source, place), self.above.probability))]

    def try_one(self, source: Source, place: Place) -> Tried:
        if source.problem_code:
            return Tried(source.label, Outcome.MALFORMED, None, source.problem_code, source.problem)
        held = _held(place.repo, source.base)
        tree = GitTree(place.repo, place.tip, base_treeish=held or None)
        return try_patches(source.label, source.patches, tree, self.symbols(held, source, place))

    def made_for(self, source: Source) -> Branch | None:
        """The branch that a source of unknown base was made for: in this repository, or else upstream's."""
        own, kept = Q(repository=self.branch.repository_id), Q(repository__organisation=None)
        project = self.branch.repository.project
        rows = Branch.objects.filter(own | kept, repository__project=project, name=source.branch, gone=False)
        found = rows.select_related("repository").order_by(F("repository__organisation").asc(nulls_last=True))
        return found.first()

    def symbols(self, held: str, source: Source, place: Place) -> Symbols | None:
        """What the tree names, and what the tree names that the source was made on: at `held`, or as it is now."""
        if not self.has_names:
            return None
        found = symbols_of(place.repo, place.branch_tip, held or place.branch_tip)
        # Where that branch is not in this repository, a base found here is one of the target's own commits.
        is_own = self.branch.repository.organisation_id is not None
        row = self.made_for(source) if is_own or not held else None
        if row and (not held or row.repository_id != self.branch.repository_id):
            found = replace(found, source=names_at(row))
        if place.tip == place.branch_tip:
            return found
        here = symbols_of(place.repo, place.tip, place.tip).target
        more = added_names(place.repo, place.branch_tip, place.tip)
        return replace(found, target=_More(found.target, more, here))


@dataclass(frozen=True, slots=True)
class _More:
    """A reader's names and some more; `tree` is asked what it includes, of which nothing is kept on disk."""

    below: SymbolReader
    more: Collection[bytes]
    tree: SymbolReader

    def declared(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        return self.below.declared(names, path) | self._here(names)

    def present(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        return self.below.present(names, path) | self._here(names)

    def holding(self, name: bytes, path: str) -> Iterator[str]:
        return self.below.holding(name, path)

    def read(self, path: str) -> bytes:
        return self.below.read(path)

    def headers(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        return self.tree.headers(names, path)

    def brought(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:
        return self.tree.brought(names, path, includes)

    def reached(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:
        return self.tree.reached(names, path, includes)

    def _here(self, names: Collection[bytes]) -> frozenset[bytes]:
        return frozenset(name for name in names if name in self.more)


_bases: OrderedDict[tuple[UUID, str, str], Source] = OrderedDict()


def based(source: Source, siblings: Sequence[Fix], repo: pygit2.Repository, branch: Branch) -> Source:
    """The source with the commit that its patches were made on, looked for when they came in as files.

    A commit of the same advisory that says the same tells it; else the repository is searched. A worker
    meets the same fix on many branches in a row, so the last few stay in memory.
    """
    if source.base or source.problem_code:
        return source
    key = source.fix.pk, source.fix.digest, branch.repository.name
    if key not in _bases:
        while len(_bases) >= KEPT_SOURCES:
            _bases.popitem(last=False)
        _bases[key] = _with_base(source, _sibling_base(source, siblings) or _searched(source, repo, branch), repo)
    return _bases[key]


def _sibling_base(source: Source, siblings: Sequence[Fix]) -> Base | None:
    for fix in siblings:
        if fix.branch == source.fix.branch and fix.pk != source.fix.pk and fix.patches.all():
            other = read_source(fix)
            if other.base and other.says_the_same(source):
                return Base(other.base, How.COMMIT, f"Upstream's commit for {fix.branch} says the same.")
    return None


def _searched(source: Source, repo: pygit2.Repository, branch: Branch) -> Base | None:
    rows = branch.repository.branches.filter(gone=False).order_by("-rank")
    others = upstreams(branch)
    found = _found_at(repo, source, rows)
    if found is None and others:
        found = _found_at(open_repository(mirror_path(others[0].repository.name)), source, others)
    return found


def _found_at(repo: pygit2.Repository, source: Source, rows: Iterable[Branch]) -> Base | None:
    likeliest = sorted(rows, key=lambda row: (row.name != source.fix.branch, row.history_only))
    try:
        return find_base(repo, source.patches, {row.name: row.tip for row in likeliest})
    except GitError:
        return None


def _with_base(source: Source, base: Base | None, repo: pygit2.Repository) -> Source:
    if base is None or not _held(repo, base.oid):
        return source
    return replace(source, base=base.oid, base_told=base.sentence, patches=with_base(repo, source.patches, base.oid))


def _held(repo: pygit2.Repository, oid: str) -> str:
    """The commit when the repository holds it, else ""."""
    try:
        return str(commit_at(repo, oid).id) if oid else ""
    except GitError:
        return ""


def _is_far_from_whole(tried: Tried) -> bool:
    """Whether so much of a fix is left for a person that no other source would land it."""
    if tried.outcome is not Outcome.PARTLY_APPLIED or tried.result is None:
        return False
    landed, total = evidence.landed(tried.result)
    return total - landed > MOST_LEFT


def _beside(tried: Tried, best: Tried) -> dict[str, Any]:
    """Where a whole result reads otherwise than the one that is used: two sources are two witnesses."""
    both = tried.outcome is best.outcome is Outcome.APPLIED and tried is not best
    if not both or tried.result is None or best.result is None:
        return {}
    return {"differs_in": [evidence.text(path) for path in differing_paths(best.result, tried.result)][:MOST_PATHS]}


def _summary(source: Source, tried: Tried, *, chosen: bool) -> dict[str, Any]:
    result = tried.result
    done, total = evidence.landed(result) if result else (0, 0)
    return {
        "branch": source.branch,
        "origin": source.origin,
        "outcome": tried.outcome.value,
        "rung": (result.rung or "") if result else "",
        "confidence": (result.confidence or "") if result else "",
        "probability": result.probability if result else None,
        "landed": done,
        "total": total,
        "base": source.base,
        "base_told": source.base_told,
        "problem_code": tried.problem_code,
        "problem": tried.problem,
        "chosen": chosen,
    }
