"""The outbox: written with what it tells about, sent at most once to each reader, encrypted or without content."""

from __future__ import annotations

import email
import email.policy
import smtplib
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone

from backports.models import OutboxMail
from backports.pgp import RoomKey
from backports.services import outbox, sending
from backports.services.outbox import Written
from tests import factories
from tests.mail.conftest import give_key
from tests.pgp.keys import Correspondent
from xsa.models import Organisation, User

pytestmark = pytest.mark.django_db
BODY = "canarybodyqzx of a receipt. " * 8


@pytest.fixture(scope="module")
def reader() -> Correspondent:
    return Correspondent()


@pytest.fixture
def member() -> Organisation:
    user = factories.person("member", listed=True)
    place: Organisation = user.memberships.get().organisation
    Organisation.objects.filter(pk=place.pk).update(role_address="role@member.example")
    return Organisation.objects.get(pk=place.pk)


def receipt(place: Organisation, event: str = "one") -> OutboxMail:
    advisory = factories.advisory(500, disclosed=False) if not place.mails.exists() else None
    row = outbox.queue(
        "receipt", event=event, organisation=place, written=Written("canarysubjectqzx", BODY, advisory=advisory)
    )
    assert row is not None
    return row


def went_out(mailoutbox: list[Any]) -> list[EmailMessage]:
    """What the server got, parsed again from its bytes."""
    raw = [one.message().as_bytes(linesep="\r\n") for one in mailoutbox]
    return [email.message_from_bytes(one, policy=email.policy.default) for one in raw]  # type: ignore[misc]


def send(row: OutboxMail) -> OutboxMail:
    sending.send_batch([str(row.pk)])
    row.refresh_from_db()
    return row


def test_a_mail_is_encrypted_and_signed_and_its_headers_say_nothing(
    room: RoomKey, member: Organisation, reader: Correspondent, mailoutbox: list[Any]
) -> None:
    give_key(member, reader)
    row = send(receipt(member))
    assert (row.state, row.fingerprint, row.notice) == ("sent", reader.fingerprint, False)
    raw = mailoutbox[0].message().as_bytes(linesep="\r\n")
    assert b"canary" not in raw
    assert mailoutbox[0].to == ["role@member.example"]
    (message,) = went_out(mailoutbox)
    assert message.get_content_type() == "multipart/encrypted"
    assert message.get_param("protocol") == "application/pgp-encrypted"
    version, body = message.iter_parts()
    assert (version.get_content_type(), version.get_payload().strip()) == ("application/pgp-encrypted", "Version: 1")
    assert body.get_content_type() == "application/octet-stream"
    assert message["Subject"] == "XSA-500"
    assert (message["From"], message["To"]) == ("Example Room <room@example.org>", "role@member.example")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{row.pk.hex}@example.org>"
    assert message["In-Reply-To"] == message["References"]
    plain, signers = reader.read(body.get_payload().encode(), sender=room.public)
    assert signers == [room.fingerprint]
    inside = email.message_from_bytes(plain, policy=email.policy.default)
    assert inside.get_param("protected-headers") == "v1"
    assert (inside["Subject"], inside["Message-ID"]) == ("canarysubjectqzx", message["Message-ID"])
    text = inside.get_content()
    assert " ".join(text.split()) == BODY.strip()
    assert max(len(line) for line in text.splitlines()) <= 72


@pytest.mark.parametrize("columns", [None, {"state": "revoked"}, {"state": "weak"}, {"state": "broken"}, "over"])
def test_without_a_usable_key_one_line_goes_out_and_an_alarm(
    room: RoomKey, member: Organisation, reader: Correspondent, mailoutbox: list[Any], columns: Any
) -> None:
    over = {"expires_at": timezone.now() - timedelta(minutes=1)}
    if columns:
        give_key(member, reader, **(over if columns == "over" else columns))
    team = factories.person("team", security_team=True).memberships.get().organisation
    row = send(receipt(member))
    assert (row.state, row.notice, row.fingerprint) == ("sent", True, "")
    (message,) = went_out(mailoutbox)
    assert message.get_content().rstrip() == "There is news, log in: https://room.example/mail/"
    assert message["Subject"] == "Xen backports"
    assert "canary" not in str(message)
    assert "500" not in str(message).replace(row.pk.hex, "")
    alarms = OutboxMail.objects.filter(kind="alarm")
    assert {one.organisation_id for one in alarms} == {member.pk, team.pk}
    send(receipt(member, "two"))
    assert alarms.count() == 2


def test_there_is_one_mail_of_an_event_for_a_reader(member: Organisation) -> None:
    assert receipt(member)
    assert outbox.queue("receipt", event="one", organisation=member, written=Written("again", "again")) is None
    other = factories.person("other")
    assert outbox.queue("receipt", event="one", person=other, written=Written("theirs", "theirs"))
    assert OutboxMail.objects.count() == 2


