"""The pages about organisations: names for everybody, people for those who belong, changes for those who run it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from backports.services import accounts
from tests import factories
from tests.web.test_markup import Reader
from xsa.models import Invitation, Membership, Organisation, User
from xsa.services import invitations

ADDRESS = "engineer@member.example"
PASSWORD = "a password of four words"


class Cast:
    """An organisation with an admin and a member, the security team, and somebody from elsewhere."""

    def __init__(self) -> None:
        self.admin = factories.person("admin", listed=True)
        self.here = self.admin.memberships.get()
        self.organisation: Organisation = self.here.organisation
        Membership.objects.filter(pk=self.here.pk).update(role="admin")
        self.member = User.objects.create_user("member", "member@member.example", PASSWORD)
        self.membership = Membership.objects.create(user=self.member, organisation=self.organisation)
        self.people = {
            "anonymous": None,
            "elsewhere": factories.person("elsewhere", listed=True),
            "member": self.member,
            "admin": self.admin,
            "team": factories.person("team", security_team=True),
        }

    def client(self, who: str) -> Client:
        person = self.people[who]
        return factories.log_in(Client(), person) if person else Client()

    @property
    def page(self) -> str:
        return f"/organisations/{self.organisation.pk}/"


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


WHO = ("anonymous", "elsewhere", "member", "admin", "team")


@pytest.mark.parametrize("who", WHO)
def test_names_are_for_everybody_and_nothing_else_is(cast: Cast, who: str) -> None:
    page = cast.client(who).get("/organisations/").content.decode()
    assert "Example admin" in page
    assert "Example elsewhere" in page
    assert "member@member.example" not in page
    assert ("on the list" in page) is (who == "team")


@pytest.mark.parametrize(("who", "status"), list(zip(WHO, (404, 404, 200, 200, 200), strict=True)))
def test_people_are_for_those_who_belong(cast: Cast, who: str, status: int) -> None:
    answer = cast.client(who).get(cast.page)
    assert answer.status_code == status
    if status == 404:
        other = cast.client(who).get("/organisations/00000000-0000-4000-8000-000000000000/")
        assert (answer.content, sorted(answer.headers)) == (other.content, sorted(other.headers))


def test_without_a_second_factor_people_are_hidden_from_their_colleague(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.member)
    assert client.get(cast.page).status_code == 404
    assert b"once you proved a second factor" in client.get("/organisation/").content


def changes(cast: Cast) -> dict[str, dict[str, str]]:
    row = Invitation.objects.get()
    prefix = str(cast.membership.pk)
    return {
        f"{cast.page}invite/": {"email": ADDRESS, "role": "member"},
        f"/memberships/{cast.membership.pk}/": {f"{prefix}-role": "admin", f"{prefix}-contact": "on"},
        f"/invitations/{row.pk}/again/": {},
        f"/invitations/{row.pk}/revoke/": {},
        f"/memberships/{cast.membership.pk}/remove/": {},
    }


@pytest.mark.parametrize(("who", "status"), list(zip(WHO, (404, 404, 403, 302, 302), strict=True)))
def test_changes_are_for_those_who_run_it(cast: Cast, who: str, status: int) -> None:
    invitations.invite(cast.admin, organisation=cast.organisation, email="other@member.example")
    paths = changes(cast)
    client = cast.client(who)
    for path, values in paths.items():
        if status == 302 and path.endswith("/revoke/"):
            continue
        assert client.get(path).status_code == 405
        assert client.post(path, values).status_code == status, path
    assert Membership.objects.filter(pk=cast.membership.pk).exists() is (status != 302)


@pytest.mark.parametrize(("who", "status"), list(zip(WHO, (404, 404, 403, 403, 302), strict=True)))
def test_the_list_is_kept_by_the_security_team(cast: Cast, who: str, status: int) -> None:
    client = cast.client(who)
    assert client.post(f"{cast.page}list/", {"what": "unlist"}).status_code == status
    cast.organisation.refresh_from_db()
    assert cast.organisation.listed is (status != 302)
    assert client.post("/organisations/", {"name": "New one"}).status_code == (302 if who == "team" else 403)


def test_an_organisation_goes_on_and_off_the_list_and_away(cast: Cast) -> None:
    client = cast.client("team")
    for what, listed, people in (("unlist", False, 2), ("list", True, 2), ("remove", False, 0), ("list", True, 0)):
        client.post(f"{cast.page}list/", {"what": what})
        cast.organisation.refresh_from_db()
        assert (cast.organisation.listed, cast.organisation.memberships.count()) == (listed, people)


def test_a_member_sees_why_not(cast: Cast) -> None:
    page = cast.client("member").get(cast.page).content.decode()
    (button,) = re.findall(r'<button[^>]*aria-label="Remove admin"[^>]*>', page)
    assert ' disabled aria-describedby="why-not-change"' in button
    assert "Only admins of the organisation and the security team may do this." in page


def test_an_invitation_of_another_organisation_does_not_exist(cast: Cast) -> None:
    other = cast.people["elsewhere"].memberships.get()  # type: ignore[union-attr]
    row = invitations.invite(None, organisation=other.organisation, email=ADDRESS)
    assert cast.client("admin").post(f"/invitations/{row.pk}/revoke/").status_code == 404
    assert cast.client("admin").post(f"/memberships/{other.pk}/remove/").status_code == 404


def test_a_known_and_an_unknown_address_are_invited_alike(cast: Cast) -> None:
    User.objects.create_user("known", ADDRESS, PASSWORD)
    client, pages = cast.client("admin"), []
    for address in (ADDRESS, "nobodys1@member.example"):
        done = client.post(f"{cast.page}invite/", {"email": address, "role": "member"}, follow=True)
        page = done.content.decode().replace(address, "ADDRESS")
        pages.append(re.sub(r'csrfmiddlewaretoken" value="\w+"|/invitations/\S+|until .*? UTC', "", page))
        Invitation.objects.all().delete()
    assert pages[0] == pages[1]


@pytest.fixture
def link(cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> str:
    """The address in the mail to somebody whom the admin invited."""
    monkeypatch.setattr(accounts.mail_invitation, "delay", accounts.mail_invitation)
    with django_capture_on_commit_callbacks(execute=True):
        cast.client("admin").post(f"{cast.page}invite/", {"email": ADDRESS, "role": "member", "contact": "on"})
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([ADDRESS], "Invitation to Xen backports")
    assert cast.organisation.name not in sent.body
    found = re.search(r"(/invitation/\S+)", sent.body)
    assert found
    return found[1]


NEW = {"username": "newcomer", "password1": PASSWORD, "password2": PASSWORD}


def test_from_the_mail_to_the_second_factor(cast: Cast, link: str) -> None:
    client = Client()
    page = client.get(link)
    assert ADDRESS in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert client.post(link, NEW)["Location"] == "/account/app/"
    assert User.objects.get(username="newcomer").memberships.get().contact is True
    assert client.get("/account/app/").status_code == 200
    assert Client().post(link, {**NEW, "username": "another"}).status_code == 403


@pytest.mark.parametrize(
    "values",
    [
        {"username": "admin"},
        {"username": "ADMIN"},
        {"username": "a@b"},
        {"password1": "short", "password2": "short"},
        {"password1": "password1234", "password2": "password1234"},
        {"password2": "something else here"},
        {"username": ""},
    ],
)
def test_bad_input_uses_nothing_up(cast: Cast, link: str, values: dict[str, str]) -> None:
    client = Client()
    answer = client.post(link, NEW | values)
    assert (answer.status_code, b"error" in answer.content) == (200, True)
    assert client.post(link, NEW).status_code == 302


def test_another_account_is_told_the_same_as_about_a_link_that_nobody_sent(cast: Cast, link: str) -> None:
    stranger = cast.client("elsewhere")
    unknown = stranger.get(f"/invitation/{'x' * (len(link) - len('/invitation/') - 1)}/")
    for ask in (stranger.get, stranger.post):
        answer = ask(link)
        assert (answer.status_code, answer.content) == (403, unknown.content)
    assert b"for another address" in unknown.content
    assert Invitation.objects.get().used_at is None


def test_whoever_has_an_account_logs_in_to_join(cast: Cast, link: str) -> None:
    known = factories.person("known")
    User.objects.filter(pk=known.pk).update(email=ADDRESS)
    assert b"log in</a> to accept" in Client().get(link).content
    assert Client().post(link, NEW).status_code == 200
    assert not User.objects.filter(username="newcomer").exists()
    client = factories.log_in(Client(), known)
    assert b"Accept" in client.get(link).content
    assert client.post(link)["Location"] == "/organisation/"
    assert known.memberships.filter(organisation=cast.organisation).exists()


def test_tokens_are_not_guessed_in_mass(db: None) -> None:
    answers = [Client().post(f"/invitation/guess-{turn}/", NEW).status_code for turn in range(25)]
    assert (answers[0], answers[-1]) == (403, 429)


def test_an_admin_who_removes_themselves_is_out(cast: Cast) -> None:
    client = cast.client("admin")
    assert client.post(f"/memberships/{cast.here.pk}/remove/")["Location"] == "/"
    assert client.get("/account/").status_code == 302
    assert not Membership.objects.filter(pk=cast.here.pk).exists()


def test_the_team_takes_a_colleagues_other_organisation_off_the_list(cast: Cast) -> None:
    team = cast.people["team"]
    assert team is not None
    Membership.objects.create(user=team, organisation=cast.organisation)
    client = cast.client("team")
    assert client.post(f"{cast.page}list/", {"what": "unlist"})["Location"] == "/"
    assert client.get("/account/").status_code == 302


def test_how_an_organisation_is_reached_is_for_its_people(cast: Cast) -> None:
    client = cast.client("admin")
    values = {"role_address": "role@member.example", "domains": "Member.example, example.org"}
    assert client.post(f"{cast.page}details/", values).status_code == 302
    cast.organisation.refresh_from_db()
    assert cast.organisation.domains == ["example.org", "member.example"]
    assert "role@member.example" in cast.client("member").get(cast.page).content.decode()
    assert "role@member.example" not in Client().get("/organisations/").content.decode()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("role_address", "nobody", "valid email"),
        ("domains", "not a/domain", "valid domain"),
    ],
)
def test_details_that_make_no_sense_change_nothing(cast: Cast, name: str, value: str, told: str) -> None:
    answer = cast.client("admin").post(f"{cast.page}details/", {name: value})
    assert (answer.status_code, told in answer.content.decode()) == (200, True)
    cast.organisation.refresh_from_db()
    assert (cast.organisation.role_address, cast.organisation.domains) == ("", [])


def test_invitations_go_only_to_the_organisations_domains(cast: Cast) -> None:
    Organisation.objects.filter(pk=cast.organisation.pk).update(domains=["member.example"])
    client = cast.client("admin")
    for address, invited in (("a@evil-member.example", 0), ("a@member.example.org", 0), ("a@Member.example", 1)):
        client.post(f"{cast.page}invite/", {"email": address, "role": "member"})
        assert Invitation.objects.count() == invited, address


@pytest.mark.parametrize("who", ["member", "admin", "team"])
def test_the_page_is_well_formed_and_every_field_has_a_label(cast: Cast, who: str) -> None:
    invitations.invite(cast.admin, organisation=cast.organisation, email=ADDRESS)
    reader = Reader(cast.client(who).get(cast.page).content.decode())
    assert (reader.mistakes, reader.stack) == ([], [])
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    labels = {attrs.get("for") for attrs in reader.all("label")}
    fields = [attrs for attrs in reader.all("input", "select", "textarea") if attrs.get("type") != "hidden"]
    assert all(attrs["id"] in labels for attrs in fields)
