"""Sending what waits in the outbox: at most once per reader and event, whatever dies in between.

A mail is built and encrypted while it is `building`, which can be done again. It is committed as `sending` before the
server is told anything; from there only the server's own refusal leads back. A worker that dies there leaves the mail
`unsure`, for a person to look at.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from email.errors import MessageError
from email.utils import parseaddr
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from backports.mail import mime
from backports.mail.letters import Letter, notice
from backports.mail.wire import Finished
from backports.models import OutboxMail, OutboxText
from backports.pgp import Home, PgpError, RoomKey, load_room_key, make_room_key
from xsa.identity import everything
from xsa.visibility import Reader, visible_to

from . import bounces, digests, keys, mail_standing, subscriptions, threads
from .mail_readers import Place, place_of

log = logging.getLogger(__name__)
State = OutboxMail.State
LEASE = timedelta(minutes=10)
BATCH = 20  # mails of one job, which share a temporary GnuPG home
# Seconds after each failure; after the last one the mail is given up.
AGAIN = (30, 120, 600, 1800, 7200, 21600, 43200)
_REFUSALS = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError)


class NoPlaceError(Exception):
    """There is no address to send to."""


@shared_task(name="backports.send_outbox")
@everything("mail")
def send_outbox() -> int:
    """On schedule: have everything that is due sent; returns how many mails that are."""
    sweep()
    due = OutboxMail.objects.filter(state=State.WAITING, next_at__lte=timezone.now()).order_by("made_at")
    ids = [str(pk) for pk in due.values_list("pk", flat=True)[:2000]]
    for start in range(0, len(ids), BATCH):
        send_batch.delay(ids[start : start + BATCH])
    return len(ids)


@everything("mail")
def sweep() -> int:
    """What a worker left when it died: built anew where nothing was said to the server yet, else unsure."""
    over = OutboxMail.objects.filter(next_at__lt=timezone.now())
    unsure = over.filter(state=State.SENDING).update(state=State.UNSURE, code="worker-died")
    if unsure:
        log.error("mails unsure count=%d", unsure)
    return unsure + over.filter(state=State.BUILDING).update(state=State.WAITING)


@shared_task(name="backports.send_batch", soft_time_limit=540)
@everything("mail")
def send_batch(pks: Sequence[str]) -> int:
    """Send those of these mails that still wait; returns how many went out."""
    pks = [str(pk) for pk in OutboxMail.objects.filter(pk__in=pks, state=State.WAITING).values_list("pk", flat=True)]
    if not pks:
        return 0
    try:
        room = room_key()
        with Home(secret=room.secret) as home:
            return sum(send(pk, home) for pk in pks)
    except PgpError as error:
        log.error("mails wait count=%d code=%s", len(pks), error.code)
        for pk in pks:
            if (row := _claim(pk)) is not None:
                _again(row, error.code)
        return 0


def room_key() -> RoomKey:
    """The room's key; outside production one is made where there is none. Raises PgpError."""
    if not settings.PRODUCTION and not settings.ROOM_KEY.exists():
        name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        return make_room_key(settings.ROOM_KEY, name=name, address=address)
    return load_room_key(settings.ROOM_KEY)


def send(pk: str, home: Home) -> bool:
    """Send one mail, unless somebody else does or did; whether it went out."""
    row = _claim(pk)
    if row is None:
        return False
    if why := mail_standing.why_not(row):
        return _end(row, State.DROPPED, why)
    try:
        mail = _built(row, home)
    except NoPlaceError:
        return _end(row, State.FAILED, "no-address")
    except (ValueError, MessageError):
        return _end(row, State.FAILED, "bad-address")
    except PgpError as error:
        return _again(row, error.code)
    return _hand_over(row, mail) if mail else _end(row, State.DROPPED, "")


def _claim(pk: str) -> OutboxMail | None:
    """Take a waiting mail, for as long as the lease."""
    now = timezone.now()
    free = OutboxMail.objects.filter(pk=pk, state=State.WAITING, next_at__lte=now)
    if not free.update(state=State.BUILDING, next_at=now + LEASE):
        return None
    return OutboxMail.objects.select_related("organisation", "person").get(pk=pk)


def _built(row: OutboxMail, home: Home) -> Finished | None:
    """The mail as it goes out now; None where nothing is to be said any more. Raises NoPlaceError, PgpError."""
    place = place_of(row.organisation, row.person)
    if place is None:
        raise NoPlaceError
    letter = letter_of(row)
    if letter is None:
        return None
    if letter.secret and not place.fingerprint:
        letter = _without_content(row, letter, place)
    envelope = _envelope(row, letter, place)
    row.message_id, row.fingerprint = envelope.message_id, ""
    if place.fingerprint and not row.notice:
        home.add(place.armoured)
        row.fingerprint = place.fingerprint
        built = mime.sealed(letter, envelope, lambda data: home.encrypt(data, to=place.fingerprint))
    else:
        built = mime.plain(letter, envelope)
    return Finished(built, to=place.address, bounces_to=bounces.address_of(row.pk))


