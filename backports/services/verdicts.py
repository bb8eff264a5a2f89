"""The server's verdict on patches that somebody made for a branch: the same ladder as for an attempt, asked at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pygit2

from backports.engine.diff import Patch
from backports.engine.errors import EngineError
from backports.engine.guards import Symbols
from backports.engine.result import Outcome, SeriesResult
from backports.git.bases import Base, find_base, with_base
from backports.git.errors import GitError
from backports.git.results import commit_series, open_results
from backports.git.store import open_repository
from backports.git.tree import GitTree
from backports.models import Branch
from xsa.models import Advisory

from . import evidence
from .names import is_filled, symbols_of
from .places import mirror_path, results_path
from .planning import fixes_for
from .sources import Source, by_nearness, read_source
from .trying import Tried, apply_on, choose
from .upstream import upstreams, with_upstream

# Whoever sends a patch waits for the answer: what it was made on is sought so far back from the branch's end, which
# takes a twentieth of the time that all of its history would where a file changed often.
RECENT = timedelta(days=730)
_LANDED = (Outcome.APPLIED, Outcome.ALREADY_APPLIED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: tried on commit `base`, with `result` and the tip `made` of its commits ("" when nothing landed).

    `duration_ms` is in milliseconds.
    """

    outcome: Outcome
    base: str
    result: SeriesResult | None = None
    made: str = ""
    problem_code: str = ""
    problem: str = ""
    duration_ms: int = 0
    evidence: dict[str, Any] = field(default_factory=dict)


def official_fix(advisory: Advisory, branch: Branch) -> Source | None:
    """The advisory's own fix that is nearest to a branch; None where there is none, or none that can be read."""
    fixes = fixes_for(branch.repository.project, [advisory]).get(advisory.pk, [])
    sources = (read_source(fix) for fix in by_nearness(fixes, branch))
    return next((source for source in sources if source.patches), None)


def judge(branch: Branch, patches: Sequence[Patch], *, official: Source | None, number: int, ref: str) -> Verdict:
    """Try patches on a branch's tip and keep what they give at `ref` of the results for advisory `number`.

    A broken environment is an outcome too: whatever was sent is kept all the same.
    """
    begin = time.monotonic()
    try:
        found = _judged(branch, tuple(patches), official, number, ref)
    except (EngineError, GitError) as error:
        found = Verdict(Outcome.ERROR, branch.tip, problem_code=error.code, problem=error.sentence)
    return replace(found, duration_ms=round((time.monotonic() - begin) * 1000))


def _judged(branch: Branch, patches: tuple[Patch, ...], official: Source | None, number: int, ref: str) -> Verdict:
    mirror = mirror_path(branch.repository.name)
    repo = with_upstream(open_repository(mirror), branch.repository)
    result = _climb(repo, branch, patches, official)
    made = ""
    if any(patch.changes for patch in result.patches):
        made = commit_series(
            open_results(results_path(branch.repository.name, number), mirror), branch.tip, result, ref
        )
    return Verdict(result.outcome, branch.tip, result, made, evidence=evidence.as_json(result))


def _climb(
    repo: pygit2.Repository, branch: Branch, patches: tuple[Patch, ...], official: Source | None
) -> SeriesResult:
    """Patches are made for the branch as it stands, so that is tried first; only then is looked for what they were
    made on, which takes longer.
    """
    symbols = symbols_for(repo, branch, official)
    straight = apply_on(GitTree(repo, branch.tip, base_treeish=branch.tip), patches, symbols)
    if straight.outcome in _LANDED:
        return straight
    base = _base(repo, branch, patches)
    if base is None or base.oid == branch.tip:
        return straight
    tree = GitTree(repo, branch.tip, base_treeish=base.oid)
    merged = apply_on(tree, with_base(repo, patches, base.oid), symbols)
    tries = [Tried("straight", straight.outcome, straight), Tried("merged", merged.outcome, merged)]
    return choose(tries).result or straight


def _base(repo: pygit2.Repository, branch: Branch, patches: tuple[Patch, ...]) -> Base | None:
    """What they were made on: a commit of the branch, or of upstream's of the same version."""
    since = branch.tip_date - RECENT
    found = find_base(repo, patches, {branch.name: branch.tip}, since=since)
    other = next(iter(upstreams(branch)), None) if found is None else None
    if other is not None:
        known = open_repository(mirror_path(other.repository.name))
        found = find_base(known, patches, {other.name: other.tip}, since=other.tip_date - RECENT)
    return found


def symbols_for(repo: pygit2.Repository, branch: Branch, official: Source | None) -> Symbols | None:
    """What the branch names beside what the fix's authors had: names that only they have are told as missing."""
    if not is_filled(branch):
        return None
    newest = branch.repository.branches.filter(gone=False).order_by("-rank").values_list("tip", flat=True).first()
    base = official.base if official and official.base and repo.get(official.base) else newest
    return symbols_of(repo, branch.tip, base or branch.tip)
