"""Attempts run in Celery workers: claimed with a lease, tried outside any transaction, finished once.

The row is the truth. A message only says "look at this row": losing one delays an attempt
until the next sweep, and getting one twice changes nothing.
"""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from backports.engine.errors import EngineError
from backports.engine.result import Outcome
from backports.git.errors import GitError
from backports.models import Attempt
from xsa import audit
from xsa.identity import everything
from xsa.models import Fix, User

from . import events, explaining
from .cell import find
from .finding import Finding
from .planning import one_planner, replan_steps
from .prerequisites import has_prerequisites, note_end, note_start, replan_dependents

log = logging.getLogger(__name__)
MOST_STARTS = 3
MOST_RENEWALS = 15  # a third of a lease each
SEND_AT_ONCE = 2_000
SHARED_OUT = 64  # cells waiting; up to so many are a message each, so that every worker gets some of a new advisory's
TURN = 10.0  # seconds for the cells of one advisory before something else has its turn
QUEUE = "celery"
ON_DEMAND = "on demand"
SOON = "soon"  # what a person waits for; workers take from both queues in turn
State = Attempt.State


def waiting(now: datetime) -> Q:
    """Current attempts that a worker may start now: never started, or left behind by a worker that died."""
    left = Q(state=State.RUNNING, lease_until__lt=now)
    return Q(current=True) & (Q(state=State.WAITING) | left)


def send(*, limit: int = SEND_AT_ONCE) -> int:
    """Queue what waits and was not queued lately; returns how many messages were sent."""
    now = timezone.now()
    lost = now - timedelta(seconds=settings.RESEND_AFTER)
    unsent = Q(sent_at=None) | Q(sent_at__lt=lost) | Q(state=State.RUNNING)
    rows = Attempt.objects.filter(waiting(now) & unsent).order_by("-advisory__number", "-branch__rank")
    cells = list(rows.values_list("advisory", "pk")[:limit])
    Attempt.objects.filter(pk__in=[pk for _, pk in cells]).update(sent_at=now)
    for pks in _shares(cells):
        message(*pks)
    return len(cells)


