"""Explains attempts that are stuck, after all attempts are done: which commits stand in the way, and what would help.

It is a task of its own, since it takes seconds where an attempt takes a tenth of one. What it finds joins the
attempt's evidence. Nothing that it proposes is used by itself: the result stays the attempt's own. The outcome
becomes `needs-prerequisite` when a set of commits was tried and makes the whole fix apply.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pygit2
from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from backports.engine.errors import EngineError
from backports.engine.ladder import apply_series
from backports.engine.result import Outcome, SeriesResult
from backports.git.culprits import Culprits, find_culprits
from backports.git.drops import find_drops, without
from backports.git.errors import GitError
from backports.git.prerequisites import PrerequisiteSet, Task, find_set
from backports.git.results import commit_series, open_results
from backports.git.store import open_repository
from backports.git.tree import GitTree, diff_lines
from backports.models import Attempt
from xsa.identity import everything

from .climbing import based
from .explained import culprits_json, drops_json, set_json
from .introduced import with_commits
from .places import mirror_path, results_path
from .planning import fixes_for
from .sources import Source, read_result, read_source
from .trying import Tried, try_patches
from .upstream import with_upstream

log = logging.getLogger(__name__)
QUEUE = "celery"
SEND_AT_ONCE = 200
STUCK = (Outcome.CONFLICT, Outcome.PARTLY_APPLIED)
State = Attempt.State


def unexplained() -> Q:
    """Current attempts that are stuck and that nobody looked into yet."""
    return Q(current=True, state=State.DONE, outcome__in=STUCK, explained_at=None)


def send() -> int:
    """Queue what is to be explained, once no attempt waits any more; returns how many messages were sent."""
    if Attempt.objects.filter(current=True).exclude(state=State.DONE).exists():
        return 0
    now = timezone.now()
    lost = now - timedelta(seconds=settings.RESEND_AFTER)
    unsent = Q(sent_at=None) | Q(sent_at__lt=F("finished_at")) | Q(sent_at__lt=lost)
    rows = Attempt.objects.filter(unexplained() & unsent).order_by("-advisory__number", "-branch__rank")
    ids = list(rows.values_list("pk", flat=True)[:SEND_AT_ONCE])
    Attempt.objects.filter(pk__in=ids).update(sent_at=now)
    for pk in ids:
        message(pk)
    return len(ids)


def send_one(pk: UUID, *, queue: str) -> None:
    """Have one attempt explained now, when it is stuck."""
    if Attempt.objects.filter(unexplained(), pk=pk).exists():
        message(pk, queue=queue, at_once=True)


def message(pk: UUID, *, queue: str = QUEUE, at_once: bool = False) -> None:
    """Tell the workers of one attempt that is to be explained."""
    transaction.on_commit(lambda: explain_attempt.apply_async(args=(str(pk), at_once), queue=queue))


@shared_task(name="backports.explain_attempt")
@everything("attempts")
def explain_attempt(pk: str, at_once: bool = False) -> str:
    """Explain one attempt. Returns its outcome afterwards, or "" when there was nothing to do.

    Hundreds may be queued when a new advisory comes in: while attempts wait it is put off, until it is sent again.
    """
    if not at_once and Attempt.objects.filter(current=True, state=State.WAITING).exists():
        Attempt.objects.filter(unexplained(), pk=pk).update(sent_at=None)
        return ""
    rows = Attempt.objects.filter(unexplained(), pk=pk)
    attempt = rows.select_related("advisory", "branch__repository", "source", "source_attempt").first()
    if attempt is None:
        return ""
    found = _found(attempt)
    outcome = Outcome.NEEDS_PREREQUISITE if "prerequisite_sets" in found else Outcome(attempt.outcome)
    if not _write(attempt, found, outcome):
        return ""
    log.info("attempt explained attempt=%s outcome=%s found=%s", pk, outcome, ",".join(sorted(found)))
    return outcome


def _found(attempt: Attempt) -> dict[str, Any]:
    """What is to be added to the evidence; {} when it cannot be told, which is no reason to try without end."""
    try:
        case = open_case(attempt)
        return _introduced(attempt) | (case.explain() if case else {})
    except (EngineError, GitError) as error:
        log.warning("attempt not explained attempt=%s code=%s", attempt.pk, error.code)
    except Exception as error:
        # The message may quote a patch; the type is enough to find the place.
        log.error("attempt not explained attempt=%s error=%s", attempt.pk, type(error).__name__)
    return {}


def _introduced(attempt: Attempt) -> dict[str, Any]:
    """The result's flags with the commits that brought what it lacks; {} when none lacks anything."""
    flags = attempt.evidence.get("flags", [])
    source = _source(attempt) if any(flag.get("names") for flag in flags) else None
    if source is None or not source.base:
        return {}
    repo = open_repository(mirror_path(attempt.branch.repository.name))
    return {"flags": with_commits(flags, repo, source.base, seconds=settings.EXPLAIN_SECONDS)}


