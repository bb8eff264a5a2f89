"""Claims: who is on an advisory on which branches until when, so that two see each other before they start.

A claim is a note and no lock: on a claimed branch one is told who has it, and may claim it all the same by saying so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from backports.models import Backport, Branch, Claim
from xsa import audit
from xsa.identity import everything
from xsa.models import Advisory, Membership, Organisation, User
from xsa.permissions import can_claim, demand

from . import events
from .errors import NotDone

log = logging.getLogger(__name__)
LONGEST = timedelta(days=30)
Ended = Claim.Ended


class Claimed(NotDone):
    """Others are on it; `claims` are theirs."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        told = "; ".join(
            f"{one.organisation.name} is on {one.branch.name} until {one.until:%Y-%m-%d %H:%M} UTC" for one in claims
        )
        super().__init__("claimed", f"{told}. Say that you are on it also, or leave it to them.", "also")
        self.claims = claims


def open_claims(now: datetime | None = None) -> QuerySet[Claim]:
    """Those whose organisation is on it; to be narrowed to what a reader may see."""
    rows = Claim.objects.filter(ended_at=None, until__gt=now or timezone.now())
    return rows.select_related("advisory", "organisation", "offered_to", "branch__repository")


def stretch(branches: QuerySet[Branch], first: Branch, last: Branch) -> list[Branch]:
    """From one branch to another of the same repository, both included, in whichever order they were named.

    `branches` are such as the actor may see. Raises NotDone.
    """
    if first.repository_id != last.repository_id:
        raise NotDone("two-repositories", "Both ends must be branches of one repository.", "last")
    ranks = sorted((first.rank, last.rank))
    rows = branches.filter(repository=first.repository_id, rank__gte=ranks[0], rank__lte=ranks[1])
    return list(rows.filter(gone=False, history_only=False).order_by("rank", "name"))


@transaction.atomic
def claim(
    actor: User,
    *,
    organisation: Organisation,
    advisory: Advisory,
    branches: Sequence[Branch],
    until: datetime,
    also: bool = False,
) -> list[Claim]:
    """Say that an organisation is on `branches` until then; where it is already, its time is set anew.

    Raises PermissionDenied, NotDone, and Claimed where others are on one of them and it is not said that they `also`
    are. Two who claim at once go one after the other.
    """
    demand(can_claim(actor, organisation, advisory))
    now = timezone.now()
    if not now < until <= now + LONGEST:
        raise NotDone("bad-time", "A claim ends at a time to come, within 30 days.", "until")
    if not branches:
        raise NotDone("no-branch", "Name a branch that is maintained.", "first")
    _lock(advisory)
    there = open_claims(now).filter(advisory=advisory, branch__in=branches).order_by("branch__rank", "made_at")
    others = list(there.exclude(organisation=organisation))
    if others and not also:
        raise Claimed(others)
    _expire(Claim.objects.filter(advisory=advisory, organisation=organisation), now)
    taken = {one.branch_id for one in others}
    return [_one(actor, organisation, advisory, branch, until, also=branch.pk in taken) for branch in branches]


def _one(
    actor: User, organisation: Organisation, advisory: Advisory, branch: Branch, until: datetime, *, also: bool
) -> Claim:
    cell = {"advisory": advisory, "branch": branch, "organisation": organisation}
    values = {"made_by": actor, "made_at": timezone.now(), "until": until, "also": also}
    row, made = Claim.objects.get_or_create(**cell, ended_at=None, defaults=values)
    if made or row.until != until:
        Claim.objects.filter(pk=row.pk).update(until=until)
        row.until = until
        _told(actor, row, "claimed", events.CLAIM_MADE, until=until, also=also)
    return row


@transaction.atomic
def release(actor: User, *, claims: Sequence[Claim]) -> list[Claim]:
    """End claims of one's organisation early; those that ended meanwhile stay so. Raises PermissionDenied."""
    rows = _locked(claims)
    for row in rows:
        demand(can_claim(actor, row.organisation, row.advisory))
    return [_end(actor, row, Ended.RELEASED) for row in rows]


@transaction.atomic
def offer(actor: User, *, claims: Sequence[Claim], to: Organisation | None) -> list[Claim]:
    """Offer claims to another organisation, which accepts or does not; None takes the offer back.

    Raises PermissionDenied, NotDone.
    """
    rows = _locked(claims)
    for row in rows:
        demand(can_claim(actor, row.organisation, row.advisory))
        if to is not None and (to.pk == row.organisation_id or not (to.listed or to.security_team)):
            raise NotDone("bad-heir", "Offer it to another organisation that is on the list.", "to")
        Claim.objects.filter(pk=row.pk).update(offered_to=to)
        row.offered_to = to
        if to is not None:
            _told(actor, row, "claim-offered", events.CLAIM_OFFERED, to=str(to.pk))
    return rows


