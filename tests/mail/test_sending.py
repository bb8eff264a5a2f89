"""Mail goes out by a server, or into files that nobody else can open; its text is a link."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection

from backports.env import BadSetting
from backports.mail import compose
from backports.mail.server import mail_server
from backports.services import accounts
from xsa.models import Invitation, Organisation
from xsa.services import invitations


def test_a_server_is_read_from_one_address() -> None:
    read = mail_server("smtp://robot%40x:p%3Aw@mail.example:587?tls=1")
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == ("mail.example", 587)
    assert (read["EMAIL_HOST_USER"], read["EMAIL_HOST_PASSWORD"]) == ("robot@x", "p:w")
    assert (read["EMAIL_USE_TLS"], read["EMAIL_USE_SSL"]) == (True, False)
    plain, closed = mail_server("smtp://localhost"), mail_server("smtps://mail.example")
    assert (plain["EMAIL_PORT"], plain["EMAIL_USE_TLS"]) == (25, False)
    assert (closed["EMAIL_PORT"], closed["EMAIL_USE_SSL"]) == (465, True)


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_what_is_no_server_stops_the_start(url: str) -> None:
    with pytest.raises(BadSetting, match="EMAIL_URL"):
        mail_server(url)


def test_files_are_for_their_owner_only(tmp_path: Path, settings: Any) -> None:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    connection = get_connection("backports.mail.files.EmailBackend")
    mail = compose.invitation("engineer@member.example", "the-token", 7)
    mail.connection = connection
    assert mail.send() == 1
    (file,) = (tmp_path / "mail").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "/invitation/the-token/" in file.read_text()
    assert "Auto-Submitted: auto-generated" in file.read_text()


def test_each_mail_has_a_file_of_its_own_whoever_writes_beside(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    # Two worker processes may well have their connection at the same place in memory, in the same second.
    monkeypatch.setattr("builtins.id", lambda _: 1)
    connections = [get_connection("backports.mail.files.EmailBackend") for _ in range(2)]
    for connection in connections:
        assert connection.send_messages([_numbered(0), _numbered(1)]) == 2
    assert connections[0].send_messages([_numbered(2)]) == 1
    texts = [file.read_text() for file in sorted((tmp_path / "mail").iterdir())]
    assert [text.partition("Subject: ")[2][0] for text in texts] == ["0", "1", "0", "1", "2"]


def _numbered(number: int) -> EmailMessage:
    return EmailMessage(str(number), "Words.", "room@example.org", ["engineer@member.example"])


def test_an_invitation_that_is_over_is_not_mailed(db: None, mailoutbox: list[Any]) -> None:
    organisation = Organisation.objects.create(name="Example Member")
    row = invitations.invite(None, organisation=organisation, email="engineer@member.example")
    Invitation.objects.update(revoked_at=row.created_at)
    accounts.mail_invitation(str(row.pk))
    accounts.mail_invitation("00000000-0000-4000-8000-000000000000")
    accounts.mail_password_reset("00000000-0000-4000-8000-000000000000")
    assert mailoutbox == []


def test_a_second_mail_makes_the_first_link_worthless(db: None, mailoutbox: list[Any]) -> None:
    organisation = Organisation.objects.create(name="Example Member")
    row = invitations.invite(None, organisation=organisation, email="engineer@member.example")
    for _ in range(2):
        accounts.mail_invitation(str(row.pk))
    first, second = (mail.body.partition("/invitation/")[2].split("/")[0] for mail in mailoutbox)
    assert invitations.find(first) is None
    assert invitations.find(second) == row
