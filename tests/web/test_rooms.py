"""Who of an organisation is let in, and how far each organisation says it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.web.conftest import World
from xsa.models import Admission, Membership, Organisation, Statement, User
from xsa.services.disclose import disclose


@pytest.fixture
def own(db: None) -> Organisation:
    """A listed organisation with an admin who is its contact, and a colleague who is none."""
    admin = factories.person("admin", listed=True)
    Membership.objects.filter(user=admin).update(role="admin")
    organisation = Organisation.objects.get(memberships__user=admin)
    colleague = User.objects.create_user("colleague")
    Membership.objects.create(user=colleague, organisation=organisation)
    return organisation


def browser(username: str) -> Client:
    return factories.log_in(Client(), User.objects.get(username=username))


def page_of(organisation: Organisation) -> str:
    return f"/organisations/{organisation.pk}/need-to-know/"


def let_in(client: Client, organisation: Organisation, username: str = "colleague", number: int = 777) -> Any:
    membership = Membership.objects.get(user__username=username)
    return client.post(page_of(organisation), {"step": "admit", "membership": membership.pk, "advisory": number})


def test_an_admin_lets_a_colleague_into_one_advisory_and_out_again(world: World, own: Organisation) -> None:
    admin, colleague = browser("admin"), browser("colleague")
    factories.advisory(778, disclosed=False)
    assert colleague.get("/advisories/777/").status_code == 404
    assert let_in(admin, own).status_code == 302
    assert colleague.get("/advisories/777/").status_code == 200
    assert colleague.get("/advisories/778/").status_code == 404
    page = admin.get(page_of(own)).content.decode()
    assert "let in by admin" in page
    admission = Admission.objects.get()
    assert admin.post(page_of(own), {"step": "unadmit", "admission": admission.pk}).status_code == 302
    assert colleague.get("/advisories/777/").status_code == 404


def test_the_page_is_for_admins_and_the_security_team(
    world: World, own: Organisation, anonymous: Client, outsider: Client, member: Client, team: Client
) -> None:
    missing = anonymous.get("/organisations/00000000-0000-4000-8000-000000000000/need-to-know/")
    for client in (anonymous, outsider, member):
        for ask in (client.get, client.post):
            assert ask(page_of(own)).status_code == 404
            assert ask(page_of(own)).content == missing.content
    told = browser("colleague").get(page_of(own))
    assert (told.status_code, b"Only admins of the organisation" in told.content) == (403, True)
    assert let_in(team, own).status_code == 302


def test_nobody_lets_others_see_what_they_do_not_see_themselves(world: World, own: Organisation) -> None:
    Membership.objects.filter(user__username="admin").update(contact=False)
    admin = browser("admin")
    secret, nothing = let_in(admin, own), let_in(admin, own, number=9999)
    assert (secret.status_code, secret.content) == (404, nothing.content)
    assert not Admission.objects.exists()
    assert "XSA-777" not in admin.get(page_of(own)).content.decode()


def test_nobody_of_another_organisation_is_let_in(world: World, own: Organisation, member: Client) -> None:
    Membership.objects.filter(user__username="member").update(contact=False)
    assert let_in(browser("admin"), own, username="member").status_code == 404
    assert not Admission.objects.exists()


def test_an_organisation_off_the_list_lets_nobody_in(world: World, own: Organisation, team: Client) -> None:
    Organisation.objects.filter(pk=own.pk).update(listed=False)
    assert let_in(team, own).status_code == 403
    assert not Admission.objects.exists()


def say(client: Client, organisation: Organisation, state: str = "patch-ready", number: int = 777) -> Any:
    data = {"organisation": organisation.pk, "branch": "4.11", "state": state}
    return client.post(f"/advisories/{number}/statements/", data)


def lines(client: Client) -> list[str]:
    page = client.get("/advisories/777/").content.decode()
    table = page.partition("What each organisation says")[2].partition("</table>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr.*?</tr>", table, re.S)[1:]]


def test_each_organisation_speaks_for_itself_and_silence_is_shown(
    world: World, own: Organisation, member: Client
) -> None:
    admin = browser("admin")
    assert lines(member) == ["Example member has said nothing", "Example admin has said nothing"]
    assert say(admin, own, "looking").status_code == 302
    assert say(admin, own).status_code == 302
    assert say(member, own).status_code == 403
    quiet, told = lines(member)
    assert quiet == "Example member has said nothing"
    assert re.fullmatch(r"Example admin 4\.11: patch ready \d{4}-\d\d-\d\d", told)
    page = member.get("/advisories/777/").content.decode()
    assert "1 of 2 have said nothing" in page
    assert page.count("by admin") == 2
    assert Statement.objects.count() == 2


def test_what_was_said_stays_among_members_after_the_disclosure(
    world: World, own: Organisation, anonymous: Client, outsider: Client, member: Client
) -> None:
    say(browser("admin"), own)
    disclose(None, advisory=world.secret, reason="test", at=factories.DAY)
    for client in (anonymous, outsider, browser("colleague")):
        page = client.get("/advisories/777/")
        assert page.status_code == 200
        assert b"How far members are" not in page.content
        assert b"patch ready" not in page.content
    assert b"patch ready" in member.get("/advisories/777/").content


def test_outsiders_state_nothing_and_learn_nothing(
    world: World, own: Organisation, anonymous: Client, outsider: Client
) -> None:
    for client in (anonymous, outsider):
        secret, nothing = say(client, own), say(client, own, number=9999)
        assert (secret.status_code, secret.content) == (404, nothing.content)
        assert say(client, own, number=456).status_code == 403
    assert not Statement.objects.exists()


@pytest.mark.parametrize("wrong", [{"branch": "9.99"}, {"state": "asleep"}, {"organisation": "x"}])
def test_a_statement_about_nothing_makes_no_sense(world: World, own: Organisation, wrong: dict[str, str]) -> None:
    data = {"organisation": str(own.pk), "branch": "4.11", "state": "looking"} | wrong
    assert browser("admin").post("/advisories/777/statements/", data).status_code == 400
    assert not Statement.objects.exists()
