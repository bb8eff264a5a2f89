"""When an advisory is to be disclosed, how that date came to be, and what of it the public is told."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from xsa import audit
from xsa.formats.index import IndexEntry
from xsa.identity import everything
from xsa.models import Advisory, Announcement, DisclosureRequest, PlannedDate, User
from xsa.permissions import can_announce, can_move_plan, demand

log = logging.getLogger(__name__)


def why_held(advisory: Advisory) -> str:
    """Why nothing may be opened on the planned date, in a sentence; "" when the plan stands.

    A version that came in after the date was set may have moved it, and so may the project's public list: the old
    date then counts for nothing until a person has confirmed it.
    """
    planned = advisory.planned_disclosure_at
    if planned is None:
        return "No date of disclosure is planned."
    told = advisory.planned_dates.first()
    newest = advisory.versions.order_by("-number").first()
    if told is None or told.planned_at != planned:
        return "Nobody knows who set the planned date; confirm it."
    if told.set_by_id is None and planned <= told.set_at:
        return "The planned date was over already when it came in; confirm it."
    if newest is not None and newest.number > told.version:
        return f"Version {newest.number} came in after the date was set and may have moved it; confirm or move it."
    if Announcement.objects.filter(number=advisory.number, planned_disclosure_at__gt=planned).exists():
        return "A later date is announced in public; move the date, or announce this one."
    return ""


def standing_plan(advisory: Advisory) -> datetime | None:
    """The planned date, where nothing that came later may have moved it."""
    return None if why_held(advisory) else advisory.planned_disclosure_at


@transaction.atomic
def plan_disclosure(actor: User, *, advisory: Advisory, at: datetime) -> PlannedDate:
    """Confirm the planned date, or move it. Raises PermissionDenied."""
    demand(can_move_plan(actor, advisory, at, now=timezone.now()))
    row = note_plan(actor, advisory=advisory, at=at)
    log.info("disclosure planned advisory=%s actor=%s moved=%d", advisory.pk, actor.pk, row.moved)
    return row


def note_plan(actor: User | None, *, advisory: Advisory, at: datetime) -> PlannedDate:
    """Keep a planned date as of the newest version, in the caller's transaction; one that moves ends requests."""
    with everything("disclose"):
        held = Advisory.objects.select_for_update().get(pk=advisory.pk)
        newest = held.versions.order_by("-number").first()
        before = held.planned_disclosure_at
        Advisory.objects.filter(pk=held.pk).update(planned_disclosure_at=at)
        advisory.planned_disclosure_at = at
        now = timezone.now()
        if before != at:
            DisclosureRequest.objects.filter(advisory=held, closed_at=None).update(closed_at=now)
        row = PlannedDate.objects.create(
            advisory=held,
            planned_at=at,
            moved_from=before,
            version=newest.number if newest else 0,
            set_by=actor,
            set_at=now,
        )
        audit.record("disclosure-planned", actor=actor, advisory=held, thing=row, at=at, moved=row.moved)
        return row


@transaction.atomic
def announce(actor: User, *, number: int, planned: datetime | None) -> Announcement:
    """Tell everyone a number and when its disclosure is planned. Raises PermissionDenied."""
    demand(can_announce(actor))
    if Advisory.objects.filter(number=number).exclude(disclosed_at=None).exists():
        raise PermissionDenied(f"XSA-{number} is disclosed; there is nothing left to announce.")
    row, _ = Announcement.objects.update_or_create(number=number, defaults={"planned_disclosure_at": planned})
    log.info("advisory announced actor=%s", actor.pk)
    audit.record("announced", actor=actor, advisories=[number], at=planned)
    return row


@transaction.atomic
def announce_listed(entries: Iterable[IndexEntry], *, now: datetime) -> None:
    """Announce what the project's public list names before its release, whether or not it is here.

    What the list tells more of is not announced any longer, and what is disclosed here never again.
    """
    rows = list(entries)
    disclosed = set(Advisory.objects.exclude(disclosed_at=None).values_list("number", flat=True))
    for entry in rows:
        if _awaits_release(entry, now) and entry.number not in disclosed:
            values = {"planned_disclosure_at": entry.public_time}
            Announcement.objects.update_or_create(number=entry.number, defaults=values)
    told = [entry.number for entry in rows if not _awaits_release(entry, now)]
    Announcement.objects.filter(number__in=told).delete()


def _awaits_release(entry: IndexEntry, now: datetime) -> bool:
    return not entry.released or (entry.public_time is not None and entry.public_time > now)
