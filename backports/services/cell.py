"""Finds the outcome of one cell: reads its sources, climbs the ladder, keeps the result as commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from backports.engine.result import Outcome, SeriesResult
from backports.git.changes import full_oid
from backports.git.history import contained, find_by_subject_or_patch_id
from backports.git.results import commit_series, open_results
from backports.git.store import commit_at, open_repository
from backports.git.transfer import copy_ref
from backports.git.tree import GitTree
from backports.models import Attempt
from xsa.models import Fix

from . import evidence
from .comparing import comparison
from .places import mirror_path, results_path
from .planning import fixes_for
from .prerequisites import Ground, grounds
from .sources import Source, by_nearness, nearest_and_master, nothing_to_apply, read_source
from .trying import Tried, choose, code_absent, introducing_commits, try_patches


@dataclass(frozen=True, slots=True)
class Finding:
    """What an attempt found, ready to be written to its row."""

    outcome: Outcome
    tried: Tried | None = None
    source: Fix | None = None
    result: str = ""
    reasons: tuple[str, ...] = ()
    prerequisites: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    problem_code: str = ""
    problem: str = ""

    @classmethod
    def failed(cls, code: str, sentence: str) -> Finding:
        """The environment or we ourselves failed; says nothing about the patch."""
        return cls(Outcome.ERROR, problem_code=code, problem=sentence)

    def columns(self) -> dict[str, Any]:
        """The row's columns."""
        result = self.tried.result if self.tried else None
        done, total = evidence.landed(result) if result else (0, 0)
        return {
            "outcome": self.outcome,
            "rung": (result.rung or "") if result else "",
            "fuzz": result.fuzz if result else 0,
            "confidence": (result.confidence or "") if result else "",
            "hunks_landed": done,
            "hunks_total": total,
            "source": self.source,
            "result": self.result,
            "reasons": list(self.reasons),
            "prerequisites": list(self.prerequisites),
            "paths": list(self.paths),
            "evidence": self.evidence,
            "problem_code": self.problem_code,
            "problem": self.problem,
        }


def _paths(tried: Iterable[Tried]) -> tuple[str, ...]:
    """Every path that the outcome depends on: where each file was looked for, and what the patches call it."""
    found = {
        path
        for one in tried
        if one.result
        for patch in one.result.patches
        for file in patch.files
        for path in (file.path, file.diff.old_path, file.diff.new_path)
        if path
    }
    return tuple(sorted(evidence.text(path) for path in found))


def find(attempt: Attempt) -> Finding:
    """Try the cell. Raises EngineError or GitError when the environment is broken."""
    branch = attempt.branch
    fixes = fixes_for(branch.repository.project, [attempt.advisory]).get(attempt.advisory_id, [])
    if nothing := nothing_to_apply(fixes, branch):
        return _not_affected(f"The advisory's metadata lists {branch.name} with nothing to apply.", nothing)
    chosen = nearest_and_master(by_nearness(fixes, branch))
    if not chosen:
        return Finding.failed("no-source", "The advisory has no fix for this project that could be tried.")
    return _Search(attempt, chosen).run()


def _not_affected(sentence: str, source: Fix, best: Tried | None = None, tried: Sequence[Tried] = ()) -> Finding:
    return Finding(Outcome.NOT_AFFECTED, best, source, reasons=(sentence,), paths=_paths(tried))


def attempt_ref(pk: object) -> str:
    """The ref in an advisory's result repository that holds an attempt's result."""
    return f"refs/attempts/{pk}"


