"""Digests: what is new since a reader's last one, built with that reader's own eyes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from backports.export.mailed import mailed
from backports.mail.letters import File, Letter
from backports.models import Event, OutboxMail, Subscription
from xsa.belonging import remembering
from xsa.identity import everything, reading
from xsa.models import Organisation, User
from xsa.visibility import Reader

from . import outbox, subscriptions, threads
from .digest_items import FILES, Item, Window, draws_near, first, items, may_be_new
from .mail_readers import eyes_of

log = logging.getLogger(__name__)
MOST = 200  # lines of one mail; the pages show the rest


@shared_task(name="backports.make_digests")
@everything("mail")
def make_digests() -> int:
    """On schedule: put what is due into the outbox; how many mails that are."""
    newest: int = Event.objects.aggregate(last=Max("position"))["last"] or 0
    due = Subscription.objects.exclude(cadence=Subscription.Cadence.OFF).values_list("pk", flat=True)
    return sum(_make(pk, newest) for pk in due)


@transaction.atomic
def _make(pk: UUID, newest: int) -> int:
    """The row is locked, so that each event is told to its reader by one digest, whoever makes them."""
    rows = Subscription.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk)
    row = rows.select_related("organisation", "person").first()
    now = timezone.now()
    if row is None or not subscriptions.is_due(row, now):
        return 0
    window = Window(row.position, max(newest, row.position), row.looked_at or row.set_at, now)
    row.looked_at = now
    if not may_be_new(window) or (row.cadence == Subscription.Cadence.DEADLINE and not _near(row, window)):
        row.save(update_fields=["looked_at"])
        return 0
    row.position = window.until
    row.save(update_fields=["looked_at", "position"])
    return sum(_queue(one, window, listed=subscriptions.is_list(row)) for one in _readers(row))


Pair = tuple[Organisation | None, User | None]


def _readers(row: Subscription) -> list[Pair]:
    """To whom the subscription's mail goes; the list's to each organisation, unless it has a key of its own."""
    if not subscriptions.is_list(row):
        return [(row.organisation, row.person)]
    if settings.MAIL_LIST_KEY:
        return [(None, None)]
    return [(one, None) for one in listed_organisations()]


def listed_organisations() -> list[Organisation]:
    """Who is on the predisclosure list."""
    return list(Organisation.objects.filter(listed=True, left_at=None).order_by("name"))


def _near(row: Subscription, window: Window) -> bool:
    return any(_seen(reader, lambda user: draws_near(user, window)) for reader in _readers(row))


def _queue(reader: Pair, window: Window, *, listed: bool) -> int:
    """A mail, where there is something to tell this reader."""
    if not _is_news(reader, window, listed=listed):
        return 0
    what = "list" if listed else "digest"
    mail = outbox.queue(
        OutboxMail.Kind.DIGEST,
        event=f"{what} {window.since}-{window.until} {window.until_at:%Y%m%dT%H%M%S%f}",
        organisation=reader[0],
        person=reader[1],
        since=window.since,
        until=window.until,
        since_at=window.since_at,
        until_at=window.until_at,
    )
    return int(mail is not None)


def _seen(reader: Pair, ask: Callable[[Reader], list[Item]], eyes: Reader | None = None) -> list[Item]:
    """What `ask` finds with the reader's own eyes; nothing where nobody may read for them."""
    user = eyes or eyes_of(*reader)
    if user is None:
        return []
    with reading(user), transaction.atomic(), remembering():
        return ask(user)


def _is_news(reader: Pair, window: Window, *, listed: bool) -> bool:
    if reader == (None, None):
        return bool(_common(window))
    return bool(_seen(reader, lambda user: first(user, window, for_the_list=listed)))


def _items(
    reader: Pair, window: Window, *, listed: bool, eyes: Reader | None = None, with_files: bool = False
) -> list[Item]:
    if reader == (None, None):
        return _common(window)
    found = _seen(reader, lambda user: items(user, window, with_files=with_files), eyes)
    return [one for one in found if not (listed and one.own)]


def _common(window: Window) -> list[Item]:
    """What every organisation of the list sees: that alone may go to a key that they share."""
    each = [_seen((one, None), lambda user: items(user, window, with_files=True)) for one in listed_organisations()]
    shared = set.intersection(*({item.thing for item in found} for found in each)) if each else set()
    return [one for one in (each[0] if each else []) if one.thing in shared and not one.own]


def letter(row: OutboxMail, *, eyes: Reader | None = None) -> Letter | None:
    """What a digest says now, to its reader or to `eyes`; None where they may read none of it any more."""
    if row.since_at is None or row.until_at is None:
        return None
    listed = row.event.startswith("list ")
    window = Window(row.since, row.until, row.since_at, row.until_at)
    found = _items((row.organisation, row.person), window, listed=listed, eyes=eyes, with_files=True)
    if not found:
        return None
    numbers = sorted({one.number for one in found})
    single = len(numbers) == 1
    return Letter(
        subject=_subject(found, numbers),
        text=_text(found, listed=listed),
        outside=f"XSA-{numbers[0]}" if single else "Xen backports",
        thread=threads.about(numbers[0]) if single else f"digests {row.organisation_id or row.person_id or 'list'}",
        files=_attached(found),
        unsubscribe="" if listed else subscriptions.unsubscribe_address(row.organisation, row.person),
    )


def _subject(found: Sequence[Item], numbers: Sequence[int]) -> str:
    if len(found) == 1:
        return found[0].words
    named = ", ".join(f"XSA-{number}" for number in numbers[:5])
    return f"{len(found)} news about {named}{' and others' if len(numbers) > 5 else ''}"


_FOR_THE_LIST = "Fixed versions and patches that are available to members of the list, and what changed about them:\n\n"


def _text(found: Sequence[Item], *, listed: bool) -> str:
    """Headings with their items; for a moderated list it says first what it technically announces."""
    lines = [_FOR_THE_LIST.rstrip("\n"), ""] if listed else []
    for heading, group in groupby(found[:MOST], key=lambda one: one.heading):
        lines += [_for_the_list(heading) if listed else heading, ""]
        for one in group:
            lines += [f"- {_one_line(one.words)}", f"  {settings.PUBLIC_URL}{one.path}"]
        lines.append("")
    if len(found) > MOST:
        lines += [f"And {len(found) - MOST} more: {settings.PUBLIC_URL}", ""]
    lines += ["-- ", f"Xen backports, {settings.PUBLIC_URL}"]
    return "\n".join(lines)


def _for_the_list(heading: str) -> str:
    return "Fixed versions available" if heading == "Backports shared" else heading


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _mailed(file: File) -> File:
    return File(file.name, mailed(file.name, file.data, author=settings.DEFAULT_FROM_EMAIL))


def _attached(found: Iterable[Item]) -> tuple[File, ...]:
    """The patches, as many as one mail holds; names that come twice get a number."""
    kept: dict[str, File] = {}
    size = 0
    for file in (_mailed(file) for one in found for file in one.files):
        size += len(file.data)
        if size > FILES:
            break
        if any(file.data == other.data for other in kept.values()):
            continue
        name = file.name if file.name not in kept else f"{len(kept)}-{file.name}"
        kept[name] = File(name, file.data)
    return tuple(kept.values())
