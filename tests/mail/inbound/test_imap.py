"""The mailbox over TLS: no password goes to a server that is not proved, and what is wrong is said."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backports.env import BadSetting
from backports.models import InboundMail
from backports.services.inbound import fetching
from tests.mail.inbound.imap_server import PASSWORD, Server, make_certificate, serving
from tests.mail.letters import mail


@pytest.fixture(params=[True, False], ids=["imaps", "starttls"])
def server(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Iterator[Server]:
    """With one new mail, and a certificate that the settings trust."""
    state = Server(make_certificate(tmp_path / "server.pem"), request.param, [mail().replace(b"\n", b"\r\n")])
    settings.MAIL_IMAP_CA = str(state.certificate)
    with serving(state):
        yield state


def _code(url: str) -> str:
    with pytest.raises(fetching.MailboxError) as found:
        fetching.poll(url)
    assert PASSWORD not in found.value.sentence
    return found.value.code


def test_its_mail_is_taken_once_and_marked_as_read(db: None, server: Server) -> None:
    assert fetching.poll(server.url) == 1
    assert fetching.poll(server.url) == 0
    assert InboundMail.objects.get().via == "imap"


@pytest.mark.parametrize("trusted", ["the system's", "another's"])
def test_no_password_goes_to_a_server_that_is_not_trusted(
    server: Server, settings: Any, tmp_path: Path, trusted: str
) -> None:
    another = str(make_certificate(tmp_path / "another.pem"))
    settings.MAIL_IMAP_CA = another if trusted == "another's" else ""
    assert _code(server.url) == "imap-not-trusted"
    assert not [line for line in server.told if PASSWORD in line or "LOGIN" in line]


def test_a_trusted_certificate_must_be_good_for_the_name(tmp_path: Path, settings: Any) -> None:
    state = Server(make_certificate(tmp_path / "server.pem", address="192.0.2.1"), implicit=True)
    settings.MAIL_IMAP_CA = str(state.certificate)
    with serving(state):
        assert _code(state.url) == "imap-not-trusted"
    assert state.told == []


def test_what_is_wrong_is_told_apart(server: Server) -> None:
    assert _code(server.url.replace(PASSWORD, "another")) == "imap-login-refused"
    assert _code(server.url.replace("INBOX", "Elsewhere")) == "imap-no-folder"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert _code(server.url.replace(str(server.port), str(port))) == "imap-unreachable"


def test_the_schedulers_log_says_what_to_do_and_no_secret(
    db: None, server: Server, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.MAIL_IMAP_URL, settings.MAIL_IMAP_CA = server.url, ""
    fetching.poll_mail()
    assert "code=imap-not-trusted" in caplog.text
    assert PASSWORD not in caplog.text


def test_a_file_of_authorities_that_is_none_is_a_wrong_setting(server: Server, settings: Any, tmp_path: Path) -> None:
    settings.MAIL_IMAP_CA = str(tmp_path / "none.pem")
    with pytest.raises(BadSetting, match="MAIL_IMAP_CA"):
        fetching.poll(server.url)
    (tmp_path / "none.pem").write_text("no certificate")
    with pytest.raises(BadSetting, match="MAIL_IMAP_CA"):
        fetching.poll(server.url)