def letter_of(row: OutboxMail, *, eyes: Reader | None = None) -> Letter | None:
    """What a mail says, read with its reader's eyes, or with those that are given; None where that is nothing."""
    if row.kind == OutboxMail.Kind.DIGEST:
        return digests.letter(row, eyes=eyes)
    rows = OutboxText.objects.select_related("advisory")
    written = (visible_to(eyes, rows) if eyes else rows).filter(mail=row).first()
    if written is None:
        return None
    number = written.advisory.number if written.advisory else None
    return Letter(
        written.subject,
        written.body,
        outside=f"XSA-{number}" if number else "Xen backports",
        thread=threads.about(number) if number else "",
        answers=written.answers,
        secret=row.kind != OutboxMail.Kind.ALARM,
    )


def _without_content(row: OutboxMail, letter: Letter, place: Place) -> Letter:
    """One line instead, and an alarm to the holder and the security team, once a month for each state of their key."""
    row.notice = True
    holder = row.organisation or row.person
    state = keys.standing(holder).state if holder else "missing"
    text = (
        f"Mail to {place.name} was sent without its content, since there is no usable OpenPGP key (state: {state}). "
        "Add one on the page of keys."
    )
    # The security team hears of a holder's state once a month.
    keys.alarm(
        row.organisation,
        row.person,
        event=f"no key {state} {timezone.now():%Y-%m} {row.organisation_id or row.person_id or 'list'}",
        subject="No usable OpenPGP key",
        text=text,
    )
    return notice(settings.PUBLIC_URL + reverse("outbox"), unsubscribe=letter.unsubscribe)


def _envelope(row: OutboxMail, letter: Letter, place: Place) -> mime.Envelope:
    sender = settings.DEFAULT_FROM_EMAIL
    return mime.Envelope(
        sender=sender,
        to=mime.mailbox("", place.address),
        at=timezone.now(),
        message_id=f"<{row.pk.hex}@{threads.domain()}>",
        thread_id="" if row.notice else threads.address(letter.thread),
        list_id=mime.list_id(sender) if row.kind == OutboxMail.Kind.DIGEST else "",
    )


def _hand_over(row: OutboxMail, mail: Finished) -> bool:
    """Say it to the server. Before the connection stands a failure is none of the mail's."""
    try:
        server = get_connection()
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        return _again(row, _code(error))
    if not _commit_as_sending(row):
        return False
    try:
        with _closing(server):
            server.send_messages([mail])
    except _REFUSALS as error:
        return _refused(row, error)
    except (OSError, smtplib.SMTPException) as error:
        # It may have been taken before the line broke: nobody knows, so nobody sends it again.
        return _end(row, State.UNSURE, _code(error))
    return _end(row, State.SENT, "")


def _commit_as_sending(row: OutboxMail) -> bool:
    """Before the first byte; whether the mail is still ours."""
    kept: dict[str, Any] = {"message_id": row.message_id, "fingerprint": row.fingerprint, "notice": row.notice}
    mine = OutboxMail.objects.filter(pk=row.pk, state=State.BUILDING)
    return bool(mine.update(state=State.SENDING, **kept))


@contextmanager
def _closing(server: object) -> Iterator[None]:
    """Close the connection at the end; what fails then happened after the mail was taken."""
    yield
    try:
        server.close()  # type: ignore[attr-defined] # Django's ways out have no common type
    except (OSError, smtplib.SMTPException):
        log.info("mail server hung up early")


def _refused(row: OutboxMail, error: smtplib.SMTPException) -> bool:
    """The server said no: for good (5xx), or for now."""
    codes = [one[0] for one in error.recipients.values()] if isinstance(error, smtplib.SMTPRecipientsRefused) else []
    code = codes[0] if codes else getattr(error, "smtp_code", 0)
    if 500 <= code < 600 and not isinstance(error, smtplib.SMTPAuthenticationError):
        return _end(row, State.BOUNCED, f"smtp-{code}")
    return _again(row, _code(error))


def _code(error: Exception) -> str:
    """A word for the page; never what a server said, which may quote the mail."""
    number = getattr(error, "smtp_code", "")
    return f"smtp-{number}" if number else type(error).__name__[:50]


def _again(row: OutboxMail, code: str) -> bool:
    """Later, or never."""
    if row.attempts >= len(AGAIN):
        return _end(row, State.FAILED, code)
    later = timezone.now() + timedelta(seconds=AGAIN[row.attempts])
    values = {"state": State.WAITING, "attempts": row.attempts + 1, "code": code, "next_at": later}
    OutboxMail.objects.filter(pk=row.pk).update(**values)
    log.warning("mail later mail=%s code=%s attempts=%d", row.pk, code, row.attempts + 1)
    return False


@transaction.atomic
def _end(row: OutboxMail, state: str, code: str) -> bool:
    now = timezone.now()
    values = {"state": state, "code": code, "sent_at": now if state == State.SENT else None}
    OutboxMail.objects.filter(pk=row.pk).update(**values)
    log.info("mail done mail=%s state=%s code=%s", row.pk, state, code or "none")
    if state == State.BOUNCED:
        subscriptions.note_bounce(row)
    return state == State.SENT
