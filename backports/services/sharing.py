"""A backport's life: shared with the room, kept by its members, superseded, withdrawn."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from backports.models import Backport, Event, Repository
from xsa import audit
from xsa.models import User
from xsa.permissions import can_backport, can_share, demand

from . import answering, events
from .errors import NotDone

log = logging.getLogger(__name__)
Life = Backport.Life


@transaction.atomic
def share(actor: User, *, backport: Backport) -> Backport:
    """Give a draft to the room; and to everybody once its advisory is disclosed, unless its members keep it.

    Sharing what is shared changes nothing. Raises PermissionDenied, NotDone.
    """
    demand(can_share(actor, backport.organisation))
    row = _locked(backport)
    if row.life == Life.SHARED:
        return row
    check_shareable(row)
    _change(row, life=Life.SHARED, shared_at=timezone.now())
    _record(actor, row, "backport-shared", members_only_later=row.members_only_later)
    _tell(events.BACKPORT_SHARED, row)
    answering.tell(actor, backport=row)
    return row


@transaction.atomic
def keep_among_members(actor: User, *, backport: Backport, members_only: bool) -> Backport:
    """Say whether a backport stays with the room after the disclosure. Raises PermissionDenied, NotDone.

    What everybody can read already is not taken back.
    """
    demand(can_backport(actor, backport.organisation))
    row = _locked(backport)
    if row.members_only_later == members_only:
        return row
    if members_only and row.opens and not row.advisory.embargoed:
        raise NotDone("public", "It is public. What everybody could read is not hidden again; withdraw it instead.")
    _change(row, members_only_later=members_only)
    _record(actor, row, "backport-kept", members_only_later=members_only)
    if members_only:
        answering.take_back(row)
    else:
        answering.tell(actor, backport=row)
    return row


@transaction.atomic
def withdraw(actor: User, *, backport: Backport, because: str) -> Backport:
    """Take a backport back: it stays with its organisation, and with the room where it was shared, marked as such.

    Raises PermissionDenied, NotDone.
    """
    demand(can_backport(actor, backport.organisation))
    row = _locked(backport)
    if row.life == Life.WITHDRAWN:
        return row
    if not because.strip():
        raise NotDone("no-reason", "Say why, for those who use it.", "because")
    _change(row, life=Life.WITHDRAWN, withdrawn_because=because.strip()[:500])
    _record(actor, row, "backport-withdrawn")
    _tell(events.BACKPORT_WITHDRAWN, row)
    return row


@transaction.atomic
def supersede(actor: User, *, backport: Backport, by: Backport) -> Backport:
    """Say that another backport, of whichever organisation, takes this one's place. Raises PermissionDenied, NotDone.

    `by` is one that the actor may see.
    """
    demand(can_backport(actor, backport.organisation))
    row = _locked(backport)
    if not row.is_open:
        raise NotDone("closed", "It is superseded or withdrawn already.")
    if by.pk == row.pk or by.advisory_id != row.advisory_id or by.life != Life.SHARED:
        raise NotDone("bad-successor", "Name another backport of the same advisory that is shared.", "by")
    _change(row, life=Life.SUPERSEDED, superseded_by=by)
    _record(actor, row, "backport-superseded", by=str(by.pk))
    _tell(events.BACKPORT_WITHDRAWN, row)
    return row


def _locked(backport: Backport) -> Backport:
    rows = Backport.objects.select_for_update(of=("self",))
    return rows.select_related("advisory", "branch__repository", "organisation").get(pk=backport.pk)


def check_shareable(row: Backport) -> None:
    """Whether it can be shared as it is. Raises NotDone."""
    if not row.is_open:
        raise NotDone("closed", "It is superseded or withdrawn. Upload it again to begin anew.")
    if row.current_id is None:
        raise NotDone("empty", "There is no version to share yet.")
    repository = row.branch.repository
    if repository.organisation_id and repository.visibility != Repository.Visibility.ROOM:
        sentence = "Only your organisation sees this branch. Show its repository to the room first."
        raise NotDone("branch-not-shared", sentence)


def _change(row: Backport, **columns: Any) -> None:
    """Columns that the database computes are read anew."""
    for name, value in columns.items():
        setattr(row, name, value)
    Backport.objects.filter(pk=row.pk).update(**columns)
    row.refresh_from_db(fields=[*columns, "opens"])


def _record(actor: User, row: Backport, verb: str, **detail: Any) -> None:
    log.info("%s backport=%s actor=%s", verb, row.pk, actor.pk)
    audit.record(
        verb,
        actor=actor,
        advisory=row.advisory,
        advisories=row.prerequisites,
        thing=row,
        organisation=row.organisation,
        **detail,
    )


def _tell(kind: str, row: Backport) -> Event:
    return events.tell(
        kind,
        advisory=row.advisory,
        branch=row.branch,
        thing=row.pk,
        builds_on=row.prerequisites,
        organisation=row.organisation,
        shared=row.shared_at is not None,
    )
