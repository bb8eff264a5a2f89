"""Webhooks: ids alone, signed, in order, sent to no machine inside and nowhere further; ended with their token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import ipaddress
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backports.models import Webhook
from backports.services import events, webhooks
from backports.services.errors import NotDone
from backports.services.outside import Unreachable, check_outside, check_url, is_outside, post
from tests import factories
from xsa.models import Advisory, ApiToken
from xsa.services.tokens import create_token, end_token

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1"),
        *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "2001:0:a00:1::1"),
    ],
)
def test_no_request_goes_inside(address: str) -> None:
    assert not is_outside(address)


def test_requests_go_to_the_public_internet_and_where_the_operator_allows() -> None:
    assert is_outside("8.8.8.8") and is_outside("2606:4700::1111")
    assert is_outside("10.1.2.3", [ipaddress.ip_network("10.1.0.0/16")])
    assert not is_outside("10.2.2.3", [ipaddress.ip_network("10.1.0.0/16")])


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "ftp://example.org/", "https:///x", "https://u:p@example.org/", "https://e x/"),
        *("https://example.org/#x", "https://example.org:99999/", "https://ex\nample.org/", "https://[::1/", "x"),
    ],
)
def test_an_address_is_https_and_nothing_else(url: str) -> None:
    with pytest.raises(NotDone) as caught:
        check_url(url)
    assert caught.value.code == "bad-address"


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]:8443/x", "https://10.0.0.1/"])
def test_an_ip_address_inside_is_refused_when_it_is_added(url: str) -> None:
    with pytest.raises(NotDone) as caught:
        check_outside(url)
    assert (caught.value.code, caught.value.field) == ("bad-address", "url")


def test_the_operators_networks_and_names_are_taken_when_they_are_added() -> None:
    check_outside("https://10.1.2.3/", allowed=[ipaddress.ip_network("10.1.0.0/16")])
    check_outside("https://localhost/")
    check_outside("https://8.8.8.8/")


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://0x7f.1/"])
def test_a_name_that_leads_inside_is_not_asked(url: str) -> None:
    with pytest.raises(Unreachable) as caught:
        post(url, b"", {})
    assert caught.value.code in ("inside", "no-such-host")


class Receiver:
    """A real server with TLS on loopback: keeps what it is sent, and answers with `status`."""

    def __init__(self, folder: Path) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        key, self.certificate = folder / "key.pem", folder / "cert.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run([*command, *names], check=True, capture_output=True)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.send_header("Location", "https://localhost/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.server.server_address[1]}/hook"

    @property
    def ids(self) -> list[str]:
        return [json.loads(body)["data"]["id"] for _, body in self.got]


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Receiver]:
    made = Receiver(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    settings.WEBHOOK_NETWORKS = LOOPBACK
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable) as caught:
        post(receiver.url, b"x", {}, allowed=LOOPBACK)
    assert (caught.value.code, receiver.got) == ("certificate", [])


@pytest.fixture
def secret(db: None) -> Advisory:
    return factories.advisory(777, disclosed=False)


@pytest.fixture
def token(secret: Advisory) -> ApiToken:
    user = factories.person("one", listed=True)
    place = user.memberships.get().organisation
    end = timezone.now() + timedelta(days=1)
    return create_token(user, organisation=place, name="hook", expires_at=end, embargoed=True, advisories=[777])[0]


def hook(token: ApiToken, receiver: Receiver) -> Webhook:
    return webhooks.add(token.user, token=token, url=receiver.url)


def due(row: Webhook) -> int:
    Webhook.objects.filter(pk=row.pk).update(next_at=timezone.now())
    return webhooks.send_webhook(str(row.pk))


def test_ids_alone_are_told_in_order_signed_as_the_convention_has_it(
    secret: Advisory, token: ApiToken, receiver: Receiver
) -> None:
    events.tell(events.ADVISORY_VERSION, advisory=secret)
    row = hook(token, receiver)
    told = [events.tell(events.ADVISORY_VERSION, advisory=secret) for _ in range(3)]
    assert due(row) == 3
    assert receiver.ids == [str(one.pk) for one in told]
    headers, body = receiver.got[0]
    assert set(json.loads(body)) == {"type", "timestamp", "data"}
    assert json.loads(body)["data"].keys() == {"id"} and b"777" not in body.replace(str(told[0].pk).encode(), b"")
    key = base64.b64decode(webhooks.secret_of(row).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert due(row) == 0
    assert len(receiver.got) == 3


def test_what_the_token_does_not_show_is_not_told(secret: Advisory, token: ApiToken, receiver: Receiver) -> None:
    row = hook(token, receiver)
    events.tell(events.ADVISORY_VERSION, advisory=factories.advisory(778, disclosed=False))
    assert due(row) == 0
    mine = events.tell(events.ADVISORY_VERSION, advisory=secret)
    assert due(row) == 1
    assert receiver.ids == [str(mine.pk)]


@pytest.mark.parametrize("status", [302, 500])
def test_what_fails_is_sent_again_later_and_a_redirection_is_a_failure(
    secret: Advisory, token: ApiToken, receiver: Receiver, status: int
) -> None:
    row = hook(token, receiver)
    event = events.tell(events.ADVISORY_VERSION, advisory=secret)
    receiver.status = status
    assert due(row) == 0
    row.refresh_from_db()
    assert (row.failures, row.status, len(receiver.got)) == (1, status, 1)
    assert webhooks.send_webhook(str(row.pk)) == 0 and len(receiver.got) == 1
    receiver.status = 204
    assert due(row) == 1
    row.refresh_from_db()
    assert (row.failures, receiver.ids) == (0, [str(event.pk)] * 2)


def test_it_ends_when_nobody_answers_for_days_or_it_is_gone(
    secret: Advisory, token: ApiToken, receiver: Receiver
) -> None:
    row = hook(token, receiver)
    events.tell(events.ADVISORY_VERSION, advisory=secret)
    receiver.status = 410
    due(row)
    row.refresh_from_db()
    assert row.ended_at is not None
    other = hook(token, receiver)
    assert other.pk != row.pk
    events.tell(events.ADVISORY_VERSION, advisory=secret)
    receiver.status = 503
    for _ in range(len(webhooks.AGAIN) + 1):
        due(other)
    other.refresh_from_db()
    assert other.ended_at is not None


def test_it_ends_with_its_token(secret: Advisory, token: ApiToken, receiver: Receiver) -> None:
    row = hook(token, receiver)
    events.tell(events.ADVISORY_VERSION, advisory=secret)
    end_token(token.user, token=token)
    assert due(row) == 0
    row.refresh_from_db()
    assert row.ended_at is not None and receiver.got == []
