"""Webhooks: addresses that are told of events by their ids, signed as Standard Webhooks has it.

A webhook belongs to a token: it is told of what the token shows, and ends when the token does. What is told is in the
order of the events; what fails is sent again later, so that an address may hear of one event twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from backports.models import Event, Webhook
from xsa import audit
from xsa.identity import everything, reading
from xsa.models import ApiToken, User
from xsa.services.tokens import user_of
from xsa.visibility import visible_to

from .errors import NotDone
from .outside import Unreachable, check_outside, post

log = logging.getLogger(__name__)
MOST = 5  # webhooks of one token
AT_ONCE = 20  # events in one go
LEASE = timedelta(minutes=5)
# Seconds after each failure in a row; after the last one the webhook ends. As Standard Webhooks proposes.
AGAIN = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
GONE = 410


class ToldAlready(NotDone):
    """The token tells that address already; its secret was shown when it was added, and is not shown again."""

    def __init__(self) -> None:
        sentence = "This address is told already. Its secret was shown once: for a new one, end that webhook first."
        super().__init__("told-already", sentence, "url")


@transaction.atomic
def add(actor: User, *, token: ApiToken, url: str) -> Webhook:
    """Tell an address of what the token shows, from now on. Raises NotDone, and of that ToldAlready."""
    check_outside(url, allowed=settings.WEBHOOK_NETWORKS)
    ApiToken.objects.select_for_update().get(pk=token.pk)  # of two at once the second sees the first
    open_now = Webhook.objects.filter(token=token, ended_at=None)
    if open_now.filter(url=url).exists():
        raise ToldAlready
    if open_now.count() >= MOST:
        raise NotDone("too-many", f"A token has at most {MOST} webhooks. End one of them first.", "url")
    now = timezone.now()
    row = Webhook.objects.create(token=token, url=url, made_at=now, next_at=now, position=_newest())
    log.info("webhook added webhook=%s actor=%s", row.pk, actor.pk)
    audit.record("webhook-added", actor=actor, thing=row, organisation=token.organisation)
    return row


@transaction.atomic
def end(actor: User | None, *, webhook: Webhook) -> None:
    """Tell it nothing any more."""
    if Webhook.objects.filter(pk=webhook.pk, ended_at=None).update(ended_at=timezone.now()):
        log.info("webhook ended webhook=%s", webhook.pk)
        audit.record("webhook-ended", actor=actor, thing=webhook, organisation=webhook.token.organisation)


def secret_of(webhook: Webhook) -> str:
    """What its messages are signed with: for the one answer to who adds it. Made of our own key, and not kept."""
    return "whsec_" + base64.b64encode(_key(webhook)).decode()


def _key(webhook: Webhook) -> bytes:
    return salted_hmac("backports.webhooks", str(webhook.pk), algorithm="sha256").digest()


def signature(key: bytes, name: str, moment: int, body: bytes) -> str:
    """The header `webhook-signature` of a message."""
    signed = f"{name}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _newest() -> int:
    with everything("webhooks"):
        last: int | None = Event.objects.aggregate(last=Max("position"))["last"]
    return last or 0


@shared_task(name="backports.send_webhooks")
@everything("webhooks")
def send_webhooks() -> int:
    """On schedule: have each webhook told that something may be new for; returns how many there are."""
    newest: int | None = Event.objects.aggregate(last=Max("position"))["last"]
    due = Webhook.objects.filter(ended_at=None, next_at__lte=timezone.now(), position__lt=newest or 0)
    ids = list(due.values_list("pk", flat=True))
    for pk in ids:
        send_webhook.delay(str(pk))
    return len(ids)


@shared_task(name="backports.send_webhook", soft_time_limit=240)
def send_webhook(pk: str) -> int:
    """Tell one webhook what is new for it; returns how many events that were. In nobody's name but its token's."""
    now = timezone.now()
    if not Webhook.objects.filter(pk=pk, ended_at=None, next_at__lte=now).update(next_at=now + LEASE):
        return 0
    webhook = Webhook.objects.select_related("token__user", "token__organisation").get(pk=pk)
    user = user_of(webhook.token)
    if user is None:
        end(None, webhook=webhook)
        return 0
    newest = _newest()
    with reading(user), transaction.atomic():
        new = list(_shown(user).filter(position__gt=webhook.position, position__lte=newest)[:AT_ONCE])
    for told, event in enumerate(new):
        if not _told(webhook, event):
            return told
    passed = newest if len(new) < AT_ONCE else new[-1].position
    Webhook.objects.filter(pk=pk).update(position=passed, next_at=timezone.now())
    return len(new)


def _shown(user: User) -> QuerySet[Event]:
    """The events that a token shows, oldest first, as the API lists them."""
    rows = visible_to(user, Event.objects.order_by("position"))
    rows = rows.filter(advisory__number__in=user.only) if user.only else rows
    if user.branches:
        rows = rows.filter(branch__name__in=user.branches) | rows.filter(branch=None)
    return rows


def _told(webhook: Webhook, event: Event) -> bool:
    """Whether the address took one event."""
    body = json.dumps({"type": "event", "timestamp": event.at.isoformat(), "data": {"id": str(event.pk)}}).encode()
    moment = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": f"msg_{event.pk.hex}",
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(_key(webhook), f"msg_{event.pk.hex}", moment, body),
    }
    try:
        status, code = post(webhook.url, body, headers, allowed=settings.WEBHOOK_NETWORKS), ""
    except Unreachable as error:
        status, code = 0, error.code
    if 200 <= status < 300:
        done = {"position": event.position, "failures": 0, "status": status, "sent_at": timezone.now()}
        Webhook.objects.filter(pk=webhook.pk).update(**done)
        return True
    _failed(webhook, status, code)
    return False


def _failed(webhook: Webhook, status: int, code: str) -> None:
    log.warning("webhook failed webhook=%s status=%d code=%s", webhook.pk, status, code or "none")
    failures = Webhook.objects.values_list("failures", flat=True).get(pk=webhook.pk) + 1
    if status == GONE or failures > len(AGAIN):
        Webhook.objects.filter(pk=webhook.pk).update(failures=failures, status=status)
        return end(None, webhook=webhook)
    later = timezone.now() + timedelta(seconds=AGAIN[failures - 1])
    Webhook.objects.filter(pk=webhook.pk).update(failures=failures, status=status, next_at=later)
    return None
