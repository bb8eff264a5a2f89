"""Coming in by password and second factor: what it clears, what it tells nobody, and how guesses end."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.auth import hashers
from django.core import mail
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backports.services import accounts
from tests import factories
from tests.web.conftest import World
from xsa.models import PasswordReset, Session, User
from xsa.services import members

PASSWORD = "a long enough password"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str = SECRET, step: int = 0) -> str:
    """What the app shows; `step` periods of 30 seconds from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


@pytest.fixture
def person(db: None) -> User:
    """A contact of a listed organisation with an app."""
    row = factories.person("somebody", listed=True)
    row.email = "somebody@example.org"
    row.save()
    TOTP.activate(row, SECRET)
    return row


def type_password(client: Client, login: str, password: str = PASSWORD, **extra: Any) -> HttpResponse:
    return client.post("/login/", {"login": login, "password": password}, **extra)


def test_password_and_code_show_what_is_embargoed(world: World, person: User) -> None:
    client = Client()
    assert type_password(client, "somebody")["Location"] == "/login/code/"
    assert client.get("/advisories/777/").status_code == 404
    assert client.post("/login/code/", {"code": code()})["Location"] == "/"
    assert client.get("/advisories/777/").status_code == 200


def test_a_password_alone_shows_only_what_is_disclosed(world: World, db: None) -> None:
    factories.person("new", listed=True)
    client = Client()
    assert type_password(client, "new")["Location"] == "/account/app/"
    assert client.get("/advisories/777/").status_code == 404
    assert b"You proved no second factor" in client.get("/").content


def test_setting_up_an_app_clears_the_session_and_gives_recovery_codes(world: World, db: None) -> None:
    person = factories.person("new", listed=True)
    client = Client()
    type_password(client, "new")
    secret = client.get("/account/app/").context["form"].secret
    assert client.post("/account/app/", {"code": "000000"}).status_code == 200
    assert client.post("/account/app/", {"code": code(secret)})["Location"] == "/account/codes/"
    assert client.get("/advisories/777/").status_code == 200
    assert len(re.findall(rb"<code>\d{8}</code>", client.get("/account/codes/").content)) == 10
    kept = Authenticator.objects.get(user=person, type="totp").data["secret"]
    assert secret not in kept


def test_a_code_works_once(person: User) -> None:
    shown = code()
    first, second = Client(), Client()
    for client in (first, second):
        type_password(client, "somebody")
    assert first.post("/login/code/", {"code": shown}).status_code == 302
    again = second.post("/login/code/", {"code": shown})
    assert (again.status_code, b"Incorrect code" in again.content) == (200, True)
    assert not Session.objects.filter(user=person, session_key=second.session.session_key).exists()


def test_a_recovery_code_works_once(person: User) -> None:
    spare = RecoveryCodes.activate(person).get_unused_codes()[0]
    for expected in (302, 200):
        client = Client()
        type_password(client, "somebody")
        assert client.post("/login/code/", {"code": spare}).status_code == expected


def test_somebody_elses_code_is_no_good(person: User, db: None) -> None:
    other = factories.person("other", listed=True)
    theirs = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"
    TOTP.activate(other, theirs)
    client = Client()
    type_password(client, "somebody")
    for wrong in (code(theirs), "", "x" * 5000, "１２３４５６", "-1"):
        assert client.post("/login/code/", {"code": wrong}).status_code == 200


def test_login_by_address_in_any_case(person: User) -> None:
    assert type_password(Client(), "Somebody@Example.org")["Location"] == "/login/code/"


@contextmanager
def counting_hashes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """How often a password was hashed inside the block."""
    made: list[str] = []
    plain = hashers.MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        made.append(salt)
        return plain(self, password, salt)

    with monkeypatch.context() as patch:
        patch.setattr(hashers.MD5PasswordHasher, "encode", encode)
        yield made


def sanitised(response: HttpResponse, typed: str) -> tuple[int, str, bytes]:
    """Without what differs for everybody: the form's token, the moment, and the name that was typed."""
    page = re.sub(rb'csrfmiddlewaretoken" value="\w+"', b"", response.content).replace(typed.encode(), b"")
    headers = sorted((name, value) for name, value in response.headers.items() if name != "Expires")
    return response.status_code, str(headers), page


Ask = Callable[[Client, str], HttpResponse]
ASKING: dict[str, Ask] = {
    "login": lambda client, who: type_password(client, who, "wrong wrong wrong"),
    "login by address": lambda client, who: type_password(client, f"{who}@example.org", "wrong wrong wrong"),
    "reset": lambda client, who: client.post("/password/reset/", {"email": f"{who}@example.org"}),
}


