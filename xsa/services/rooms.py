"""What members share about one advisory: who of an organisation is let in, and how far each organisation is."""

from __future__ import annotations

import logging

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from xsa import audit
from xsa.models import Admission, Advisory, Membership, Organisation, Statement, User
from xsa.permissions import can_admit, can_state, demand
from xsa.visibility import visible_advisories

log = logging.getLogger(__name__)


@transaction.atomic
def admit(actor: User, *, membership: Membership, advisory: Advisory) -> Admission:
    """Let a member into one advisory's room; one who is in it stays so. Raises PermissionDenied."""
    demand(can_admit(actor, membership))
    if not visible_advisories(actor).filter(pk=advisory.pk).exists():
        raise PermissionDenied("Nobody lets others see what they do not see themselves.")
    row, made = Admission.objects.get_or_create(
        membership=membership, advisory=advisory, defaults={"admitted_by": actor}
    )
    if made:
        log.info("admitted advisory=%s membership=%s actor=%s", advisory.pk, membership.pk, actor.pk)
        audit.record("admitted", actor=actor, advisory=advisory, thing=membership, organisation=membership.organisation)
    return row


@transaction.atomic
def unadmit(actor: User, *, admission: Admission) -> None:
    """End an admission. Raises PermissionDenied."""
    demand(can_admit(actor, admission.membership))
    membership, advisory = admission.membership, admission.advisory
    Admission.objects.filter(pk=admission.pk).delete()
    log.info("admission ended advisory=%s actor=%s", advisory.pk, actor.pk)
    audit.record(
        "admission-ended", actor=actor, advisory=advisory, thing=membership, organisation=membership.organisation
    )


@transaction.atomic
def state(actor: User, *, organisation: Organisation, advisory: Advisory, branch: str, state: str) -> Statement:
    """Say how far an organisation is with an advisory on one branch. Raises PermissionDenied."""
    demand(can_state(actor, organisation, advisory))
    row = Statement.objects.create(
        advisory=advisory,
        organisation=organisation,
        branch=branch,
        state=state,
        made_by=actor,
        made_at=timezone.now(),
    )
    log.info("statement made advisory=%s organisation=%s actor=%s", advisory.pk, organisation.pk, actor.pk)
    audit.record(
        "stated", actor=actor, advisory=advisory, thing=row, organisation=organisation, branch=branch, state=state
    )
    return row
