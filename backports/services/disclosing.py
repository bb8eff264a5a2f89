"""What follows a disclosure: results that others could not build on may be built on now, so cells are planned again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from backports.models import Repository
from xsa.identity import everything
from xsa.models import Advisory, DisclosureRequest, PlannedDate, User
from xsa.services import disclosing, plans

from . import attempts, events
from .planning import plan

log = logging.getLogger(__name__)
BECAUSE = "disclosed"


@transaction.atomic
def disclose_alone(actor: User, *, advisory: Advisory, reason: str, already_public: bool) -> bool:
    """Open an advisory as one person. Raises PermissionDenied."""
    opened = disclosing.disclose_alone(actor, advisory=advisory, reason=reason, already_public=already_public)
    if opened:
        replan_later([advisory.pk])
    return opened


@transaction.atomic
def confirm(actor: User, *, request: DisclosureRequest) -> bool:
    """Open an advisory as the second person. Raises PermissionDenied."""
    opened = disclosing.confirm(actor, request=request)
    if opened:
        replan_later([request.advisory_id])
    return opened


@transaction.atomic
def plan_disclosure(actor: User, *, advisory: Advisory, at: datetime) -> PlannedDate:
    """Confirm the planned date, or move it. Raises PermissionDenied."""
    row = plans.plan_disclosure(actor, advisory=advisory, at=at)
    if row.moved:
        events.tell(events.PLAN_MOVED, advisory=advisory, thing=row.pk)
    return row


@shared_task(name="backports.disclose_due")
@everything("disclose")
def disclose_due() -> int:
    """On schedule: open what is due; returns how many there were."""
    opened = list(disclosing.disclose_due(timezone.now()))
    replan_later(opened)
    return len(opened)


def replan_later(ids: Iterable[UUID]) -> None:
    """Tell of the disclosure, and have the cells planned again by a worker once it is committed."""
    for advisory in Advisory.objects.filter(pk__in=list(ids)):
        pk = advisory.pk
        events.tell(events.ADVISORY_DISCLOSED, advisory=advisory)
        transaction.on_commit(lambda pk=pk: replan_disclosed.delay(str(pk)))  # type: ignore[misc]


@shared_task(name="backports.replan_disclosed")
@everything("disclose")
def replan_disclosed(pk: str) -> int:
    """New attempts for an advisory that was opened, and for those that build on it; returns how many there are."""
    advisory = Advisory.objects.get(pk=pk)
    if advisory.embargoed:
        return 0
    dependents = Advisory.objects.filter(versions__fixes__prerequisites__contains=[advisory.number]).distinct()
    wanted = list({row.pk: row for row in (advisory, *dependents)}.values())
    plans = [plan(repository, because=BECAUSE, advisories=wanted) for repository in Repository.objects.all()]
    made = sum(one.to_try for one in plans)
    if made:
        attempts.send()
    log.info("planned after disclosure advisory=%s try=%d", pk, made)
    return made