@pytest.mark.parametrize("how", ASKING)
def test_known_and_unknown_get_the_same_answer_for_the_same_work(
    person: User, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    closed = factories.person("shut_out")
    User.objects.filter(pk=closed.pk).update(is_active=False, email="shut_out@example.org")
    seen = {}
    for who in ("somebody", "anybodys", "shut_out"):
        client = Client()
        with counting_hashes(monkeypatch) as hashes, CaptureQueriesContext(connection) as queries:
            response = ASKING[how](client, who)
        seen[who] = (*sanitised(response, who), len(hashes), len(queries))
        assert len(hashes) == (0 if how == "reset" else 1)
    assert seen["somebody"] == seen["anybodys"] == seen["shut_out"]


def test_only_a_known_address_gets_a_mail_and_its_link_sets_a_password(
    person: User, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts.mail_password_reset, "delay", accounts.mail_password_reset)
    for address in ("nobody@example.org", "somebody@example.org"):
        with django_capture_on_commit_callbacks(execute=True):
            Client().post("/password/reset/", {"email": address})
    assert [one.to for one in mail.outbox] == [["somebody@example.org"]]
    assert not PasswordReset.objects.exists()
    path = re.search(r"http://127\.0\.0\.1:\d+(/\S+)", mail.outbox[0].body)
    assert path
    client = Client()
    form = client.get(path[1])["Location"]
    assert b"Choose a new password" in client.get(form).content
    client.post(form, {"password1": "another long password", "password2": "another long password"})
    assert type_password(Client(), "somebody", "another long password")["Location"] == "/login/code/"
    assert b"cannot be used any more" in Client().get(path[1]).content


def test_a_link_that_nobody_sent_tells_nothing(person: User) -> None:
    uid = person.pk.hex
    asked = {who: Client().get(f"/password/reset/{who}-aaaa-bbbb/") for who in (uid, "0" * 32, "z" * 32)}
    assert len({sanitised(response, who) for who, response in asked.items()}) == 1


def test_guessing_is_stopped_for_a_name_whether_it_exists_or_not(person: User) -> None:
    for who in ("somebody", "anybodys"):
        answers = [
            type_password(Client(), who, f"wrong guess {turn}", REMOTE_ADDR=f"192.0.2.{turn}").content
            for turn in range(7)
        ]
        assert [b"Too many logins failed" in page for page in answers] == [False] * 5 + [True] * 2
    stopped = type_password(Client(), "somebody", PASSWORD, REMOTE_ADDR="192.0.2.99")
    assert b"Too many logins failed" in stopped.content


def test_guesses_at_once_are_counted_one_by_one(committed_db: None) -> None:
    factories.person("somebody")
    ready, pages = threading.Barrier(9), []

    def guess(turn: int) -> None:
        ready.wait()
        try:
            pages.append(type_password(Client(), "somebody", "wrong", REMOTE_ADDR=f"192.0.2.{turn}").content)
        finally:
            connections.close_all()

    guessers = [threading.Thread(target=guess, args=(turn,)) for turn in range(9)]
    for one in guessers:
        one.start()
    for one in guessers:
        one.join()
    assert len(pages) == 9
    assert sum(b"Too many logins failed" not in page for page in pages) == 5


def test_guessing_is_stopped_for_an_address(person: User) -> None:
    for turn in range(10):
        type_password(Client(), f"guess-{turn}", "wrong wrong wrong", REMOTE_ADDR="198.51.100.7")
    stopped = type_password(Client(), "somebody", PASSWORD, REMOTE_ADDR="198.51.100.7")
    assert b"Too many logins failed" in stopped.content
    assert type_password(Client(), "somebody", PASSWORD, REMOTE_ADDR="198.51.100.8").status_code == 302


def test_a_forged_header_gives_no_new_address(person: User) -> None:
    for turn in range(10):
        forged = {"HTTP_X_FORWARDED_FOR": f"203.0.113.{turn}", "HTTP_FORWARDED": f"for=203.0.113.{turn}"}
        type_password(Client(), f"guess-{turn}", "wrong wrong wrong", REMOTE_ADDR="198.51.100.7", **forged)
    stopped = type_password(
        Client(), "somebody", PASSWORD, REMOTE_ADDR="198.51.100.7", HTTP_X_FORWARDED_FOR="203.0.113.99"
    )
    assert b"Too many logins failed" in stopped.content


def test_codes_cannot_be_guessed_in_mass(person: User) -> None:
    client = Client()
    type_password(client, "somebody")
    answers = [client.post("/login/code/", {"code": f"{turn:06}"}).content for turn in range(7)]
    assert b"Too many logins failed" in answers[-1]
    assert b"Too many logins failed" in client.post("/login/code/", {"code": code()}).content


def test_the_second_factor_is_asked_for_again_after_twelve_hours(
    person: User, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = factories.log_in(Client(), person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() - 12 * 3600 - 1}]
    session.save()
    asked = client.get(f"/files/{world.secret_file.pk}/raw")
    assert asked["Location"] == f"/login/again/code/?next=%2Ffiles%2F{world.secret_file.pk}%2Fraw"
    assert client.get("/advisories/777/").status_code == 200
    assert client.get(f"/files/{world.known_file.pk}/raw").status_code == 200
    back = client.post(asked["Location"], {"code": code(), "next": f"/files/{world.secret_file.pk}/raw"})
    assert back["Location"] == f"/files/{world.secret_file.pk}/raw"
    assert client.get(back["Location"]).content == b"secret bytes"


def test_the_password_does_not_stand_for_the_second_factor(person: User) -> None:
    client = factories.log_in(Client(), person)
    assert client.get("/account/keys/add/")["Location"].startswith("/login/again/code/")
    answer = client.post("/login/again/", {"password": PASSWORD})
    assert answer["Location"].startswith("/login/again/code/")
    assert client.get("/account/keys/add/")["Location"].startswith("/login/again/code/")


def test_the_last_second_factor_can_only_be_replaced(person: User) -> None:
    client = factories.log_in(Client(), person)
    client.post("/login/again/code/", {"code": code()})
    assert b"your only second factor" in client.post("/account/app/remove/").content
    assert Authenticator.objects.filter(user=person, type="totp").exists()


def test_sessions_are_listed_and_ended(person: User) -> None:
    here, there = Client(HTTP_USER_AGENT="Browser one"), Client(HTTP_USER_AGENT="Browser two")
    for client, step in ((here, 0), (there, 1)):
        type_password(client, "somebody")
        client.post("/login/code/", {"code": code(step=step)})
    page = here.get("/account/sessions/").content.decode()
    assert "Browser one" in page
    other = re.search(r"/account/sessions/(\d+)/end/", page)
    assert other
    stranger = factories.log_in(Client(), factories.person("stranger"))
    assert stranger.post(other[0]).status_code == 404
    assert there.get("/account/").status_code == 200
    here.post(other[0])
    assert there.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200


def test_a_lost_second_factor_is_reset_and_logs_out(person: User) -> None:
    client = factories.log_in(Client(), person)
    members.reset_second_factor(None, person=person)
    assert client.get("/account/").status_code == 302
    assert type_password(Client(), "somebody")["Location"] == "/account/app/"


def test_there_is_no_registration(db: None) -> None:
    for path in ("/signup/", "/accounts/signup/", "/login/with/example/", "/account/email/"):
        assert Client().get(path).status_code in (404, 405)


def test_logging_out_takes_a_post(person: User) -> None:
    client = factories.log_in(Client(), person)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/"
    assert client.get("/account/").status_code == 302


def test_ending_ones_own_session_is_logging_out(person: User) -> None:
    client = Client()
    type_password(client, "somebody")
    client.post("/login/code/", {"code": code()})
    own = UserSession.objects.get(user=person)
    assert client.post(f"/account/sessions/{own.pk}/end/")["Location"] == "/"
    assert client.get("/account/").status_code == 302


def test_a_session_that_was_ended_meanwhile_answers_nothing_embargoed(person: User, world: World) -> None:
    client = factories.log_in(Client(), person)
    members.end_sessions(User.objects.filter(pk=person.pk))
    assert client.get("/advisories/777/").status_code == 404
    assert client.post("/logout/").status_code == 302


def test_who_asked_for_a_password_is_forgotten(db: None) -> None:
    old = PasswordReset.objects.create(email="lost@example.org")
    PasswordReset.objects.filter(pk=old.pk).update(asked_at=timezone.now() - timedelta(hours=2))
    newer = PasswordReset.objects.create(email="nobody@example.org")
    accounts.mail_password_reset(str(newer.pk))
    assert not PasswordReset.objects.exists()
    assert mail.outbox == []


def test_the_page_that_was_asked_for_comes_after_the_second_factor(person: User) -> None:
    for target, led in (("/queue/", "/queue/"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        client = Client()
        client.post("/login/", {"login": "somebody", "password": PASSWORD, "next": target})
        spare = RecoveryCodes.activate(person).get_unused_codes()[0]
        assert client.post("/login/code/", {"code": spare})["Location"] == led


@pytest.mark.parametrize("login", ["\0", "x" * 100_000, "\ud800", "' OR 1=1 --", "", "@", "%"])
@pytest.mark.parametrize("path", ["/login/", "/password/reset/"])
def test_odd_names_are_nobodys(person: User, path: str, login: str) -> None:
    values = {"login": login, "email": login, "password": PASSWORD}
    data = "&".join(f"{key}={quote(value, errors='surrogatepass')}" for key, value in values.items())
    answer = Client().post(path, data, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
