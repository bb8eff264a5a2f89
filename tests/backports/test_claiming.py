"""Claims: made, seen by who comes after, extended, handed on, ended by an upload, by time, by leaving."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.utils import timezone

from backports.models import Branch, Claim, Event
from backports.services import claiming, receiving
from backports.services.claiming import Claimed
from backports.services.errors import NotDone
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.test_receiving import patch
from xsa.identity import reading
from xsa.models import Advisory, AuditRecord, Organisation, User
from xsa.services.members import create_organisation, remove_organisation, remove_person


@pytest.fixture
def one(db: None) -> User:
    return factories.person("one", listed=True)


@pytest.fixture
def two(db: None) -> User:
    return factories.person("two", listed=True)


@pytest.fixture
def advisory(db: None) -> Advisory:
    return factories.advisory(777, disclosed=False)


@pytest.fixture
def branches(db: None) -> list[Branch]:
    xen = factories.repository()
    return [factories.branch(xen, f"4.{minor}") for minor in (6, 7, 8, 9, 10)]


def own(user: User) -> Organisation:
    return user.memberships.get().organisation


def later(hours: float = 24) -> Any:
    return timezone.now() + timedelta(hours=hours)


def claim(user: User, advisory: Advisory, branches: list[Branch], **more: Any) -> list[Claim]:
    until = more.pop("until", later())
    with reading(user):
        return claiming.claim(user, organisation=own(user), advisory=advisory, branches=branches, until=until, **more)


def kinds(advisory: Advisory) -> list[str]:
    return list(Event.objects.filter(advisory=advisory).order_by("position").values_list("kind", flat=True))


def test_a_range_is_every_branch_between_both_ends_in_either_order(branches: list[Branch]) -> None:
    assert branches[4].name == "4.10"
    rows = Branch.objects.all()
    Branch.objects.filter(name="4.8").update(gone=True)
    for ends in ((branches[1], branches[4]), (branches[4], branches[1])):
        assert [row.name for row in claiming.stretch(rows, *ends)] == ["4.7", "4.9", "4.10"]


def test_both_ends_are_in_one_repository(branches: list[Branch]) -> None:
    other = factories.branch(factories.repository("other"))
    with pytest.raises(NotDone, match="one repository"):
        claiming.stretch(Branch.objects.all(), branches[0], other)


def test_who_comes_second_is_told_who_has_it_and_may_say_so_all_the_same(
    one: User, two: User, advisory: Advisory, branches: list[Branch]
) -> None:
    claim(one, advisory, branches[:3])
    with pytest.raises(Claimed, match=r"Example one is on 4\.8 until .* UTC"):
        claim(two, advisory, branches[2:])
    assert Claim.objects.count() == 3
    made = claim(two, advisory, branches[2:], also=True)
    assert [row.also for row in made] == [True, False, False]
    with reading(one):
        assert claiming.open_claims().filter(branch=branches[2]).count() == 2


def test_claiming_again_sets_the_time_anew(one: User, advisory: Advisory, branches: list[Branch]) -> None:
    claim(one, advisory, branches[:2])
    until = later(48)
    claim(one, advisory, branches[1:3], until=until)
    found = {row.branch.name: row.until == until for row in Claim.objects.select_related("branch")}
    assert found == {"4.6": False, "4.7": True, "4.8": True}
    claim(one, advisory, branches[1:3], until=until)
    assert len(kinds(advisory)) == 4


@pytest.mark.parametrize("hours", [-1, 0, 24 * 31])
def test_a_claim_ends_within_30_days(one: User, advisory: Advisory, branches: list[Branch], hours: float) -> None:
    with pytest.raises(NotDone, match="within 30 days"):
        claim(one, advisory, branches, until=later(hours))


def test_nobody_claims_for_others_or_from_outside(
    one: User, two: User, advisory: Advisory, branches: list[Branch]
) -> None:
    outsider = factories.person("outsider")
    for user, organisation, why in (
        (two, own(one), "do not speak"),
        (outsider, own(outsider), "share the advisory's room"),
        (factories.person("colleague", listed=True, contact=False), None, "share the advisory's room"),
    ):
        with pytest.raises(PermissionDenied, match=why), reading(user):
            claiming.claim(
                user,
                organisation=organisation or own(user),
                advisory=advisory,
                branches=branches,
                until=later(),
            )


def test_what_is_over_is_open_to_others_and_told_once(
    one: User, two: User, advisory: Advisory, branches: list[Branch]
) -> None:
    claim(one, advisory, branches[:2])
    Claim.objects.update(until=timezone.now(), made_at=factories.DAY)
    claim(two, advisory, branches[:1])
    assert claiming.end_claims() == 2
    assert claiming.end_claims() == 0
    assert set(Claim.objects.filter(organisation=own(one)).values_list("ended_because", flat=True)) == {"expired"}
    assert kinds(advisory).count("claim.ended") == 2
    claim(one, advisory, branches[1:2])


def test_an_upload_ends_its_organisations_claim_on_that_branch_alone(workshop: Workshop, one: User, two: User) -> None:
    advisory = workshop.take(500, {"xsa500.patch": patch(workshop, "master")})
    rows = [Branch.objects.get(name=name) for name in ("4.1", "4.2")]
    claim(one, advisory, rows)
    claim(two, advisory, rows, also=True)
    with reading(one):
        receiving.submit(
            one,
            organisation=own(one),
            name="xsa500.patch",
            data=patch(workshop, "4.1"),
            advisory=advisory,
            branch=rows[0],
        )
    left = Claim.objects.filter(ended_at=None).values_list("organisation__name", "branch__name")
    assert set(left) == {("Example one", "4.2"), ("Example two", "4.1"), ("Example two", "4.2")}
    assert Claim.objects.get(organisation=own(one), branch=rows[0]).ended_because == "uploaded"


def test_a_claim_is_handed_over_when_the_other_organisation_accepts(
    one: User, two: User, advisory: Advisory, branches: list[Branch]
) -> None:
    mine = claim(one, advisory, branches[:2])
    with reading(one):
        claiming.offer(one, claims=mine, to=own(two))
        with pytest.raises(PermissionDenied):
            claiming.answer(one, claims=mine, accept=True)
    with reading(two):
        theirs = claiming.answer(two, claims=mine, accept=True)
    assert [(row.organisation, row.until, row.taken_over) for row in theirs] == [
        (own(two), row.until, row) for row in mine
    ]
    assert set(Claim.objects.filter(organisation=own(one)).values_list("ended_because", flat=True)) == {"handed-over"}
    with pytest.raises(PermissionDenied), reading(one):
        claiming.release(one, claims=theirs)


def test_an_offer_is_declined_or_taken_back_and_the_claim_stays(
    one: User, two: User, advisory: Advisory, branches: list[Branch]
) -> None:
    mine = claim(one, advisory, branches[:1])
    with reading(one):
        claiming.offer(one, claims=mine, to=own(two))
    with reading(two):
        claiming.answer(two, claims=mine, accept=False)
        with pytest.raises(NotDone, match="not offered any more"):
            claiming.answer(two, claims=mine, accept=True)
    with reading(one):
        claiming.offer(one, claims=mine, to=own(two))
        claiming.offer(one, claims=mine, to=None)
        assert claiming.open_claims().get().offered_to is None


def test_a_claim_is_not_offered_outside_of_the_list(one: User, advisory: Advisory, branches: list[Branch]) -> None:
    mine = claim(one, advisory, branches[:1])
    for heir in (own(one), create_organisation(None, name="Example Outsiders")):
        with pytest.raises(NotDone, match="on the list"), reading(one):
            claiming.offer(one, claims=mine, to=heir)


def test_who_leaves_is_on_nothing_any_more(one: User, two: User, advisory: Advisory, branches: list[Branch]) -> None:
    claim(one, advisory, branches[:1])
    claim(two, advisory, branches[1:2])
    remove_person(None, membership=one.memberships.get())
    assert Claim.objects.get(ended_at=None).organisation == own(two)
    remove_organisation(None, organisation=own(two))
    assert set(Claim.objects.values_list("ended_because", flat=True)) == {"left"}


def test_ending_what_ended_meanwhile_changes_nothing(one: User, advisory: Advisory, branches: list[Branch]) -> None:
    mine = claim(one, advisory, branches[:1])
    with reading(one):
        assert len(claiming.release(one, claims=mine)) == 1
        assert claiming.release(one, claims=mine) == []
    assert AuditRecord.objects.filter(verb="claim-ended").count() == 1


def test_gaps_are_the_branches_where_nobody_is(one: User, advisory: Advisory, branches: list[Branch]) -> None:
    mine = claim(one, advisory, branches[:2])
    done = factories.backport(advisory, branches[3], own(one), one, life="shared", shared_at=factories.DAY)
    gone = factories.backport(advisory, branches[4], own(one), one, life="withdrawn")
    assert claiming.gaps(branches, claims=mine, backports=[done, gone]) == [branches[2], branches[4]]


def test_of_two_who_claim_at_once_one_is_told(committed_db: None) -> None:
    people = [factories.person(name, listed=True) for name in ("one", "two")]
    row = factories.advisory(777, disclosed=False)
    branch = factories.branch(factories.repository())
    answers: list[str] = []
    gate = threading.Barrier(2)

    def go(user: User) -> None:
        gate.wait()
        try:
            claim(user, row, [branch])
            answers.append("made")
        except Claimed:
            answers.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["made", "told"]