def test_a_mail_is_gone_with_the_transaction_of_what_it_tells_about(member: Organisation) -> None:
    with pytest.raises(ValueError, match="undone"), transaction.atomic():
        receipt(member)
        raise ValueError("undone")
    assert not OutboxMail.objects.exists()


def test_a_mail_is_sent_once(room: RoomKey, member: Organisation, reader: Correspondent, mailoutbox: list[Any]) -> None:
    give_key(member, reader)
    row = send(send(receipt(member)))
    assert sending.send_outbox() == 0
    assert (row.state, len(mailoutbox)) == ("sent", 1)


def test_a_worker_that_dies_while_it_builds_costs_nothing(
    room: RoomKey, member: Organisation, reader: Correspondent, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    give_key(member, reader)
    row = receipt(member)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sending.mime, "sealed", _die)
        send(row)
    assert send(row).state == "building"
    later(row)
    assert send(row).state == "sent"
    assert len(mailoutbox) == 1


def test_a_worker_that_dies_between_server_and_commit_sends_nothing_twice(
    room: RoomKey, member: Organisation, reader: Correspondent, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    give_key(member, reader)
    row = receipt(member)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sending, "_end", _die)
        send(row)
    assert len(mailoutbox) == 1
    later(row)
    assert send(row).state == "unsure"
    assert (sending.send_outbox(), len(mailoutbox)) == (0, 1)


def later(row: OutboxMail) -> None:
    """The lease runs out."""
    OutboxMail.objects.filter(pk=row.pk).update(next_at=timezone.now() - timedelta(seconds=1))
    sending.sweep()


def _die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (smtplib.SMTPRecipientsRefused({"role@member.example": (550, b"no such user")}), "bounced", "smtp-550"),
        (smtplib.SMTPRecipientsRefused({"role@member.example": (450, b"later")}), "waiting", "SMTPRecipientsRefused"),
        (smtplib.SMTPDataError(452, b"full"), "waiting", "smtp-452"),
        (smtplib.SMTPDataError(554, b"spam"), "bounced", "smtp-554"),
        (smtplib.SMTPServerDisconnected("gone"), "unsure", "SMTPServerDisconnected"),
        (TimeoutError(), "unsure", "TimeoutError"),
    ],
)
def test_what_the_server_says_decides(
    room: RoomKey,
    member: Organisation,
    reader: Correspondent,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: str,
    code: str,
) -> None:
    give_key(member, reader)

    def refuse(*_: Any) -> int:
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    row = send(receipt(member))
    assert (row.state, row.code) == (state, code)


def test_a_server_that_is_not_there_is_asked_again_and_at_last_given_up(
    room: RoomKey, member: Organisation, reader: Correspondent, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_key(member, reader)
    monkeypatch.setattr(EmailBackend, "open", _refuse_connection, raising=False)
    row = receipt(member)
    for number in range(len(sending.AGAIN)):
        row = send(row)
        assert (row.state, row.attempts) == ("waiting", number + 1)
        assert row.next_at > timezone.now()
        OutboxMail.objects.filter(pk=row.pk).update(next_at=timezone.now())
    assert (send(row).state, row.code) == ("failed", "ConnectionRefusedError")


def _refuse_connection(*_: Any) -> None:
    raise ConnectionRefusedError


def test_whom_it_goes_to_and_by_which_key_is_looked_up_when_it_is_sent(
    room: RoomKey, member: Organisation, reader: Correspondent, mailoutbox: list[Any]
) -> None:
    before = give_key(member, Correspondent())
    row = receipt(member)
    type(before).objects.filter(pk=before.pk).update(ended_at=timezone.now())
    give_key(member, reader)
    Organisation.objects.filter(pk=member.pk).update(role_address="moved@member.example")
    assert send(row).fingerprint == reader.fingerprint
    assert mailoutbox[0].to == ["moved@member.example"]


def test_nobody_who_left_gets_mail(room: RoomKey, member: Organisation, mailoutbox: list[Any]) -> None:
    row = receipt(member)
    Organisation.objects.filter(pk=member.pk).update(left_at=timezone.now())
    assert (send(row).state, row.code, mailoutbox) == ("dropped", "reader-left", [])


def test_mail_waits_for_the_rooms_key(
    member: Organisation, settings: Any, tmp_path: Any, mailoutbox: list[Any]
) -> None:
    settings.ROOM_KEY, settings.PRODUCTION = tmp_path / "none.asc", True
    assert (send(receipt(member)).code, mailoutbox) == ("no-room-key", [])


def test_a_bounce_is_noted(room: RoomKey, member: Organisation, reader: Correspondent, settings: Any) -> None:
    give_key(member, reader)
    settings.MAIL_BOUNCES = "bounces@example.org"
    row = send(receipt(member))
    assert outbox.bounced(row, code="5.1.1")
    row.refresh_from_db()
    assert (row.state, row.code) == ("bounced", "5.1.1")
    assert not outbox.bounced(row, code="5.1.1")
    assert User.objects.exists()