@transaction.atomic
def _write(attempt: Attempt, found: dict[str, Any], outcome: Outcome) -> bool:
    """Adds to the evidence, unless the attempt was replaced or explained meanwhile."""
    row = Attempt.objects.select_for_update(no_key=True).filter(unexplained(), pk=attempt.pk).first()
    if row is None:
        return False
    row.evidence = {**row.evidence, **found}
    row.outcome = outcome
    row.explained_at = timezone.now()
    row.save(update_fields=["evidence", "outcome", "explained_at"])
    return True


def open_case(attempt: Attempt) -> Case | None:
    """The attempt's source and its result, made again; None when there is no such source any more."""
    repo = _repository(attempt)
    source = _source(attempt)
    if source is None or source.problem_code or not source.base:
        return None
    tree = GitTree(repo, attempt.tip, base_treeish=source.base)
    tried = try_patches(source.label, source.patches, tree)
    return Case(attempt, source, tree, tried) if tried.outcome in STUCK and tried.result else None


def _repository(attempt: Attempt) -> pygit2.Repository:
    repository = attempt.branch.repository
    return with_upstream(open_repository(mirror_path(repository.name)), repository)


def _source(attempt: Attempt) -> Source | None:
    """What the attempt's result was made from, with the commit that it was made on."""
    if attempt.source_attempt is not None:
        return read_result(attempt.source_attempt)
    fixes = fixes_for(attempt.branch.repository.project, [attempt.advisory]).get(attempt.advisory_id, [])
    fix = next((one for one in fixes if one.pk == attempt.source_id), None)
    if fix is None:
        return None
    repo = _repository(attempt)
    return based(read_source(fix), fixes, repo, attempt.branch)


@dataclass(frozen=True)
class Case:
    """One stuck attempt: its source, and the result that the source gives on the tree."""

    attempt: Attempt
    source: Source
    tree: GitTree
    tried: Tried

    @property
    def result(self) -> SeriesResult:
        """What the ladder made of the source."""
        assert self.tried.result is not None  # noqa: S101 - `open_case` asks for it
        return self.tried.result

    def explain(self) -> dict[str, Any]:
        """Culprits, a set of prerequisites, and parts to leave out, as far as there are any."""
        mirror, tip = mirror_path(self.attempt.branch.repository.name), self.attempt.tip
        seconds = settings.EXPLAIN_SECONDS
        culprits = find_culprits(mirror, self.result, self.source.base, tip, seconds=seconds)
        found = culprits_json(culprits, self.result)
        found |= self.with_set(culprits, seconds)
        return found | self.with_drops(seconds)

    def with_set(self, culprits: Culprits, seconds: float) -> dict[str, Any]:
        """The smallest set of commits that makes the fix apply, with the whole as commits."""
        mirror = mirror_path(self.attempt.branch.repository.name)
        task = Task(mirror, self.source.patches, self.source.base, self.attempt.tip, self.tree)
        chosen = find_set(task, culprits, seconds=seconds)
        return set_json(chosen, self.commit(_whole(chosen), "prerequisites")) if chosen else {}

    def with_drops(self, seconds: float) -> dict[str, Any]:
        """What may be left out, with what is left of the fix as commits."""
        mirror = mirror_path(self.attempt.branch.repository.name)
        drops = find_drops(mirror, self.result, self.source.base, self.attempt.tip, seconds=seconds)
        if not drops:
            return {}
        patches = without(self.source.patches, drops)
        rest = apply_series(patches, self.tree, differ=diff_lines) if patches else None
        made = self.commit(rest, "drops") if rest and rest.outcome is Outcome.APPLIED else ""
        return drops_json(drops, self.result, rest, made)

    def commit(self, result: SeriesResult, what: str) -> str:
        """The proposal as commits in the advisory's result repository."""
        name, number = self.attempt.branch.repository.name, self.attempt.advisory.number
        repo = open_results(results_path(name, number), mirror_path(name))
        note = f"(proposed for XSA-{number}, from the fix for {self.source.branch})"
        return commit_series(repo, self.attempt.tip, result, proposal_ref(self.attempt.pk, what), note=note)


def proposal_ref(pk: object, what: str) -> str:
    """The ref in an advisory's result repository that holds a proposal for an attempt."""
    return f"refs/proposals/{pk}/{what}"


def _whole(found: PrerequisiteSet) -> SeriesResult:
    """The set and the fix as one result."""
    return replace(found.result, patches=found.patches)
