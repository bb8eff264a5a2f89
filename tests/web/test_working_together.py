"""Claims, checks and the timeline on the pages, as people of a room use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backports.models import BackportVersion, Claim, Event, Look, RequiredCheck
from backports.services import commenting, events
from tests import factories
from tests.web.conftest import World
from xsa.models import Membership, Organisation, User

PAGE = "/advisories/777/"


@pytest.fixture
def one(db: None) -> User:
    return factories.person("one", listed=True)


@pytest.fixture
def two(db: None) -> User:
    return factories.person("two", listed=True)


def browser(user: User) -> Client:
    return factories.log_in(Client(), user)


def form(world: World, user: User, **more: str) -> dict[str, Any]:
    until = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    place = user.memberships.get().organisation_id
    return {"organisation": place, "first": world.branch.pk, "last": world.branch.pk, "until": until} | more


def text(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


def test_a_gap_is_shown_until_somebody_claims_it(world: World, one: User) -> None:
    world.secret_attempt.__class__.objects.filter(pk=world.secret_attempt.pk).update(outcome="conflict")
    client = browser(one)
    page = client.get(PAGE)
    assert "Nobody is on xen 4.11." in page.content.decode()
    assert page.context["claims"].form.initial == {"first": world.branch.pk, "last": world.branch.pk}
    assert client.post(f"{PAGE}claims/", form(world, one)).status_code == 302
    page = text(client)
    assert "Nobody is on" not in page
    assert "End it" in page


def test_the_second_one_is_told_and_says_it_deliberately(world: World, one: User, two: User) -> None:
    browser(one).post(f"{PAGE}claims/", form(world, one))
    client = browser(two)
    told = client.post(f"{PAGE}claims/", form(world, two))
    assert told.status_code == 409
    assert "Example one is on 4.11 until" in told.content.decode()
    assert 'name="also" value="on"' in told.content.decode()
    assert Claim.objects.count() == 1
    assert client.post(f"{PAGE}claims/", form(world, two, also="on")).status_code == 302
    for user in (one, two):
        page = text(browser(user))
        assert "Example one" in page and "Example two" in page


def test_a_claim_goes_to_another_organisation_and_ends(world: World, one: User, two: User) -> None:
    browser(one).post(f"{PAGE}claims/", form(world, one))
    row = Claim.objects.get()
    heir = Organisation.objects.get(name="Example two")
    change = f"{PAGE}claims/change/"
    browser(one).post(change, {"step": "offer", "claim": row.pk, "to": heir.pk})
    assert "Take it over" in text(browser(two))
    browser(two).post(change, {"step": "accept", "claim": row.pk})
    mine = Claim.objects.get(ended_at=None)
    assert mine.organisation == heir
    assert browser(one).post(change, {"step": "release", "claim": mine.pk}).status_code == 403
    browser(two).post(change, {"step": "release", "claim": mine.pk})
    assert not Claim.objects.filter(ended_at=None).exists()
    again = browser(two).post(change, {"step": "release", "claim": mine.pk}, follow=True)
    assert "It has ended meanwhile." in again.content.decode()


@pytest.mark.parametrize("wrong", [{"until": "soon"}, {"until": "2001-01-01T00:00"}, {"first": "x"}])
def test_what_makes_no_sense_is_asked_again(world: World, one: User, wrong: dict[str, str]) -> None:
    answer = browser(one).post(f"{PAGE}claims/", form(world, one, **wrong))
    assert answer.status_code == 400
    assert "Nothing was claimed" in answer.content.decode()
    assert not Claim.objects.exists()


def test_outsiders_see_no_claim_after_disclosure(world: World, one: User, outsider: Client, anonymous: Client) -> None:
    browser(one).post("/advisories/456/claims/", form(world, one))
    assert "Example one" in text(browser(one), "/advisories/456/")
    for client in (outsider, anonymous):
        assert "Who is on it" not in text(client, "/advisories/456/")
        assert client.post("/advisories/456/claims/", form(world, one)).status_code == 403


@pytest.fixture
def version(world: World, one: User) -> BackportVersion:
    place = one.memberships.get().organisation
    row = factories.backport(world.secret, world.branch, place, one, life="shared", shared_at=factories.DAY)
    return factories.version(row)


def test_checks_stand_with_the_version_and_what_is_required_first(version: BackportVersion, one: User) -> None:
    RequiredCheck.objects.create(branch=version.backport.branch, name="xtf", set_by=one, set_at=factories.DAY)
    row = factories.check(version, log=b"cc a.c\n<b>quiet\x1b[0m\n", log_size=20, summary="made all")
    client = browser(one)
    page = text(client, f"/backports/{version.backport_id}/")
    assert page.index("<code>xtf</code>") < page.index("<code>build</code>")
    assert "not run yet" in page and "made all" in page
    shown = text(client, f"/checks/{row.pk}/")
    assert "&lt;b&gt;quiet" in shown and "\x1b" not in shown
    log = client.get(f"/checks/{row.pk}/log.txt")
    assert log.content == b"cc a.c\n<b>quiet\x1b[0m\n"
    assert log["Cache-Control"].startswith("no-store")


def test_a_branchs_keeper_says_what_it_requires_and_others_read_why_not(world: World, one: User, team: Client) -> None:
    address = "/r/xen/branches/4.11/"
    team.post(f"{address}required-checks/", {"names": "build\nxtf"})
    for bad in ("x\n" * 1_500, "a\0b", "Build it!"):
        team.post(f"{address}required-checks/", {"names": bad})
        assert set(RequiredCheck.objects.values_list("name", flat=True)) == {"build", "xtf"}
    assert "<code>build</code>, <code>xtf</code>" in text(browser(one), address)
    Membership.objects.filter(user=one).update(role="admin")
    assert "Only the security team says what upstream&#x27;s branches require." in text(browser(one), address)
    assert browser(one).post(f"{address}required-checks/", {"names": ""}).status_code == 403
    assert RequiredCheck.objects.count() == 2


def test_the_timeline_marks_what_is_new_once_somebody_said_what_they_saw(world: World, one: User) -> None:
    events.tell(events.ADVISORY_VERSION, advisory=world.secret, thing=world.secret.current_id)
    client = browser(one)
    page = client.get(f"{PAGE}timeline/")
    assert "version 1 of the advisory came in" in page.content.decode()
    assert not Look.objects.exists()
    newest = page.context["newest"].pk
    client.post(f"{PAGE}claims/", form(world, one))
    client.post(f"{PAGE}timeline/", {"event": newest})
    assert "1 new since you last looked" in text(client)
    marked = text(client, f"{PAGE}timeline/")
    assert marked.count('class="fresh"') == 1
    assert "xen 4.11" in marked
    newest = client.get(f"{PAGE}timeline/").context["newest"].pk
    client.post(f"{PAGE}timeline/", {"event": newest})
    assert "Nothing is new since you last looked" in text(client, f"{PAGE}timeline/")
    assert client.post(f"{PAGE}timeline/", {"event": "x"}).status_code == 400


def test_the_timeline_names_who_did_it_first_and_then_whose_backport_it_is_about(
    version: BackportVersion, one: User, two: User
) -> None:
    two.cleared = True
    place, backport = two.memberships.get().organisation, version.backport
    commenting.say(two, organisation=place, advisory=backport.advisory, backport=backport, text="Why?")
    commenting.say(two, organisation=place, advisory=backport.advisory, text="Who is at it?")
    of_all, of_one = browser(one).get(f"{PAGE}timeline/").context["entries"]
    assert (of_one.who, of_one.words) == (place, "wrote a comment on the backport of Example one")
    assert (of_one.href, of_all.href) == (f"/backports/{backport.pk}/", f"{PAGE}#talk")
    assert (of_all.who, of_all.words) == (place, "wrote a comment")
    assert "<strong>Example two</strong>, xen 4.11: <a" in text(browser(one), f"{PAGE}timeline/")


def test_the_timeline_of_what_is_disclosed_tells_outsiders_nothing_of_the_room(
    world: World, one: User, anonymous: Client
) -> None:
    events.tell(events.ADVISORY_VERSION, advisory=world.known, thing=world.known.current_id)
    browser(one).post("/advisories/456/claims/", form(world, one))
    assert "Example one" in text(browser(one), "/advisories/456/timeline/")
    page = text(anonymous, "/advisories/456/timeline/")
    assert "version 1 of the advisory came in" in page
    assert "Example one" not in page
    assert anonymous.get(f"{PAGE}timeline/").status_code == 404
    event = Event.objects.filter(advisory=world.known, kind="advisory.version").get()
    assert anonymous.post("/advisories/456/timeline/", {"event": event.pk}).status_code == 403


def test_a_long_timeline_is_paged_and_asks_few_questions(
    world: World, one: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(130):
        events.tell(events.ATTEMPT_FINISHED, advisory=world.secret, branch=world.branch, thing=world.secret_attempt.pk)
        events.tell(events.ADVISORY_VERSION, advisory=world.secret, thing=world.secret.current_id)
    client = browser(one)
    client.get(PAGE)
    with django_assert_max_num_queries(25):
        first = client.get(f"{PAGE}timeline/")
    assert len(first.context["entries"]) == 100
    older = client.get(f"{PAGE}timeline/{first.context['page'].older}")
    assert len(older.context["entries"]) == 100
    assert older.context["newest"] is None
