"""Finds the outcome of one cell: reads its sources, climbs the ladder, keeps the result as commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backports.engine.result import Outcome, SeriesResult
from backports.git.results import commit_series, open_results
from backports.git.store import open_repository
from backports.git.tree import GitTree
from backports.models import Attempt
from xsa.models import Fix

from . import evidence
from .climbing import Climbed, Climber, Place
from .comparing import comparison
from .finding import Finding, paths_of
from .names import NO_NAMES
from .open_conflicts import conflict_evidence
from .places import attempt_ref, mirror_path, results_path
from .planning import fixes_for, step_down
from .prerequisites import Ground, grounds
from .presence import Asked, Presence, State, presence_of
from .sources import Source, by_nearness, nearest_and_master, nothing_to_apply
from .trying import Tried
from .upstream import with_upstream

UNNAMED = "This branch's names are not indexed yet, so some guards could not look; it is tried again once they are."


def find(attempt: Attempt) -> Finding:
    """Try the cell. Raises EngineError or GitError when the environment is broken."""
    branch = attempt.branch
    fixes = fixes_for(branch.repository.project, [attempt.advisory]).get(attempt.advisory_id, [])
    if nothing := nothing_to_apply(fixes, branch):
        return _not_affected(f"The advisory's metadata lists {branch.name} with nothing to apply.", nothing)
    chosen = nearest_and_master(by_nearness(fixes, branch))
    if not chosen:
        return Finding.failed("no-source", "The advisory has no fix for this project that could be tried.")
    above = step_down(attempt, fixes)
    finding = _Search(attempt, chosen, Climber(attempt, chosen, fixes, above)).run()
    return replace(finding, above=above.result if above else "")


def _not_affected(sentence: str, source: Fix, best: Tried | None = None, tried: Sequence[Tried] = ()) -> Finding:
    return Finding(Outcome.NOT_AFFECTED, best, source, reasons=(sentence,), paths=paths_of(tried))


def told(finding: Finding, known: Presence | None) -> Finding:
    """The finding with what can be said of the flawed code; as a reason too where nobody would expect it."""
    if known is None:
        return finding
    reasons = (*finding.reasons, *((known.sentence,) if known.is_surprising else ()))
    return replace(finding, reasons=reasons, evidence={**finding.evidence, "presence": known.as_json()})


class _Search:
    """One cell's sources tried on one tree, and on top of what they build on."""

    def __init__(self, attempt: Attempt, fixes: Sequence[Fix], climber: Climber) -> None:
        self.attempt = attempt
        self.fixes = fixes
        self.climber = climber
        self.mirror = mirror_path(attempt.branch.repository.name)
        self.results = results_path(attempt.branch.repository.name, attempt.advisory.number)
        self.repo = with_upstream(open_repository(self.mirror), attempt.branch.repository)

    def run(self) -> Finding:
        alone = found = self.climber.climb(Place(self.repo, self.attempt.tip, self.attempt.tip))
        ground = Ground()
        if found.best.outcome in (Outcome.CONFLICT, Outcome.PARTLY_APPLIED):
            ground, found = self.with_prerequisites(found)
        best, source = found.best, found.source
        known = self.presence(alone)
        if known and best.outcome is Outcome.CONFLICT and known.state is State.NEVER:
            finding = _not_affected(known.sentence, source.fix, best, alone.all_tried)
            return replace(finding, evidence={"presence": known.as_json()})
        return told(self.keep(found, alone, ground), known)

    def with_prerequisites(self, alone: Climbed) -> tuple[Ground, Climbed]:
        """The same on top of the results for the advisories that the fix builds on, where those are missing."""
        for ground in grounds(self.attempt, self.fixes):
            results = with_upstream(open_repository(self.results), self.attempt.branch.repository)
            found = self.climber.climb(Place(results, ground.tip, self.attempt.tip))
            if found.best.outcome is Outcome.APPLIED:
                return ground, found
        return Ground(), alone

    def presence(self, found: Climbed) -> Presence | None:
        """What can be said of the flawed code on the branch itself."""
        source, result = found.source, found.best.result
        if result is None:
            return None
        asked = Asked(self.mirror, self.attempt.branch.in_mirror, self.attempt.tip, source.patches, result, source.base)
        return presence_of(asked)

    def keep(self, found: Climbed, alone: Climbed, ground: Ground) -> Finding:
        """The result as commits and the evidence; `alone` is what the sources gave on the branch itself."""
        best, source, result = found.best, found.source, found.best.result
        made = self.commit(result, source, ground) if result else ""
        named = self.climber.has_names or best.problem_code
        return Finding(
            Outcome.NEEDS_PREREQUISITE if ground.number and best.outcome is Outcome.APPLIED else best.outcome,
            best,
            source.fix,
            source.attempt,
            result=made,
            reasons=result.reasons if result else (),
            prerequisites=ground.numbers,
            paths=paths_of([*alone.all_tried, best]),
            evidence={
                "sources": (alone if ground.number else found).summary(),
                **(evidence.as_json(result) if result else {}),
                **(self.compared(result, made, ground) if result and made else {}),
                **(self.conflicts(result) if result and not ground.tip else {}),
            },
            problem_code=best.problem_code if named else NO_NAMES,
            problem=best.problem if named else UNNAMED,
        )

    def conflicts(self, result: SeriesResult) -> dict[str, Any]:
        """The chunks that did not land, as a person's earlier answers are known by them."""
        return conflict_evidence(result, GitTree(self.repo, self.attempt.tip))

    def compared(self, result: SeriesResult, made: str, ground: Ground) -> dict[str, Any]:
        """The result's commits beside the source's patches."""
        return comparison(self.mirror, self.results, ground.tip or self.attempt.tip, made, result)

    def commit(self, result: SeriesResult, source: Source, ground: Ground) -> str:
        """The tree as far as it went, as one commit a patch; "" when nothing changed."""
        if not any(patch.changes for patch in result.patches):
            return ""
        repo = open_results(self.results, self.mirror)
        base = ground.tip or self.attempt.tip
        return commit_series(repo, base, result, attempt_ref(self.attempt.pk), note=self.note(source))

    def note(self, source: Source) -> str:
        """The line below the message that says where the patch is from."""
        if source.attempt is not None:
            return f"(backported from our result for {source.branch})"
        return f"(backported from the fix of XSA-{self.attempt.advisory.number} for {source.branch})"
