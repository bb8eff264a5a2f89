"""Up to where somebody has read an advisory's timeline. Reading it says nothing: people say it themselves."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backports.models import Event, Look
from xsa.models import Advisory, User
from xsa.visibility import Reader, visible_to


def timeline(reader: Reader, advisory: Advisory) -> QuerySet[Event]:
    """What happened to an advisory, as far as the reader may see it, newest first."""
    rows = visible_to(reader, Event.objects.filter(advisory=advisory))
    return rows.select_related("advisory", "branch__repository", "organisation").order_by("-position")


def seen_until(reader: Reader, advisory: Advisory) -> int | None:
    """The position of the last event that the reader said to have seen; None for who never said so."""
    rows = visible_to(reader, Look.objects.filter(advisory=advisory))
    return rows.values_list("event__position", flat=True).first()


def unseen(reader: Reader, advisory: Advisory) -> int | None:
    """How many events are new to the reader; None for who never said what they have seen."""
    until = seen_until(reader, advisory)
    return None if until is None else timeline(reader, advisory).filter(position__gt=until).count()


@transaction.atomic
def mark(actor: User, *, event: Event) -> None:
    """Remember that the actor has seen everything up to `event`, which they may see; it never goes back."""
    cell = {"advisory_id": event.advisory_id, "user": actor}
    row, made = Look.objects.get_or_create(**cell, defaults={"event": event, "at": timezone.now()})
    held = Look.objects.select_for_update(of=("self",)).select_related("event").get(pk=row.pk)
    if not made and held.event.position < event.position:
        Look.objects.filter(pk=row.pk).update(event=event, at=timezone.now())
