"""Programs ask by a token: what they get, what they never get, and the page where tokens are made."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tests import factories
from tests.web.conftest import World
from xsa.models import Advisory, ApiToken, AuditRecord, Membership, Session, User
from xsa.services.tokens import create_token, end_token


@pytest.fixture(autouse=True)
def no_guesses_yet(db: None) -> None:
    cache.clear()


@pytest.fixture
def person(db: None) -> User:
    return factories.person("scripter", listed=True)


def made(user: User, **values: Any) -> tuple[ApiToken, str]:
    place = Membership.objects.get(user=user).organisation
    values = {"organisation": place, "name": "a script", "expires_at": timezone.now() + timedelta(days=7)} | values
    return create_token(user, **values)


def asking(secret: str, word: str = "Token") -> Client:
    return Client(headers={"authorization": f"{word} {secret}"})


def test_a_token_reads_what_is_disclosed_and_nothing_else(world: World, person: User) -> None:
    client = asking(made(person)[1])
    assert client.get(f"/files/{world.known_file.pk}/raw").content == b"known bytes \xff\r\n"
    missing = client.get("/files/00000000-0000-4000-8000-000000000000/raw")
    answer = client.get(f"/files/{world.secret_file.pk}/raw")
    assert (answer.status_code, answer.content) == (404, missing.content)


def test_a_token_made_for_one_embargoed_advisory_reads_that_one(world: World, person: User) -> None:
    other = factories.patch_file(factories.advisory(778, disclosed=False))
    token, secret = made(person, embargoed=True, advisories=[777])
    client = asking(secret, "token")
    answer = client.get(f"/files/{world.secret_file.pk}/raw", REMOTE_ADDR="192.0.2.5")
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (
        200,
        b"secret bytes",
        "no-store, no-transform",
    )
    assert client.get(f"/files/{other.pk}/raw").status_code == 404
    told = AuditRecord.objects.get(verb="downloaded")
    assert (told.actor_name, told.advisories, told.address) == ("scripter", [777], "192.0.2.5")
    assert told.detail == {"route": "file", "token": str(token.pk)}


def test_no_session_comes_of_a_token(world: World, person: User) -> None:
    answer = asking(made(person)[1]).get(f"/files/{world.known_file.pk}/raw")
    assert answer.status_code == 200
    assert not answer.cookies
    assert not Session.objects.exists()


def test_a_token_does_not_borrow_the_sight_of_the_session_beside_it(world: World, person: User) -> None:
    client = factories.log_in(Client(), person)
    path = f"/files/{world.secret_file.pk}/raw"
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"authorization": f"Token {made(person)[1]}"}).status_code == 404
    assert client.get(path, headers={"authorization": "Token wrong"}).status_code == 401


PAGES = ("/", "/advisories/", "/advisories/777/", "/queue/", "/tokens/", "/audit/", "/organisation/audit/")


@pytest.mark.parametrize("path", PAGES)
def test_a_token_opens_no_page(world: World, path: str) -> None:
    team = factories.person("robots-admin", security_team=True)
    answer = asking(made(team, embargoed=True, advisories=[777])[1]).get(path)
    assert answer.status_code == 403
    assert b"API tokens open patches and other data" in answer.content
    assert b"quiet title" not in answer.content


def test_a_token_changes_nothing(world: World, person: User) -> None:
    client = asking(made(person)[1])
    for path in ("/repositories/xen/fetch/", f"/attempts/{world.known_attempt.pk}/retry/", "/tokens/"):
        assert client.post(path).status_code == 403
    browser = Client(enforce_csrf_checks=True, headers={"authorization": f"Token {made(person)[1]}"})
    assert browser.post("/tokens/").status_code == 403
    assert ApiToken.objects.count() == 2


def test_a_token_without_reading_reads_nothing(world: World, person: User) -> None:
    answer = asking(made(person, verbs=["check"])[1]).get(f"/files/{world.known_file.pk}/raw")
    assert answer.status_code == 403


def test_a_token_for_some_branches_opens_the_results_of_those(world: World, person: User) -> None:
    path = f"/files/{world.known_file.pk}/raw"
    assert asking(made(person, branches=["master"])[1]).get(path).status_code == 200
    client = asking(made(person, branches=["4.17"])[1])
    assert client.get(path).status_code == 404
    for name in (
        "advisories/456/files.tar",
        f"attempts/{world.known_attempt.pk}/result.patch",
        "r/xen/branches/4.11/applied.mbox",
    ):
        assert client.get(f"/{name}").status_code == 404


def test_a_token_takes_a_versions_files_together(world: World, person: User) -> None:
    assert asking(made(person)[1]).get("/advisories/456/files.tar").status_code == 200
    assert asking(made(person)[1]).get("/advisories/777/files.tar").status_code == 404


def _bad_secrets(person: User, world: World) -> dict[str, str]:
    ended, its_secret = made(person)
    end_token(person, token=ended)
    expired = made(person)[1]
    ApiToken.objects.filter(prefix=expired[4:12]).update(expires_at=timezone.now())
    over = made(person, embargoed=True, advisories=[777])[1]
    Advisory.objects.filter(number=777).update(disclosed_at=factories.DAY, disclosure_reason="test")
    left = factories.person("left")
    foreign = made(left)[1]
    Membership.objects.filter(user=left).delete()
    inactive = factories.person("inactive")
    locked = made(inactive)[1]
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    unknown = "xbt_00000000_" + "A" * 43
    live = made(person)[1]
    return {
        "ended": its_secret,
        "expired": expired,
        "over": over,
        "left": foreign,
        "inactive": locked,
        "unknown": unknown,
        "malformed": "xbt_",
        "two words": f"{live} {live}",
        "odd": "\u0665" * 9,
        "empty": "",
    }


def test_every_token_that_is_no_good_gets_one_answer(world: World, person: User) -> None:
    answers = {}
    paths = (f"/files/{world.known_file.pk}/raw", "/", "/no/such/address")
    for name, secret in _bad_secrets(person, world).items():
        for number, path in enumerate(paths):
            got = asking(secret).get(path, REMOTE_ADDR=f"192.0.2.{number}")
            answers[name, path] = (got.status_code, got.content, sorted(got.headers.items()))
    assert {answer[0] for answer in answers.values()} == {401}, answers
    assert len({str(answer) for answer in answers.values()}) == 1


def test_mass_guesses_are_stopped_by_address(world: World, person: User) -> None:
    path, secret = f"/files/{world.known_file.pk}/raw", made(person)[1]
    statuses = [asking("xbt_").get(path, REMOTE_ADDR="192.0.2.1").status_code for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2
    assert asking(secret).get(path, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert asking(secret).get(path, REMOTE_ADDR="192.0.2.2").status_code == 200
    assert AuditRecord.objects.filter(verb="token-refused").count() == 20


def test_all_of_a_network_of_ipv6_addresses_is_one(world: World) -> None:
    for host in range(21):
        status = asking("xbt_").get("/", REMOTE_ADDR=f"2001:db8::{host:x}").status_code
    assert status == 429
    assert asking("xbt_").get("/", REMOTE_ADDR="2001:db8:0:1::1").status_code == 401


# -- the page -------------------------------------------------------------------------------------------------------


def form(user: User, **values: Any) -> dict[str, Any]:
    place = Membership.objects.get(user=user).organisation
    fields = {"name": "nightly", "organisation": str(place.pk), "kind": "person", "verbs": ["read"], "days": "30"}
    return fields | values


def test_the_secret_is_shown_once_and_works(world: World, person: User) -> None:
    browser = factories.log_in(Client(), person)
    answer = browser.post("/tokens/", form(person, embargoed="on", advisories="XSA-777, 456"))
    assert answer["Cache-Control"] == "no-store, no-transform"
    (secret,) = re.findall(rb"xbt_[0-9a-z]{8}_[\w-]{43}", answer.content)
    assert asking(secret.decode()).get(f"/files/{world.secret_file.pk}/raw").status_code == 200
    page = browser.get("/tokens/").content
    assert secret not in page
    assert b"nightly" in page
    assert secret[:12] in page
    assert b"XSA-777" in page


REFUSED = {
    "nothing named": ({"embargoed": "on"}, "it ends with their embargo"),
    "no such advisory": ({"advisories": "999"}, "There is no advisory XSA-999."),
    "no number": ({"advisories": "x<y"}, "is no advisory&#x27;s number."),
    "no admin": ({"kind": "robot"}, "Robots are for the organisation&#x27;s admins"),
    "no verb": ({"verbs": []}, "This field is required."),
    "no time": ({"days": "9999"}, "Select a valid choice."),
}


@pytest.mark.parametrize("why", REFUSED)
def test_the_form_says_what_is_wrong(world: World, person: User, why: str) -> None:
    values, sentence = REFUSED[why]
    answer = factories.log_in(Client(), person).post("/tokens/", form(person, **values))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_no_token_is_made_without_a_second_factor(person: User) -> None:
    assert Client().get("/tokens/").status_code == 302
    client = Client()
    client.force_login(person)
    answer = client.post("/tokens/", form(person))
    assert answer.status_code == 403
    reason = b"Tokens are made after a second factor was proved."
    assert reason in answer.content
    assert reason in client.get("/tokens/").content
    assert not ApiToken.objects.exists()


def test_a_token_is_ended_by_its_person_and_nobody_else(world: World, person: User) -> None:
    token, secret = made(person)
    other = factories.log_in(Client(), factories.person("other", listed=True))
    assert other.post(f"/tokens/{token.pk}/end/").status_code == 404
    assert asking(secret).get(f"/files/{world.known_file.pk}/raw").status_code == 200
    assert factories.log_in(Client(), person).post(f"/tokens/{token.pk}/end/").status_code == 302
    assert asking(secret).get(f"/files/{world.known_file.pk}/raw").status_code == 401


def test_an_admin_sees_a_colleagues_token_without_the_numbers_that_they_may_not_see(world: World) -> None:
    contact = factories.person("contact", listed=True)
    made(contact, embargoed=True, advisories=[777])
    admin = User.objects.create_user("admin")
    place = Membership.objects.get(user=contact).organisation
    Membership.objects.create(user=admin, organisation=place, role="admin")
    page = factories.log_in(Client(), admin).get("/tokens/").content.decode()
    assert "1 that you may not see" in page
    assert "777" not in page


def test_the_page_says_of_a_token_that_it_ended_with_the_embargo(world: World, person: User) -> None:
    client = factories.log_in(Client(), person)
    made(person, embargoed=True, advisories=[777])
    assert "End now a script" in client.get("/tokens/").content.decode()
    Advisory.objects.filter(number=777).update(disclosed_at=timezone.now(), disclosure_reason="public")
    page = client.get("/tokens/").content.decode()
    assert "ended with the embargo" in page
    assert "End now a script" not in page
