"""Advisories that build on others: on what ground to try, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q

from backports.engine.diff import parse_series
from backports.engine.result import Outcome
from backports.git.patches import format_series
from backports.git.results import commit_series, open_results
from backports.git.transfer import copy_ref
from backports.git.tree import GitTree
from backports.models import Attempt, UpstreamFix
from xsa.models import Advisory, Fix
from xsa.visibility import same_secrecy

from .moved import STUCK
from .places import attempt_ref, ground_ref, mirror_path, results_path
from .planning import fixes_for, key_now, plan, settled_key
from .trying import try_patches


@dataclass(frozen=True, slots=True)
class Ground:
    """A tree to try on other than the branch itself: our result for advisory `number`, at commit `tip`.

    It lies in the result repository of the advisory that is tried, under `refs/prerequisites/`.
    """

    number: int = 0
    tip: str = ""
    numbers: tuple[int, ...] = ()


def grounds(attempt: Attempt, fixes: Sequence[Fix]) -> Iterator[Ground]:
    """Results of ours, on the same branch, for advisories that the fixes build on and that the branch lacks.

    A disclosed advisory is never tried on top of an embargoed one: its result would carry the secret. One that was
    made on an earlier commit of the branch, and stands since the branch's move did not touch it, is made again on
    the present one, for this attempt alone. Raises GitError.
    """
    numbers = {number for fix in fixes for number in fix.prerequisites} - {attempt.advisory.number}
    if not numbers:
        return
    held = UpstreamFix.objects.filter(branch=attempt.branch).values("advisory")
    advisories = same_secrecy(attempt.advisory, Advisory.objects.filter(number__in=numbers).exclude(pk__in=held))
    usable = Attempt.objects.filter(
        Q(tip=attempt.tip) | Q(seen_tip=attempt.tip),
        advisory__in=advisories,
        branch=attempt.branch,
        current=True,
        outcome__in=[Outcome.APPLIED, Outcome.NEEDS_PREREQUISITE],
    )
    # Two that name each other would build on one another without end.
    usable = usable.exclude(prerequisites__contains=[attempt.advisory.number]).exclude(result="")
    # One that needs commits which nobody put in has only a part of its fix as its result.
    usable = usable.exclude(outcome=Outcome.NEEDS_PREREQUISITE, prerequisites=[])
    for row in usable.select_related("advisory", "branch__repository").order_by("-advisory__number"):
        if tip := _carried(row, attempt) if row.tip == attempt.tip else _made_again(row, attempt):
            yield Ground(row.advisory.number, tip, (*row.prerequisites, row.advisory.number))


def _carried(row: Attempt, attempt: Attempt) -> str:
    """The result's own commits, in the repository of the one that builds on them."""
    below, path = (results_path(attempt.branch.repository.name, one.advisory.number) for one in (row, attempt))
    open_results(path, mirror_path(attempt.branch.repository.name))
    copy_ref(below, attempt_ref(row.pk), path, ground_ref(attempt.pk, row.advisory.number))
    return row.result


def _made_again(row: Attempt, attempt: Attempt) -> str:
    """The result's patches on the attempt's own commit; "" when they do not all land there."""
    mirror, path = mirror_path(attempt.branch.repository.name), row.branch.repository.name
    below = open_results(results_path(path, row.advisory.number), mirror)
    mails = format_series(below, row.tip, row.result)
    patches = tuple(patch for mail in mails for patch in parse_series(mail))
    repo = open_results(results_path(path, attempt.advisory.number), mirror)
    result = try_patches(str(row.pk), patches, GitTree(repo, attempt.tip)).result
    if result is None or result.outcome is not Outcome.APPLIED:
        return ""
    return commit_series(repo, attempt.tip, result, ground_ref(attempt.pk, row.advisory.number))


def has_prerequisites(attempt: Attempt) -> bool:
    """Whether any fix of its advisory builds on other advisories."""
    project = attempt.branch.repository.project
    rows = Fix.objects.filter(version__advisory=attempt.advisory_id, tree=project)
    return rows.exclude(prerequisites=[]).exists()


def note_start(attempt: Attempt) -> None:
    """Write down on which state of its prerequisites an attempt starts; they may have landed since it was planned."""
    key = key_now(attempt)
    if key != attempt.input_key:
        Attempt.objects.filter(pk=attempt.pk, lease=attempt.lease).update(input_key=key)


def note_end(attempt: Attempt, outcome: Outcome) -> int:
    """Have a stuck attempt tried again when a prerequisite landed meanwhile; returns how many new attempts there are.

    One that came through by itself no longer depends on its prerequisites.
    """
    branch = attempt.branch
    if outcome in STUCK:
        return plan(branch.repository, because="prerequisite", advisories=[attempt.advisory], branches=[branch]).to_try
    fixes = fixes_for(branch.repository.project, [attempt.advisory])[attempt.advisory_id]
    Attempt.objects.filter(pk=attempt.pk).update(input_key=settled_key(fixes, branch))
    return 0


def replan_dependents(attempt: Attempt) -> int:
    """New attempts for advisories that name this one as a prerequisite and have not come through on its branch."""
    waiting = Attempt.objects.filter(
        branch=attempt.branch,
        current=True,
        outcome__in=STUCK,
        advisory__versions__fixes__prerequisites__contains=[attempt.advisory.number],
    ).values("advisory")
    advisories = list(Advisory.objects.filter(pk__in=waiting).exclude(pk=attempt.advisory_id))
    if not advisories:
        return 0
    made = plan(
        attempt.branch.repository,
        because="prerequisite",
        advisories=advisories,
        branches=[attempt.branch],
    )
    return made.to_try
