"""Advisories that build on others: on what ground to try, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from backports.engine.result import Outcome
from backports.models import Attempt, UpstreamFix
from xsa.models import Advisory, Fix
from xsa.visibility import same_secrecy

from .planning import plan


@dataclass(frozen=True, slots=True)
class Ground:
    """A tree to try on other than the branch itself: our result for advisory `number`, at commit `tip`."""

    number: int = 0
    attempt: UUID | None = None
    tip: str = ""
    numbers: tuple[int, ...] = ()


def grounds(attempt: Attempt, fixes: Sequence[Fix]) -> Iterator[Ground]:
    """Results of ours, on the same branch, for advisories that the fixes build on and that the branch lacks.

    A disclosed advisory is never tried on top of an embargoed one: its result would carry the secret.
    """
    numbers = {number for fix in fixes for number in fix.prerequisites} - {attempt.advisory.number}
    held = UpstreamFix.objects.filter(branch=attempt.branch).values("advisory")
    advisories = same_secrecy(attempt.advisory, Advisory.objects.filter(number__in=numbers).exclude(pk__in=held))
    usable = Attempt.objects.filter(
        advisory__in=advisories,
        branch=attempt.branch,
        current=True,
        tip=attempt.tip,
        outcome__in=[Outcome.APPLIED, Outcome.NEEDS_PREREQUISITE],
    )
    for row in usable.select_related("advisory").order_by("-advisory__number"):
        yield Ground(row.advisory.number, row.pk, row.result, (*row.prerequisites, row.advisory.number))


def replan_dependents(attempt: Attempt) -> int:
    """New attempts for advisories that name this one as a prerequisite and have not come through on its branch."""
    stuck = [Outcome.CONFLICT, Outcome.PARTLY_APPLIED, Outcome.NEEDS_PREREQUISITE]
    waiting = Attempt.objects.filter(
        branch=attempt.branch,
        current=True,
        outcome__in=stuck,
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
