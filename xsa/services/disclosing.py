"""Who decides that an advisory is opened: two people before its time, one at its time, nobody when it is over."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from xsa import audit
from xsa.identity import everything
from xsa.models import Advisory, DisclosureRequest, User
from xsa.permissions import can_confirm_disclosure, can_disclose, can_plan_disclosure, demand

from .disclose import disclose
from .plans import standing_plan

log = logging.getLogger(__name__)
ON_SCHEDULE = "on schedule"


def _held(advisory: Advisory) -> Advisory:
    """The advisory as it is now, kept so until the transaction ends: no date moves and no version comes meanwhile."""
    with everything("disclose"):
        return Advisory.objects.select_for_update().get(pk=advisory.pk)


@transaction.atomic
def ask(actor: User, *, advisory: Advisory, reason: str) -> DisclosureRequest:
    """Ask to open an advisory before its time; another person must confirm. Raises PermissionDenied.

    One that is open already is returned as it is; one that grew too old is closed.
    """
    demand(can_plan_disclosure(actor, _held(advisory)))
    now = timezone.now()
    before = DisclosureRequest.objects.filter(advisory=advisory, closed_at=None).first()
    if before is not None and before.is_open(now):
        return before
    if before is not None:
        DisclosureRequest.objects.filter(pk=before.pk).update(closed_at=now)
    row = DisclosureRequest.objects.create(advisory=advisory, reason=reason, asked_by=actor, asked_at=now)
    log.info("disclosure asked for advisory=%s actor=%s", advisory.pk, actor.pk)
    audit.record("disclosure-asked", actor=actor, advisory=advisory, thing=row, reason=reason)
    return row


@transaction.atomic
def withdraw(actor: User, *, request: DisclosureRequest) -> bool:
    """End a request without opening anything; False when it was over. Raises PermissionDenied."""
    demand(can_plan_disclosure(actor, request.advisory))
    rows = DisclosureRequest.objects.filter(pk=request.pk, closed_at=None)
    ended = bool(rows.update(closed_at=timezone.now()))
    if ended:
        audit.record("disclosure-withdrawn", actor=actor, advisory=request.advisory, thing=request)
    return ended


@transaction.atomic
def confirm(actor: User, *, request: DisclosureRequest) -> bool:
    """Open the advisory as the second person. Raises PermissionDenied."""
    _held(request.advisory)
    held = DisclosureRequest.objects.select_related("advisory").get(pk=request.pk)
    now = timezone.now()
    demand(can_confirm_disclosure(actor, held, now=now))
    DisclosureRequest.objects.filter(pk=held.pk).update(confirmed_by=actor)
    return disclose(actor, advisory=held.advisory, reason=held.reason, at=now)


@transaction.atomic
def disclose_alone(actor: User, *, advisory: Advisory, reason: str, already_public: bool) -> bool:
    """Open an advisory as one person: at or after its planned time, or as public already. Raises PermissionDenied."""
    now = timezone.now()
    advisory = _held(advisory)
    planned = standing_plan(advisory)
    demand(can_disclose(actor, advisory, planned=planned, now=now, already_public=already_public))
    if already_public:
        DisclosureRequest.objects.filter(advisory=advisory, closed_at=None).update(closed_at=now)
        DisclosureRequest.objects.create(
            advisory=advisory, reason=reason, already_public=True, asked_by=actor, asked_at=now, closed_at=now
        )
    return disclose(actor, advisory=advisory, reason=reason, at=now)


def disclose_due(now: datetime) -> Iterator[UUID]:
    """Open what is due, each in a transaction of its own; yields the ids of what was opened.

    One that cannot be opened stays closed and is told by its id; the others are opened all the same.
    """
    with everything("disclose"):
        due = Advisory.objects.filter(disclosed_at=None, planned_disclosure_at__lte=now)
        ids = list(due.order_by("number").values_list("pk", flat=True))
    for pk in ids:
        try:
            if _disclose_if_due(pk, now):
                yield pk
        except Exception as error:
            log.error("disclosure failed advisory=%s error=%s", pk, type(error).__name__)


def _disclose_if_due(pk: UUID, now: datetime) -> bool:
    """Looked at again under a lock: the date may have been moved this very moment."""
    with transaction.atomic(), everything("disclose"):
        row = Advisory.objects.select_for_update().get(pk=pk)
        planned = standing_plan(row)
        if planned is None or planned > now:
            return False
        return disclose(None, advisory=row, reason=ON_SCHEDULE, at=now)
