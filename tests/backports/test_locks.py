"""Who waits for whom, on connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from backports.engine.result import Outcome
from backports.models import Attempt
from backports.services import repositories
from backports.services.attempts import claim, finish, renewed, requeue
from backports.services.finding import Finding
from backports.services.planning import one_planner
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, Toy, guard
from xsa.models import Fix
from xsa.services.fixes import drop_fixes

PICK: Edits = {"common/table.c": [guard("table_pick")]}


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """`work` is done by somebody else, whose transaction is open for as long as the block runs."""
    done, over = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            work()
            done.set()
            over.wait(20)
        connection.close()

    other = threading.Thread(target=copy_context().run, args=(run,))
    other.start()
    assert done.wait(20)
    try:
        yield
    finally:
        over.set()
        other.join()


@pytest.fixture
def workshop(committed_db: None, toy: Toy, git_root: Path, unsent: list[str]) -> Workshop:
    """As in the other tests, but for that what it writes is committed."""
    return Workshop(toy, repositories.add_repository(None, name="toy", url=str(toy.path)), unsent)


@pytest.fixture
def impatient(workshop: Workshop) -> Iterator[None]:
    """A wait for a lock ends at once, as an error."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")


def test_trying_again_waits_for_whoever_plans(workshop: Workshop, impatient: None) -> None:
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", PICK, "table: check")})
    cell = workshop.cell(950, "4.1")
    with meanwhile(lambda: one_planner(workshop.repository.pk)), pytest.raises(OperationalError):
        requeue(None, attempts=[cell])
    assert requeue(None, attempts=[cell]) == 1


def test_fixes_are_not_taken_away_under_an_attempt_that_ends_with_one(workshop: Workshop, impatient: None) -> None:
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", PICK, "table: check")})
    source = Fix.objects.get()
    lease = claim(workshop.cell(950, "4.1").pk)
    assert lease
    ending = Finding(Outcome.CONFLICT, source=source)
    with meanwhile(lambda: finish(lease, ending, duration_ms=1)), pytest.raises(OperationalError), transaction.atomic():
        drop_fixes(source.version)
    with transaction.atomic():
        drop_fixes(source.version)
    assert not Fix.objects.exists()
    assert workshop.cell(950, "4.1").source is None


def test_a_lease_is_renewed_on_a_connection_of_its_own_while_the_attempt_runs(
    workshop: Workshop, settings: Any
) -> None:
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", PICK, "table: check")})
    cell = workshop.cell(950, "4.1")
    lease = claim(cell.pk)
    assert lease is not None
    settings.ATTEMPT_LEASE = 0.3
    seen = threading.Event()

    def look() -> None:
        first = Attempt.objects.values_list("lease_until", flat=True).get(pk=cell.pk)
        while not over.is_set():
            if Attempt.objects.values_list("lease_until", flat=True).get(pk=cell.pk) != first:
                seen.set()
                break
        connection.close()

    over = threading.Event()
    watcher = threading.Thread(target=copy_context().run, args=(look,))
    with renewed(lease):
        watcher.start()
        assert seen.wait(20)
    over.set()
    watcher.join()
    assert finish(lease, Finding(Outcome.CONFLICT), duration_ms=1)
