"""Logins, failures and changes of one's own account are on record."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.test import Client

from tests import factories
from tests.web.test_logging_in import code, person, type_password
from xsa.models import AuditRecord, User

__all__ = ["person"]


def told(verb: str) -> list[tuple[str, str, dict[str, object]]]:
    rows = AuditRecord.objects.filter(verb=verb).order_by("position")
    return [(row.actor_name, row.thing, row.detail) for row in rows]


def test_a_login_is_recorded_with_what_was_proved_and_from_where(person: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.3")
    type_password(client, "somebody")
    assert told("logged-in") == []
    client.post("/login/code/", {"code": code()})
    assert told("logged-in") == [("somebody", "", {"methods": ["password", "mfa"]})]
    assert AuditRecord.objects.get(verb="logged-in").address == "192.0.2.3"
    client.post("/logout/")
    assert told("logged-out") == [("somebody", "", {})]


def test_wrong_passwords_and_codes_are_recorded_without_what_was_typed(person: User) -> None:
    client = Client()
    type_password(client, "somebody", "not the password")
    type_password(client, "my password, in the wrong field", "x")
    type_password(client, "nul \0 byte", "x")
    type_password(client, "somebody")
    client.post("/login/code/", {"code": "000000"})
    known, none = str(person.pk), ""
    login, second = {"route": "account_login"}, {"route": "mfa_authenticate"}
    assert told("login-failed") == [("", known, login), ("", none, login), ("", none, login), ("", known, second)]
    assert "wrong field" not in str(list(AuditRecord.objects.values()))


def test_proving_again_is_recorded_when_it_fails(person: User) -> None:
    client = factories.log_in(Client(), person)
    client.post("/login/again/code/", {"code": "000000"})
    assert told("login-failed") == [("somebody", str(person.pk), {"route": "mfa_reauthenticate"})]


def test_changes_of_ones_own_account_are_recorded_when_they_were_done(person: User) -> None:
    client = factories.log_in(Client(), person)
    old = {"oldpassword": "a long enough password"}
    client.post("/account/password/", {**old, "password1": "short", "password2": "short"})
    assert told("password-set") == []
    new = "another long enough password"
    client.post("/account/password/", {**old, "password1": new, "password2": new})
    assert told("password-set") == [("somebody", "", {})]
    answer = client.post("/account/codes/new/")
    assert answer["Location"].startswith("/login/again/code/")
    assert told("recovery-codes-made") == []
    client.post("/login/again/code/", {"code": code()})
    client.post("/account/codes/new/")
    assert told("recovery-codes-made") == [("somebody", "", {})]


def test_the_last_factor_that_stays_is_not_recorded_as_removed(db: None) -> None:
    user = factories.person("somebody", listed=True)
    key = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "key"})
    factories.log_in(Client(), user).post(f"/account/keys/{key.pk}/remove/")
    assert Authenticator.objects.exists()
    assert told("second-factor-removed") == []
