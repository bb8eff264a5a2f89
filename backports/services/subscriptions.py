"""Who wants digests and when: preferences, quiet hours, and the link that ends it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from backports.models import Event, OutboxMail, Subscription
from xsa import audit
from xsa.identity import everything
from xsa.models import Organisation, User

log = logging.getLogger(__name__)
_SIGNER = Signer(salt="backports.unsubscribe", sep="~")
BOUNCES = 3  # in a row, after which digests end
Cadence = Subscription.Cadence


def of(organisation: Organisation | None, person: User | None) -> Subscription | None:
    """A reader's subscription; None where they never said anything."""
    return Subscription.objects.filter(organisation=organisation, person=person).first()


def is_list(row: Subscription) -> bool:
    """Whether it is the private list's."""
    return row.organisation_id is None and row.person_id is None


@transaction.atomic
def set_wish(
    actor: User | None, *, organisation: Organisation | None = None, person: User | None = None, **wish: Any
) -> Subscription:
    """Set what a reader wants (the columns of `Subscription`). Who got nothing so far is told what comes from now."""
    now = timezone.now()
    before = of(organisation, person)
    fresh = before is None or before.cadence == Cadence.OFF
    values = {**wish, "set_at": now, **({"position": newest(), "looked_at": now} if fresh else {})}
    row, _ = Subscription.objects.update_or_create(organisation=organisation, person=person, defaults=values)
    log.info("subscription set subscription=%s cadence=%s", row.pk, row.cadence)
    audit.record("subscription-set", actor=actor, thing=row, organisation=organisation, cadence=row.cadence)
    return row


@everything("mail")
def newest() -> int:
    """The position of the last event."""
    last: int | None = Event.objects.aggregate(last=Max("position"))["last"]
    return last or 0


def is_due(row: Subscription, now: datetime) -> bool:
    """Whether it is time to look for something to tell: by the reader's clock, and outside their quiet hours."""
    local = now.astimezone(ZoneInfo(row.time_zone))
    if _is_quiet(row, local.hour):
        return False
    if row.cadence in (Cadence.INSTANT, Cadence.DEADLINE):
        return True
    last = _last_time(row, local)
    return row.looked_at is None or row.looked_at < last


def _is_quiet(row: Subscription, hour: int) -> bool:
    if row.quiet_from <= row.quiet_until:
        return row.quiet_from <= hour < row.quiet_until
    return hour >= row.quiet_from or hour < row.quiet_until


def _last_time(row: Subscription, local: datetime) -> datetime:
    """The last moment that a daily or weekly digest was due, at or before now.

    An hour that comes twice when clocks go back counts the first time (`fold`); one that is left out when they go
    forward is the moment at which they do.
    """
    at = local.replace(hour=row.hour, minute=0, second=0, microsecond=0, fold=0)
    if row.cadence == Cadence.WEEKLY:
        at -= timedelta(days=(local.weekday() - row.weekday) % 7)
    if at > local:
        at -= timedelta(days=7 if row.cadence == Cadence.WEEKLY else 1)
    return at


def unsubscribe_address(organisation: Organisation | None, person: User | None) -> str:
    """The address that ends it by one POST, without a login."""
    row = of(organisation, person)
    if row is None:
        return ""
    return settings.PUBLIC_URL + reverse("unsubscribe", args=[_SIGNER.sign(str(row.pk))])


def by_name(name: str) -> Subscription | None:
    """The subscription that a link of ours names."""
    try:
        pk = _SIGNER.unsign(name)
    except BadSignature:
        return None
    return Subscription.objects.select_related("organisation", "person").filter(pk=pk).first()


@transaction.atomic
def unsubscribe(row: Subscription) -> None:
    """End a person's or an organisation's digests; the list's own are the security team's to end."""
    if is_list(row) or row.cadence == Cadence.OFF:
        return
    Subscription.objects.filter(pk=row.pk).update(cadence=Cadence.OFF)
    log.info("unsubscribed subscription=%s", row.pk)
    audit.record("unsubscribed", actor=row.person, thing=row, organisation=row.organisation)


def note_bounce(mail: OutboxMail) -> bool:
    """End the digests of a reader whose last mails all came back, up to this one; whether it did.

    Those after it may be on their way still. Who sets their digests anew begins anew.
    """
    row = of(mail.organisation, mail.person)
    if row is None or is_list(row):
        return False
    sent = OutboxMail.objects.filter(organisation=mail.organisation, person=mail.person, kind=OutboxMail.Kind.DIGEST)
    last = sent.filter(made_at__gte=row.set_at, made_at__lte=mail.made_at).order_by("-made_at")
    states = list(last.values_list("state", flat=True)[:BOUNCES])
    if states != [OutboxMail.State.BOUNCED] * BOUNCES:
        return False
    unsubscribe(row)
    return True