class _Search:
    """One cell's sources tried on one tree."""

    def __init__(self, attempt: Attempt, fixes: Sequence[Fix]) -> None:
        self.attempt = attempt
        self.fixes = fixes
        self.mirror = mirror_path(attempt.branch.repository.name)
        self.repo = open_repository(self.mirror)
        self.tried: list[Tried] = []

    def run(self) -> Finding:
        tree = GitTree(self.repo, self.attempt.tip)
        ground = Ground()
        best, source = self.climb(tree)
        if best.outcome in (Outcome.CONFLICT, Outcome.PARTLY_APPLIED):
            ground, best, source = self.with_prerequisites(best, source)
        if best.outcome is Outcome.CONFLICT and (sentence := self.never_introduced(best, source)):
            return _not_affected(sentence, source.fix, best, self.tried)
        return self.keep(best, source, ground)

    def climb(self, tree: GitTree) -> tuple[Tried, Source]:
        """Nearest source first, until one is beyond doubt; one that says the same as an earlier one is passed over."""
        sources: list[Source] = []
        tried: list[Tried] = []
        for fix in self.fixes:
            source = read_source(fix)
            if any(source.says_the_same(other) for other in sources):
                continue
            sources.append(source)
            tried.append(self.try_one(source, tree))
            if tried[-1].confident:
                break
        best = choose(tried)
        self.tried = tried
        return best, sources[tried.index(best)]

    def try_one(self, source: Source, tree: GitTree) -> Tried:
        if source.problem_code:
            return Tried(str(source.fix.pk), Outcome.MALFORMED, None, source.problem_code, source.problem)
        return try_patches(str(source.fix.pk), source.patches, tree)

    def with_prerequisites(self, best: Tried, source: Source) -> tuple[Ground, Tried, Source]:
        """The same on top of the results for the advisories that the fix builds on, where those are missing."""
        for ground in grounds(self.attempt, self.fixes):
            results = open_repository(results_path(self.attempt.branch.repository.name, ground.number))
            above, its_source = self.climb_quietly(GitTree(results, ground.tip))
            if above.outcome is Outcome.APPLIED:
                return ground, above, its_source
        return Ground(), best, source

    def climb_quietly(self, tree: GitTree) -> tuple[Tried, Source]:
        before = self.tried
        found = self.climb(tree)
        self.tried = before
        return found

    def never_introduced(self, best: Tried, source: Source) -> str:
        """A sentence of evidence when the commits that brought the flaw are not in this branch, else ""."""
        commits = introducing_commits(source.patches)
        if not commits or best.result is None or not code_absent(best.result):
            return ""
        if not all(self.lacks(commit) for commit in commits):
            return ""
        names = ", ".join(commit[:12] for commit in commits)
        return (
            f"The fix names {names} as what it repairs; this branch does not contain it, "
            "and nothing here resembles the lines that the fix changes."
        )

    def lacks(self, commit: str) -> bool:
        """Whether the branch is known to be without a commit, under this oid and under its subject.

        A commit that is not in the mirror proves nothing.
        """
        oid = full_oid(self.mirror, commit)
        name = self.attempt.branch.name
        if oid is None or oid in contained(self.mirror, [oid], [name])[name]:
            return False
        subject = commit_at(self.repo, oid).message.partition("\n")[0]
        return find_by_subject_or_patch_id(self.mirror, name, subject, b"") is None

    def keep(self, best: Tried, source: Source, ground: Ground) -> Finding:
        outcome = best.outcome
        if ground.number and outcome is Outcome.APPLIED:
            outcome = Outcome.NEEDS_PREREQUISITE
        result = best.result
        made = self.commit(result, source, ground) if result else ""
        return Finding(
            outcome,
            best,
            source.fix,
            result=made,
            reasons=result.reasons if result else (),
            prerequisites=ground.numbers,
            paths=_paths([*self.tried, best]),
            evidence={
                "sources": [self.summary(one, best) for one in self.tried],
                **(evidence.as_json(result) if result else {}),
                **(self.compared(result, made, ground) if result and made else {}),
            },
            problem_code=best.problem_code,
            problem=best.problem,
        )

    def compared(self, result: SeriesResult, made: str, ground: Ground) -> dict[str, Any]:
        """The result's commits beside the source's patches."""
        results = results_path(self.attempt.branch.repository.name, self.attempt.advisory.number)
        return comparison(self.mirror, results, ground.tip or self.attempt.tip, made, result)

    def summary(self, tried: Tried, best: Tried) -> dict[str, Any]:
        done, total = evidence.landed(tried.result) if tried.result else (0, 0)
        fix = next(fix for fix in self.fixes if str(fix.pk) == tried.label)
        return {
            "branch": fix.branch,
            "origin": fix.origin,
            "outcome": tried.outcome.value,
            "rung": (tried.result.rung or "") if tried.result else "",
            "confidence": (tried.result.confidence or "") if tried.result else "",
            "landed": done,
            "total": total,
            "problem_code": tried.problem_code,
            "problem": tried.problem,
            "chosen": tried is best,
        }

    def commit(self, result: SeriesResult, source: Source, ground: Ground) -> str:
        """The tree as far as it went, as one commit a patch; "" when nothing changed."""
        if not any(patch.changes for patch in result.patches):
            return ""
        name = self.attempt.branch.repository.name
        path = results_path(name, self.attempt.advisory.number)
        repo = open_results(path, self.mirror)
        if ground.number:
            below = results_path(name, ground.number)
            copy_ref(below, attempt_ref(ground.attempt), path, f"refs/prerequisites/{self.attempt.pk}")
        note = f"(backported from the fix of XSA-{self.attempt.advisory.number} for {source.fix.branch})"
        base = ground.tip or self.attempt.tip
        return commit_series(repo, base, result, attempt_ref(self.attempt.pk), note=note)
