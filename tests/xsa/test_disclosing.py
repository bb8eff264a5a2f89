"""Opening an advisory: who may, when, and that it happens whole or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests import factories
from tests.xsa.samples import advisory as published
from xsa.identity import reading
from xsa.models import Advisory, Announcement, DisclosureRequest, Membership, PlannedDate, User
from xsa.services import disclose as opener
from xsa.services import disclosing, plans
from xsa.services.ingest import ingest_files

NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture
def secret(db: None) -> Advisory:
    return planned_for(factories.advisory(777, disclosed=False), NOW + 48 * HOUR)


def planned_for(row: Advisory, at: datetime, *, by: User | None = None) -> Advisory:
    """As though the date had been set two days ago."""
    PlannedDate.objects.filter(advisory=row).delete()
    made = plans.note_plan(by, advisory=row, at=at)
    PlannedDate.objects.filter(pk=made.pk).update(set_at=NOW - 48 * HOUR)
    row.refresh_from_db()
    return row


def team(username: str) -> User:
    return factories.person(username, security_team=True)


def is_public(row: Advisory) -> bool:
    with reading(AnonymousUser()):
        return Advisory.objects.filter(pk=row.pk).exists()


def test_before_its_time_one_person_opens_nothing(secret: Advisory) -> None:
    one = team("one")
    with reading(one), pytest.raises(PermissionDenied, match="two people"):
        disclosing.disclose_alone(one, advisory=secret, reason="I say so", already_public=False)
    assert not is_public(secret)


def test_two_people_open_it_before_its_time(secret: Advisory) -> None:
    one, two = team("one"), team("two")
    with reading(one):
        request = disclosing.ask(one, advisory=secret, reason="seen in the wild")
        with pytest.raises(PermissionDenied, match="yourself"):
            disclosing.confirm(one, request=request)
    assert not is_public(secret)
    with reading(two):
        assert disclosing.confirm(two, request=request)
    assert is_public(secret)
    request.refresh_from_db()
    assert (request.confirmed_by, request.closed_at is None) == (two, False)
    secret.refresh_from_db()
    assert secret.disclosure_reason == "seen in the wild"


def test_the_database_takes_no_one_for_two(secret: Advisory) -> None:
    one = team("one")
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
        DisclosureRequest.objects.create(
            advisory=secret, reason="x", asked_by=one, asked_at=NOW, confirmed_by=one, closed_at=NOW
        )


def test_what_is_public_already_needs_one_person_and_a_reason(secret: Advisory) -> None:
    one = team("one")
    with reading(one):
        assert disclosing.disclose_alone(one, advisory=secret, reason="posted to a list", already_public=True)
    assert is_public(secret)
    kept = DisclosureRequest.objects.get()
    assert (kept.already_public, kept.reason, kept.asked_by) == (True, "posted to a list", one)


@pytest.mark.parametrize("kind", ["member", "outsider", "halfway"])
def test_only_the_security_team_asks_or_opens(secret: Advisory, kind: str) -> None:
    user = factories.person(kind, listed=kind == "member", security_team=kind == "halfway")
    user.cleared = kind != "halfway"
    secret = planned_for(secret, NOW - HOUR)
    for act in (
        lambda: disclosing.ask(user, advisory=secret, reason="x"),
        lambda: disclosing.disclose_alone(user, advisory=secret, reason="x", already_public=True),
        lambda: plans.plan_disclosure(user, advisory=secret, at=NOW + 99 * HOUR),
        lambda: plans.announce(user, number=777, planned=None),
    ):
        with reading(user), pytest.raises(PermissionDenied, match="security team"):
            act()
    assert not is_public(secret)
    assert not Announcement.objects.exists()


@pytest.mark.parametrize("end", ["withdrawn", "old", "moved"])
def test_a_request_that_ended_opens_nothing(secret: Advisory, end: str) -> None:
    one, two = team("one"), team("two")
    request = disclosing.ask(one, advisory=secret, reason="x")
    if end == "withdrawn":
        assert disclosing.withdraw(one, request=request)
    elif end == "old":
        DisclosureRequest.objects.update(asked_at=NOW - 25 * HOUR)
    else:
        plans.plan_disclosure(two, advisory=secret, at=NOW + 99 * HOUR)
    with pytest.raises(PermissionDenied, match="closed or too old"):
        disclosing.confirm(two, request=request)
    assert not is_public(secret)
    assert disclosing.ask(two, advisory=secret, reason="again").pk != request.pk


def test_who_left_the_team_is_no_second_person(secret: Advisory) -> None:
    one, two = team("one"), team("two")
    request = disclosing.ask(one, advisory=secret, reason="x")
    Membership.objects.filter(user=one).delete()
    with pytest.raises(PermissionDenied, match="left the security team"):
        disclosing.confirm(two, request=request)
    assert not is_public(secret)


def test_at_its_time_one_person_is_enough(secret: Advisory) -> None:
    secret = planned_for(secret, NOW - HOUR)
    assert disclosing.disclose_alone(team("one"), advisory=secret, reason="it is time", already_public=False)
    assert is_public(secret)


def test_on_schedule_it_opens_by_itself_and_only_then(secret: Advisory) -> None:
    with reading(AnonymousUser()):
        assert list(disclosing.disclose_due(secret.planned_disclosure_at - HOUR)) == []
        assert not is_public(secret)
        assert list(disclosing.disclose_due(secret.planned_disclosure_at)) == [secret.pk]
        assert list(disclosing.disclose_due(secret.planned_disclosure_at)) == []
    assert is_public(secret)


def ingest(version: int, planned: datetime | None) -> Advisory:
    ingest_files(None, files=published(950, version=version), planned=planned)
    return Advisory.objects.get(number=950)


def test_a_date_that_a_newer_version_moved_is_never_the_old_one_again(db: None) -> None:
    early, late = NOW + 24 * HOUR, NOW + 72 * HOUR
    ingest(1, early)
    row = ingest(2, late)
    assert row.planned_disclosure_at == late
    assert list(disclosing.disclose_due(early)) == []
    again = ingest(1, early)
    assert again.planned_disclosure_at == late
    assert [(one.moved, one.version) for one in row.planned_dates.all()] == [(True, 2), (False, 1)]
    assert list(disclosing.disclose_due(late)) == [row.pk]


def test_a_newer_version_without_a_date_holds_the_old_one_until_a_person_confirms_it(db: None) -> None:
    date = NOW + 24 * HOUR
    ingest(1, date)
    row = ingest(2, None)
    assert "Version 2" in plans.why_held(row)
    assert list(disclosing.disclose_due(date)) == []
    assert not is_public(row)
    plans.plan_disclosure(team("one"), advisory=row, at=date)
    assert list(disclosing.disclose_due(date)) == [row.pk]


def test_a_date_that_was_over_when_it_came_in_opens_nothing(db: None) -> None:
    row = ingest(1, NOW - HOUR)
    assert "over already" in plans.why_held(row)
    assert list(disclosing.disclose_due(NOW)) == []
    assert not is_public(row)


def test_a_later_date_in_public_holds_the_earlier_one(secret: Advisory) -> None:
    Announcement.objects.create(number=777, planned_disclosure_at=NOW + 96 * HOUR)
    assert "later date is announced" in plans.why_held(secret)
    assert list(disclosing.disclose_due(secret.planned_disclosure_at)) == []
    assert not is_public(secret)


def test_one_person_brings_no_date_forward(secret: Advisory) -> None:
    one = team("one")
    with pytest.raises(PermissionDenied, match="forward"):
        plans.plan_disclosure(one, advisory=secret, at=NOW + HOUR)
    unplanned = factories.advisory(778, disclosed=False)
    Advisory.objects.filter(pk=unplanned.pk).update(planned_disclosure_at=None)
    unplanned.refresh_from_db()
    with pytest.raises(PermissionDenied, match="24 hours"):
        plans.plan_disclosure(one, advisory=unplanned, at=NOW + HOUR)
    assert plans.plan_disclosure(one, advisory=unplanned, at=NOW + 30 * HOUR).moved_from is None


def test_what_is_disclosed_never_goes_back(secret: Advisory) -> None:
    opener.disclose(None, advisory=secret, reason="test", at=NOW)
    with pytest.raises(PermissionDenied, match="cannot go back under embargo"):
        plans.plan_disclosure(team("one"), advisory=secret, at=NOW + 99 * HOUR)
    with pytest.raises(IntegrityError, match="stays so"), transaction.atomic():
        Advisory.objects.filter(pk=secret.pk).update(disclosed_at=None, disclosure_reason="")
    assert not opener.disclose(None, advisory=secret, reason="again", at=NOW + HOUR)
    assert is_public(secret)


STEPS = ["_open", "_close_requests", "_withdraw_announcement", "_tell"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_disclosure_that_fails_half_way_leaves_everything_closed(
    secret: Advisory, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    one, two = team("one"), team("two")
    plans.announce(one, number=777, planned=secret.planned_disclosure_at)
    request = disclosing.ask(one, advisory=secret, reason="x")
    monkeypatch.setattr(opener, step, broken(getattr(opener, step), when))
    with pytest.raises(Breakage):
        disclosing.confirm(two, request=request)
    assert not is_public(secret)
    assert list(disclosing.disclose_due(secret.planned_disclosure_at)) == []
    assert not is_public(secret)
    request.refresh_from_db()
    assert (request.closed_at, request.confirmed_by) == (None, None)
    assert Announcement.objects.filter(number=777).exists()
    monkeypatch.undo()
    assert disclosing.confirm(two, request=request)
    assert is_public(secret)


class Breakage(Exception):
    pass


def broken(work: Callable[..., Any], when: str) -> Callable[..., Any]:
    def fails(*args: Any) -> None:
        if when == "after":
            work(*args)
        raise Breakage

    return fails


def test_one_that_cannot_be_opened_holds_up_no_other(secret: Advisory, monkeypatch: pytest.MonkeyPatch) -> None:
    other = planned_for(factories.advisory(778, disclosed=False), secret.planned_disclosure_at)
    real = opener._open

    def fails(advisory: Advisory, *rest: Any) -> bool:
        if advisory.pk == secret.pk:
            raise Breakage
        return real(advisory, *rest)

    monkeypatch.setattr(opener, "_open", fails)
    assert list(disclosing.disclose_due(secret.planned_disclosure_at)) == [other.pk]
    assert not is_public(secret)


def test_the_public_list_announces_what_it_names_before_its_release(db: None) -> None:
    listed = b"""[{"xsas": [
      {"xsa": 777, "title": "(Prereleased, but embargoed)", "public_time": "2031-03-04 12:00"},
      {"xsa": 778, "title": "told, but not yet", "public_time": "2031-03-04 12:00", "cve": ["CVE-2031-0778"]},
      {"xsa": 456, "title": "public for long", "public_time": "2020-03-04 12:00"}]}]"""
    Announcement.objects.create(number=456)
    ingest_files(None, files={"xsa.json": listed})
    with reading(AnonymousUser()):
        told = list(Announcement.objects.values_list("number", flat=True))
    assert told == [778, 777]
    assert [field.name for field in Announcement._meta.get_fields()] == ["number", "planned_disclosure_at"]


def test_an_announcement_ends_with_the_disclosure_and_comes_back_by_no_old_list(secret: Advisory) -> None:
    listed = b'[{"xsas": [{"xsa": 777, "title": "(Prereleased, but embargoed)", "public_time": "2031-03-04 12:00"}]}]'
    ingest_files(None, files={"xsa.json": listed})
    assert Announcement.objects.filter(number=777).exists()
    opener.disclose(None, advisory=secret, reason="test", at=NOW)
    ingest_files(None, files={"xsa.json": listed + b" "})
    assert not Announcement.objects.exists()


def test_a_date_that_moves_this_very_moment_is_waited_for(committed_db: None) -> None:
    """The scheduler looks while somebody's transaction, which moves the date, is still open."""
    with transaction.atomic():
        row = planned_for(factories.advisory(777, disclosed=False), NOW - HOUR)
    opened: list[Any] = []
    clock = threading.Thread(target=lambda: (opened.extend(disclosing.disclose_due(NOW)), connection.close()))
    with transaction.atomic():
        plans.note_plan(None, advisory=row, at=NOW + 48 * HOUR)
        clock.start()
        wait_until(somebody_waits)
    clock.join(20)
    assert opened == []
    assert not is_public(row)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone() != (0,))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