@transaction.atomic
def answer(actor: User, *, claims: Sequence[Claim], accept: bool) -> list[Claim]:
    """Take claims over that were offered to one's organisation, until the same time; or leave them where they are.

    Returns one's own claims, or those that were left. Raises PermissionDenied, NotDone.
    """
    found = []
    for row in _locked(claims):
        if row.offered_to is None:
            raise NotDone("not-offered", "It is not offered any more.")
        demand(can_claim(actor, row.offered_to, row.advisory))
        found.append(_taken_over(actor, row, row.offered_to) if accept else _declined(actor, row))
    return found


def _taken_over(actor: User, row: Claim, heir: Organisation) -> Claim:
    _end(actor, row, Ended.HANDED_OVER)
    _expire(Claim.objects.filter(advisory=row.advisory, organisation=heir), timezone.now())
    mine = _one(actor, heir, row.advisory, row.branch, row.until, also=False)
    Claim.objects.filter(pk=mine.pk).update(taken_over=row)
    mine.taken_over = row
    return mine


def _declined(actor: User, row: Claim) -> Claim:
    Claim.objects.filter(pk=row.pk).update(offered_to=None)
    row.offered_to = None
    audit.record("claim-declined", actor=actor, advisory=row.advisory, thing=row, organisation=row.organisation)
    return row


def uploaded(actor: User, *, backport: Backport) -> None:
    """A backport came in: its organisation's claim there is done. Whoever uploads need not see the room."""
    with everything("claims"):
        rows = Claim.objects.filter(advisory=backport.advisory_id, branch=backport.branch_id, ended_at=None)
        for row in _locked(list(rows.filter(organisation=backport.organisation_id))):
            _end(actor, row, Ended.UPLOADED)


def left(actor: User | None, memberships: QuerySet[Membership]) -> None:
    """People leave an organisation, or it leaves the list: what they claimed for it is open to others again."""
    with everything("claims"):
        for one in memberships.all():
            rows = Claim.objects.filter(made_by=one.user_id, organisation=one.organisation_id, ended_at=None)
            for row in _locked(list(rows)):
                _end(actor, row, Ended.LEFT)


@shared_task(name="backports.end_claims")
@everything("claims")
def end_claims() -> int:
    """On schedule: end those whose time is over, so that the timeline says it; returns how many there were."""
    with transaction.atomic():
        return _expire(Claim.objects.all(), timezone.now())


def _expire(rows: QuerySet[Claim], now: datetime) -> int:
    over = _locked(list(rows.filter(ended_at=None, until__lte=now)))
    for row in over:
        _end(None, row, Ended.EXPIRED)
    return len(over)


def _end(actor: User | None, row: Claim, because: str) -> Claim:
    now = timezone.now()
    Claim.objects.filter(pk=row.pk).update(ended_at=now, ended_because=because)
    row.ended_at, row.ended_because = now, because
    _told(actor, row, "claim-ended", events.CLAIM_ENDED, because=str(because))
    return row


def _locked(claims: Sequence[Claim]) -> list[Claim]:
    """Those of them that have not ended meanwhile, always in one order."""
    rows = Claim.objects.select_for_update(of=("self",)).filter(pk__in=[one.pk for one in claims], ended_at=None)
    return list(rows.select_related("advisory", "branch", "organisation", "offered_to").order_by("branch__rank", "pk"))


def _lock(advisory: Advisory) -> None:
    """Until the end of the transaction nobody else claims anything of this advisory."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"claims {advisory.pk}"])


def _told(actor: User | None, row: Claim, verb: str, kind: str, **detail: Any) -> None:
    log.info("%s claim=%s", verb, row.pk)
    audit.record(
        verb,
        actor=actor,
        advisory=row.advisory,
        thing=row,
        organisation=row.organisation,
        branch=row.branch.name,
        **detail,
    )
    events.tell(kind, advisory=row.advisory, branch=row.branch, organisation=row.organisation, thing=row.pk)


def gaps(branches: Iterable[Branch], *, claims: Iterable[Claim], backports: Iterable[Backport]) -> list[Branch]:
    """The branches of `branches`, which have something left to do, that nobody is on and nobody has a backport for."""
    busy = {one.branch_id for one in claims}
    busy |= {one.branch_id for one in backports if one.is_open}
    return [one for one in branches if one.pk not in busy]
