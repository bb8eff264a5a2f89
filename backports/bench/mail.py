"""Digests for many readers at once: how long they take beside GnuPG alone, and how much memory."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

from django.db import connections
from django.utils import timezone

from backports.models import OutboxMail, Subscription
from backports.pgp import Home
from backports.services import digests, events, sending
from xsa.formats.signature import make_demo_key
from xsa.models import Advisory, AdvisoryVersion, Membership, Organisation, PgpKey, User


@dataclass(frozen=True, slots=True)
class Part:
    """The mails of one job, and a text as long as theirs."""

    pks: list[str]
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one job sent: how many mails, by which process, and its peak memory in megabytes afterwards."""

    sent: int
    process: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds to put the mails into the outbox and to send them; `alone` is what GnuPG takes for as many, called bare
    as often by as many workers. `first` and `last` are a worker's peak memory in megabytes after its first and its
    last job.
    """

    mails: int
    made: float
    sent: float
    alone: float
    first: float
    last: float

    @property
    def ratio(self) -> float:
        """The whole beside GnuPG alone."""
        return (self.made + self.sent) / self.alone


def make_readers(count: int, items: int) -> None:
    """Organisations with a contact, a key and a wish for digests, to whom nothing was told of `items` advisories."""
    now = timezone.now()
    for number in range(count):
        _reader(number)
    for number in range(items):
        row = Advisory.objects.create(number=9000 + number)
        title = f"a title of usual length for advisory {number}"
        row.current = AdvisoryVersion.objects.create(advisory=row, number=1, title=title, digest="0" * 64)
        row.save(update_fields=["current"])
        events.tell(events.ADVISORY_VERSION, advisory=row, thing=row.current.pk)
    Subscription.objects.update(position=0, looked_at=now - timedelta(minutes=1))


def _reader(number: int) -> None:
    now = timezone.now()
    name = f"Example Member {number}"
    place = Organisation.objects.create(name=name, listed=True, role_address=f"role@member-{number}.example")
    user = User.objects.create_user(f"member-{number}")
    Membership.objects.create(user=user, organisation=place, contact=True)
    _, public = make_demo_key(name, place.role_address)
    with Home() as home:
        fingerprint = home.add(public.decode())[0]
    PgpKey.objects.create(
        organisation=place,
        armoured=public.decode(),
        fingerprint=fingerprint,
        state="usable",
        checked_at=now,
        added_by=user,
        added_at=now,
    )
    Subscription.objects.create(organisation=place, cadence=Subscription.Cadence.INSTANT, set_at=now)


def measure(workers: int) -> Found:
    """Make all digests that are due and send them by so many processes."""
    sending.room_key()
    began = time.perf_counter()
    digests.make_digests()
    made = time.perf_counter() - began
    ids = [str(pk) for pk in OutboxMail.objects.values_list("pk", flat=True)]
    parts = [Part(ids[at : at + sending.BATCH]) for at in range(0, len(ids), sending.BATCH)]
    began = time.perf_counter()
    jobs = _in_processes(_send, parts, workers)
    sent = time.perf_counter() - began
    # As much as a digest of these items is.
    letter = sending.letter_of(OutboxMail.objects.all()[0])
    text = letter.text.encode() if letter else b""
    began = time.perf_counter()
    _in_processes(_alone, [Part(part.pks, text) for part in parts], workers)
    alone = time.perf_counter() - began
    peaks: dict[int, list[float]] = {}
    for job in jobs:
        peaks.setdefault(job.process, []).append(job.megabytes)
    return Found(
        sum(job.sent for job in jobs),
        made,
        sent,
        alone,
        max(min(one) for one in peaks.values()),
        max(max(one) for one in peaks.values()),
    )


def _in_processes(work: Callable[[Part], Batch], parts: Sequence[Part], workers: int) -> list[Batch]:
    """Each part to whichever process is free."""
    connections.close_all()
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        return list(pool.map(work, parts))


def _send(part: Part) -> Batch:
    return _done(sending.send_batch(part.pks))


def _alone(part: Part) -> Batch:
    """The same number of texts, signed and encrypted to the same keys, and nothing else."""
    rows = PgpKey.objects.filter(organisation__mails__in=OutboxMail.objects.filter(pk__in=part.pks))
    with Home(secret=sending.room_key().secret) as home:
        for row in rows:
            home.add(row.armoured)
            home.encrypt(part.text, to=row.fingerprint)
    return _done(len(part.pks))


def _done(sent: int) -> Batch:
    return Batch(sent, os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
