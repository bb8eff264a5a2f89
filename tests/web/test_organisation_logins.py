"""Logging in by an organisation's own server, with a real one of the test's own that speaks OpenID Connect."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.http import HttpResponse
from django.test import Client

from backports import oidc
from backports.env import BadSetting
from tests import factories
from xsa.models import Membership, User

ADDRESS = "engineer@member.example"


class Provider(ThreadingHTTPServer):
    """An organisation's server: whoever asks is `claims`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.claims: dict[str, Any] = {"sub": "42", "email": ADDRESS, "email_verified": True}
        self.challenge = ""
        self.asked: list[dict[str, list[str]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Discovery, tokens and claims."""

    server: Provider

    def do_GET(self) -> None:
        pages = {"/.well-known/openid-configuration": self._configuration(), "/userinfo": self.server.claims}
        self._say(pages[self.path])

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append(asked)
        proof = base64.urlsafe_b64encode(hashlib.sha256(asked["code_verifier"][0].encode()).digest()).rstrip(b"=")
        if proof.decode() != self.server.challenge or asked["code"] != ["right"]:
            self._say({"error": "invalid_grant"}, 400)
            return
        values = {"iss": self.server.address, "aud": "the-room", "exp": 4102444800, **self.server.claims}
        token = jwt.encode(values, "x" * 32, algorithm="HS256")
        self._say({"access_token": "access", "token_type": "bearer", "id_token": token})

    def _configuration(self) -> dict[str, Any]:
        here = self.server.address
        ends = {"authorization": "/authorize", "token": "/token", "userinfo": "/userinfo"}
        return {
            "issuer": here,
            "jwks_uri": f"{here}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **{f"{name}_endpoint": here + path for name, path in ends.items()},
        }

    def _say(self, values: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def provider(settings: Any, tmp_path: Path) -> Iterator[Provider]:
    running = Provider()
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    (tmp_path / "secret").write_text("the secret\n")
    values = {"organisation": "Example somebody", "server": running.address, "client_id": "the-room"}
    settings.OIDC_PROVIDERS = {"somebody": {**values, "secret_file": str(tmp_path / "secret")}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": oidc.applications(settings.OIDC_PROVIDERS)}}
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def person(db: None) -> User:
    row = factories.person("somebody", listed=True)
    User.objects.filter(pk=row.pk).update(email=ADDRESS)
    return row


def come_back(provider: Provider, client: Client, code: str = "right", **start: str) -> HttpResponse:
    """Begin here, be led there, and come back with a code."""
    led = client.post("/login/with/somebody/", start)
    there = urlsplit(led["Location"])
    assert f"{there.scheme}://{there.netloc}" == provider.address
    asked = parse_qs(there.query)
    assert asked["redirect_uri"] == ["http://testserver/login/with/somebody/back/"]
    provider.challenge = asked["code_challenge"][0]
    return client.get("/login/with/somebody/back/", {"code": code, "state": asked["state"][0]})


def test_a_member_logs_in_and_still_needs_the_second_factor(provider: Provider, person: User) -> None:
    TOTP.activate(person, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert b"Example somebody" in Client().get("/login/").content
    for _ in range(2):
        client = Client()
        assert come_back(provider, client)["Location"] == "/login/code/"
        assert client.get("/account/").status_code == 302
    assert SocialAccount.objects.get().user == person
    assert provider.asked[0]["client_secret"] == ["the secret"]


def outcome(response: HttpResponse, client: Client) -> None:
    assert (response.status_code, b"This login leads to no account" in response.content) == (403, True)
    assert client.get("/account/").status_code == 302
    assert not SocialAccount.objects.exists()


STRANGERS: list[dict[str, Any]] = [
    {"email": "nobody@member.example"},
    {"email_verified": False},
    {"email": None},
    {"email": "other@elsewhere.example"},
]


@pytest.mark.parametrize("claims", STRANGERS)
def test_it_opens_no_account_and_attaches_to_no_one_elses(
    provider: Provider, person: User, claims: dict[str, Any]
) -> None:
    other = factories.person("other", listed=True)
    User.objects.filter(pk=other.pk).update(email="other@elsewhere.example")
    before = User.objects.count()
    provider.claims |= claims
    client = Client()
    outcome(come_back(provider, client), client)
    assert User.objects.count() == before


def test_one_organisations_server_does_not_speak_for_members_of_another(provider: Provider, person: User) -> None:
    team = factories.person("team", security_team=True).memberships.get().organisation
    Membership.objects.create(user=person, organisation=team)
    client = Client()
    outcome(come_back(provider, client), client)


def test_it_ends_with_the_membership(provider: Provider, person: User) -> None:
    come_back(provider, Client())
    Membership.objects.all().delete()
    client = Client()
    assert come_back(provider, client).status_code == 403
    assert client.get("/account/").status_code == 302


def test_a_closed_account_stays_closed(provider: Provider, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    client = Client()
    outcome(come_back(provider, client), client)


def test_whoever_is_logged_in_cannot_attach_a_second_one(provider: Provider, person: User) -> None:
    client = factories.log_in(Client(), person)
    assert come_back(provider, client, process="connect").status_code == 403
    assert not SocialAccount.objects.exists()


def test_wrong_codes_and_states_lead_nowhere(provider: Provider, person: User) -> None:
    assert come_back(provider, Client(), code="wrong").status_code == 401
    for query in ({"code": "right"}, {"code": "right", "state": "made-up"}, {"error": "access_denied"}, {}):
        client = Client()
        assert client.get("/login/with/somebody/back/", query).status_code in (302, 401)
        assert client.get("/account/").status_code == 302
    assert not SocialAccount.objects.exists()


def test_a_server_that_nobody_named_does_not_exist(provider: Provider, db: None) -> None:
    assert Client().post("/login/with/another/").status_code == 404
    assert Client().get("/login/with/another/back/").status_code == 404


@pytest.mark.parametrize("missing", ["server", "client_id", "secret_file"])
def test_half_a_description_stops_the_start(missing: str, tmp_path: Path) -> None:
    whole = {"organisation": "o", "server": "https://o.example", "client_id": "c", "secret_file": str(tmp_path / "no")}
    with pytest.raises(BadSetting, match=missing):
        oidc.applications({"one": {**whole, missing: ""}})
    with pytest.raises(BadSetting, match="cannot be read"):
        oidc.applications({"one": whole})


def test_a_form_may_lead_to_the_servers_and_nowhere_else() -> None:
    one = {"server": "https://login.example/realms/x", "form_hosts": ["https://sso.example"]}
    assert oidc.form_hosts({"one": one}) == ["https://login.example", "https://sso.example"]
    assert oidc.form_hosts({}) == []
