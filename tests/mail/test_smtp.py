"""A real server over STARTTLS takes the mail, and what it took is read by the second implementation."""

from __future__ import annotations

import datetime
import email
import email.policy
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.mail import get_connection
from django.utils import timezone

from backports.mail import mime
from backports.mail.letters import Letter
from backports.mail.wire import Finished
from backports.models import OutboxMail
from backports.pgp import RoomKey
from backports.services import bounces, outbox, sending
from backports.services.outbox import Written
from tests import factories
from tests.mail.conftest import give_key
from tests.pgp.keys import Correspondent
from xsa.models import Organisation

pytestmark = pytest.mark.django_db


class Taker:
    """Takes mail, but for addresses that it does not know."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.tls: list[bool] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        self.tls.append(session.ssl is not None)
        return "250 taken"


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine alone, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(1))
    made = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(
        key, hashes.SHA256()
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(*private))
    return cert, secret


def _free_port() -> int:
    with socket.create_server(("localhost", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture
def server(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taker]:
    cert, secret = _certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    taker = Taker()
    port = _free_port()
    controller = Controller(taker, hostname="localhost", port=port, tls_context=tls, require_starttls=True)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", port
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = True, ""
    settings.MAIL_BOUNCES = "bounces@room.example"
    yield taker
    controller.stop()


def member(address: str, reader: Correspondent) -> Organisation:
    place: Organisation = factories.person(address.partition("@")[0], listed=True).memberships.get().organisation
    Organisation.objects.filter(pk=place.pk).update(role_address=address)
    give_key(place, reader)
    return place


def queue(place: Organisation) -> OutboxMail:
    row = outbox.queue("receipt", event="one", organisation=place, written=Written("a receipt", "What it says."))
    assert row is not None
    return row


def test_a_server_takes_it_over_starttls(server: Taker, room: RoomKey) -> None:
    reader = Correspondent()
    row = queue(member("role@member.example", reader))
    assert sending.send_batch([str(row.pk)]) == 1
    (envelope,) = server.taken
    assert server.tls == [True]
    assert (envelope.mail_from, envelope.rcpt_tos) == (bounces.address_of(row.pk), ["role@member.example"])
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    _, body = message.iter_parts()  # type: ignore[attr-defined]
    plain, signers = reader.read(body.get_payload().encode(), sender=room.public)
    assert signers == [room.fingerprint]
    assert b"What it says." in plain
    assert b"What it says." not in envelope.content


def test_what_machines_read_is_on_the_wire_as_it_is(server: Taker) -> None:
    page = "https://room.example/unsubscribe/" + "a" * 150 + "~" + "b" * 43 + "/"
    ids = [f"<{letter * 70}@room.example.org>" for letter in "cd"]
    name = "Xen backports <backports.a-security-room.of-a-long-name.and-a-longer-domain.example.org>"
    letter = Letter("news", "There is news.", answers=ids[1], unsubscribe=page, secret=False)
    at = timezone.now()
    envelope = mime.Envelope("room@room.example", "role@member.example", at, ids[1], thread_id=ids[0], list_id=name)
    mail = Finished(mime.plain(letter, envelope), to=envelope.to, bounces_to="bounces@room.example")
    assert get_connection().send_messages([mail]) == 1
    head = server.taken[0].content.partition(b"\r\n\r\n")[0]
    assert b"=?" not in head
    lines = head.replace(b"\r\n ", b" ").decode("ascii").split("\r\n")
    told = dict(line.split(": ", 1) for line in lines)
    assert told["List-Unsubscribe"] == f"<{page}>"
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (told["References"], told["In-Reply-To"], told["Message-ID"]) == (" ".join(ids), ids[1], ids[1])
    assert told["List-Id"] == name
    # No line is only white, which some servers take for the end of the headers.
    assert all(line.strip() for line in head.split(b"\r\n"))
    assert max(map(len, head.split(b"\r\n"))) < 998


def test_a_server_that_knows_nobody_of_that_name(server: Taker, room: RoomKey) -> None:
    row = queue(member("nobody@member.example", Correspondent()))
    assert sending.send_batch([str(row.pk)]) == 0
    row.refresh_from_db()
    assert (row.state, row.code, server.taken) == ("bounced", "smtp-550", [])


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    server: Taker, room: RoomKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    row = queue(member("role@member.example", Correspondent()))
    assert sending.send_batch([str(row.pk)]) == 0
    row.refresh_from_db()
    assert (row.state, row.attempts, server.taken) == ("waiting", 1, [])
    assert row.next_at > timezone.now()