def _shares(cells: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> Iterator[list[uuid.UUID]]:
    """The cells as they go to workers: of many those of one advisory together, since what is read of it serves all."""
    few = len(cells) <= SHARED_OUT
    for _, share in itertools.groupby(cells, key=itemgetter(int(few))):
        yield [pk for _, pk in share]


def message(*pks: uuid.UUID | str, queue: str = QUEUE) -> None:
    """Tell a worker of attempts that it shall try one after the other, once they are committed."""
    transaction.on_commit(lambda: run_attempts.apply_async(args=tuple(map(str, pks)), queue=queue))


@shared_task(name="backports.sweep_attempts")
@everything("attempts")
def sweep_attempts() -> int:
    """Queue again what a broker lost or a dead worker left behind; when nothing is, what is to be explained."""
    return send() or explaining.send()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to finish one attempt, until it runs out."""

    attempt: uuid.UUID
    token: uuid.UUID


def claim(pk: uuid.UUID | str) -> Lease | None:
    """Take the attempt for this worker; None when another has it, or it is done or replaced."""
    now = timezone.now()
    token = uuid.uuid4()
    taken = Attempt.objects.filter(waiting(now), pk=pk).update(
        state=State.RUNNING,
        lease=token,
        lease_until=now + timedelta(seconds=settings.ATTEMPT_LEASE),
        started_at=now,
        starts=F("starts") + 1,
    )
    return Lease(uuid.UUID(str(pk)), token) if taken else None


@contextlib.contextmanager
def renewed(lease: Lease) -> Iterator[None]:
    """Keep the lease while the block runs, for `MOST_RENEWALS` times at most: what hangs is swept back after all."""
    over = threading.Event()
    # A thread begins with nobody's identity; this one writes as the task does.
    keeper = threading.Thread(target=contextvars.copy_context().run, args=(_keep, lease, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(lease: Lease, over: threading.Event) -> None:
    """In a thread of its own, which opens a connection only when the attempt takes long."""
    for _ in range(MOST_RENEWALS):
        if over.wait(settings.ATTEMPT_LEASE / 3):
            return
        try:
            if not renew(lease):
                return
        except DatabaseError as error:
            log.warning("lease not renewed attempt=%s error=%s", lease.attempt, type(error).__name__)
        finally:
            connection.close()


def renew(lease: Lease) -> bool:
    """Let the lease run from now on again; False when another worker has taken over."""
    until = timezone.now() + timedelta(seconds=settings.ATTEMPT_LEASE)
    held = Attempt.objects.filter(pk=lease.attempt, lease=lease.token, state=State.RUNNING)
    return bool(held.update(lease_until=until))


@shared_task(name="backports.run_attempts")
def run_attempts(*pks: str) -> None:
    """Try cells, and leave to a later message what is left after `TURN` seconds."""
    until = time.monotonic() + TURN
    for at, pk in enumerate(pks):
        if at and time.monotonic() > until:
            message(*pks[at:])
            return
        run_attempt(pk)


@everything("attempts")
def run_attempt(pk: str) -> str:
    """Try one cell. Returns the outcome, or "" when there was nothing to do."""
    lease = claim(pk)
    if lease is None:
        return ""
    began = time.monotonic()
    attempt = Attempt.objects.select_related("advisory", "branch__repository").get(pk=lease.attempt)
    builds_on_others = has_prerequisites(attempt)
    if builds_on_others:
        note_start(attempt)
    with renewed(lease):
        finding = _find(attempt)
    elapsed = round((time.monotonic() - began) * 1000)
    if finish(lease, finding, duration_ms=elapsed):
        log.info("attempt done attempt=%s outcome=%s ms=%d", pk, finding.outcome, elapsed)
        made = note_end(attempt, finding.outcome) if builds_on_others else 0
        if made + _wake_dependents(attempt, finding) + replan_steps(attempt):
            send()
        if attempt.because == ON_DEMAND:
            explaining.send_one(attempt.pk, queue=SOON)
    return finding.outcome


def _find(attempt: Attempt) -> Finding:
    if attempt.starts > MOST_STARTS:
        return Finding.failed("gave-up", f"The attempt was started {MOST_STARTS} times and never came to an end.")
    try:
        return find(attempt)
    except (EngineError, GitError) as error:
        return Finding.failed(error.code, error.sentence)
    except Exception as error:
        # The message may quote a patch; the type is enough to find the place.
        log.error("attempt failed attempt=%s error=%s", attempt.pk, type(error).__name__)
        return Finding.failed(
            "internal-error", f"The ladder stopped with {type(error).__name__}; this is a mistake of ours."
        )


@transaction.atomic
def finish(lease: Lease, finding: Finding, *, duration_ms: int) -> bool:
    """Write the outcome, if the lease still holds; False when another worker has taken over."""
    columns = finding.columns()
    if finding.source and not _lock(finding.source):
        columns["source"] = None
    written = Attempt.objects.filter(pk=lease.attempt, lease=lease.token, state=State.RUNNING).update(
        state=State.DONE,
        lease=None,
        lease_until=None,
        finished_at=timezone.now(),
        duration_ms=duration_ms,
        **columns,
    )
    if written:
        _tell_end(lease.attempt)
    return bool(written)


def _tell_end(pk: uuid.UUID) -> None:
    row = Attempt.objects.select_related("advisory", "branch").defer("evidence").get(pk=pk)
    events.tell(
        events.ATTEMPT_FINISHED, advisory=row.advisory, branch=row.branch, thing=row.pk, builds_on=row.prerequisites
    )


def _lock(source: Fix) -> bool:
    """Keep a fix in place until the transaction ends; False when it was replaced while it was tried."""
    rows = Fix.objects.select_for_update(no_key=True).filter(pk=source.pk)
    return rows.values_list("pk", flat=True).first() is not None


def _wake_dependents(attempt: Attempt, finding: Finding) -> int:
    """A result may be the prerequisite that other advisories wait for on the same branch."""
    if finding.outcome not in (Outcome.APPLIED, Outcome.ALREADY_APPLIED, Outcome.NEEDS_PREREQUISITE):
        return 0
    return replan_dependents(attempt)


def requeue(actor: User | None, *, attempts: Iterable[Attempt]) -> int:
    """Try cells again on demand, before what waits: a new attempt takes the place of each current one."""
    again = [made for old in attempts if (made := _again(actor, old)) is not None]
    for attempt in again:
        message(attempt.pk, queue=SOON)
    return len(again)


@transaction.atomic
def _again(actor: User | None, old: Attempt) -> Attempt | None:
    one_planner(old.branch.repository_id)
    if not Attempt.objects.filter(pk=old.pk, current=True).update(current=False):
        return None
    made = Attempt.objects.create(
        advisory_id=old.advisory_id,
        branch_id=old.branch_id,
        input_key=old.input_key,
        tip=old.branch.tip,
        seen_tip=old.branch.tip,
        because=ON_DEMAND,
        sent_at=timezone.now(),
    )
    audit.record("retried", actor=actor, advisory=old.advisory, thing=made)
    return made
