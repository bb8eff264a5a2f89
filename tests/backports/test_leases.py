"""Who may run an attempt, who may finish it, and what becomes of one whose worker died."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from backports.engine.result import Outcome
from backports.models import Attempt
from backports.services import attempts
from backports.services.attempts import (
    MOST_STARTS,
    claim,
    finish,
    renew,
    run_attempt,
    run_attempts,
    send,
    sweep_attempts,
)
from backports.services.finding import Finding
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, guard
from xsa.models import Fix

PICK: Edits = {"common/table.c": [guard("table_pick")]}


@pytest.fixture
def waiting(workshop: Workshop) -> Attempt:
    """One attempt that waits and whose message was sent."""
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", PICK, "table: check")})
    return workshop.cell(950, "4.1")


def run_out(attempt: Attempt) -> None:
    """The lease's time is over."""
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_every_new_attempt_is_sent_once(workshop: Workshop, waiting: Attempt) -> None:
    assert len(workshop.sent) == len(set(workshop.sent)) == 5
    assert send() == 0


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What each message names."""
    found: list[list[str]] = []
    monkeypatch.setattr(attempts, "message", lambda *pks, **_: found.append([str(pk) for pk in pks]))
    return found


@pytest.mark.parametrize(("shared_out", "each"), [(10, [1] * 10), (9, [5, 5])])
def test_a_few_attempts_are_shared_out_and_of_many_an_advisorys_go_together(
    workshop: Workshop, messages: list[list[str]], monkeypatch: pytest.MonkeyPatch, shared_out: int, each: list[int]
) -> None:
    for number in (950, 951):
        workshop.take(number, {f"xsa{number}.patch": workshop.toy.patch("master", PICK, "table: check")})
    Attempt.objects.update(sent_at=None)
    messages.clear()
    monkeypatch.setattr(attempts, "SHARED_OUT", shared_out)
    assert send() == 10
    assert [len(pks) for pks in messages] == each
    told = [Attempt.objects.get(pk=pk) for pks in messages for pk in pks]
    assert [row.advisory.number for row in told] == [951] * 5 + [950] * 5
    assert [row.branch.name for row in told[:5]] == ["4.5", "4.4", "4.3", "4.2", "4.1"]


def test_two_workers_cannot_take_the_same_attempt(waiting: Attempt) -> None:
    assert claim(waiting.pk) is not None
    assert claim(waiting.pk) is None
    waiting.refresh_from_db()
    assert (waiting.state, waiting.starts) == ("running", 1)


def test_a_message_that_comes_twice_changes_nothing(workshop: Workshop, waiting: Attempt) -> None:
    assert run_attempt(str(waiting.pk)) == "applied"
    before = Attempt.objects.filter(pk=waiting.pk).values().get()
    assert run_attempt(str(waiting.pk)) == ""
    assert Attempt.objects.filter(pk=waiting.pk).values().get() == before


def test_the_attempts_of_a_message_are_tried_one_after_the_other(workshop: Workshop, waiting: Attempt) -> None:
    run_attempts(*workshop.sent)
    assert set(Attempt.objects.values_list("state", "starts")) == {("done", 1)}


def test_what_a_turn_leaves_is_sent_again_and_not_tried_twice(
    workshop: Workshop, waiting: Attempt, messages: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "TURN", 0.0)
    run_attempts(*workshop.sent)
    assert messages == [workshop.sent[1:]]
    assert Attempt.objects.filter(state="done").count() == 1


def test_a_message_about_a_running_attempt_leaves_it_alone(waiting: Attempt) -> None:
    claim(waiting.pk)
    assert run_attempt(str(waiting.pk)) == ""
    waiting.refresh_from_db()
    assert (waiting.state, waiting.starts) == ("running", 1)


def test_a_message_about_nothing_changes_nothing(db: None) -> None:
    assert run_attempt("00000000-0000-4000-8000-000000000000") == ""


def test_when_a_lease_runs_out_the_sweep_sends_the_attempt_again(workshop: Workshop, waiting: Attempt) -> None:
    claim(waiting.pk)
    workshop.sent.clear()
    assert sweep_attempts() == 0
    run_out(waiting)
    assert sweep_attempts() == 1
    assert workshop.sent == [str(waiting.pk)]


def test_a_message_that_a_broker_lost_is_sent_again_later(workshop: Workshop, waiting: Attempt) -> None:
    workshop.sent.clear()
    Attempt.objects.filter(pk=waiting.pk).update(sent_at=timezone.now() - timedelta(seconds=settings.RESEND_AFTER + 1))
    assert sweep_attempts() == 1
    assert workshop.sent == [str(waiting.pk)]
    assert sweep_attempts() == 0


def test_who_lost_the_lease_cannot_finish(waiting: Attempt) -> None:
    first = claim(waiting.pk)
    run_out(waiting)
    second = claim(waiting.pk)
    assert first is not None
    assert second is not None
    assert not finish(first, Finding.failed("late", "Too late."), duration_ms=1)
    assert finish(second, Finding(Outcome.CONFLICT), duration_ms=2)
    assert not finish(second, Finding.failed("again", "Once is enough."), duration_ms=3)
    waiting.refresh_from_db()
    assert (waiting.outcome, waiting.duration_ms, waiting.starts) == ("conflict", 2, 2)
    assert waiting.lease is None


def test_a_lease_is_renewed_by_who_holds_it_and_by_nobody_else(waiting: Attempt) -> None:
    first = claim(waiting.pk)
    assert first is not None
    waiting.refresh_from_db()
    until = waiting.lease_until
    assert renew(first)
    waiting.refresh_from_db()
    assert until is not None
    assert waiting.lease_until is not None
    assert waiting.lease_until > until
    run_out(waiting)
    assert claim(waiting.pk) is not None
    assert not renew(first)


def test_a_lease_that_ran_out_unnoticed_still_finishes(waiting: Attempt) -> None:
    lease = claim(waiting.pk)
    run_out(waiting)
    assert lease is not None
    assert finish(lease, Finding(Outcome.CONFLICT), duration_ms=1)


def test_an_attempt_that_kills_every_worker_is_given_up_with_a_sentence(workshop: Workshop, waiting: Attempt) -> None:
    for _ in range(MOST_STARTS):
        assert claim(waiting.pk) is not None
        run_out(waiting)
    assert run_attempt(str(waiting.pk)) == "error"
    waiting.refresh_from_db()
    assert (waiting.state, waiting.problem_code, waiting.starts) == ("done", "gave-up", MOST_STARTS + 1)
    assert waiting.problem.endswith(".")
    assert sweep_attempts() == 0


def test_an_attempt_that_was_replaced_is_not_started(workshop: Workshop, waiting: Attempt) -> None:
    Attempt.objects.filter(pk=waiting.pk).update(current=False)
    assert claim(waiting.pk) is None


def test_a_fix_that_is_gone_when_its_attempt_comes_to_an_end_is_no_source(
    waiting: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that is completed while it is tried gets its fixes anew."""
    real = attempts.find

    def meanwhile(attempt: Attempt) -> Finding:
        finding = real(attempt)
        Fix.objects.all().delete()
        return finding

    monkeypatch.setattr(attempts, "find", meanwhile)
    assert run_attempt(str(waiting.pk)) == "applied"
    waiting.refresh_from_db()
    assert (waiting.state, waiting.source) == ("done", None)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
