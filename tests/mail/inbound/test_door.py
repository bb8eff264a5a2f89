"""Whatever comes is kept, once, by whichever way, and ends in exactly one of three ways."""

from __future__ import annotations

import hashlib
import io
import re
import socket
import subprocess
from contextlib import nullcontext
from pathlib import Path
from smtplib import LMTP
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, transaction

from backports.mail.reading import MAX_MAIL
from backports.models import InboundMail
from backports.services.inbound import door, fetching, handling
from backports.services.inbound.door import receive
from backports.services.inbound.lmtp import Door, Handler
from tests.mail.inbound.conftest import Take
from tests.mail.letters import mail


def test_it_is_kept_byte_for_byte(db: None, queued: list[str], django_capture_on_commit_callbacks: Any) -> None:
    raw = mail("ä\n").replace(b"\n", b"\r\n") + b"\0\xff"
    with django_capture_on_commit_callbacks(execute=True):
        row = receive(raw, via="pipe")
    row.refresh_from_db()
    assert (bytes(row.raw), row.sha256, row.state) == (raw, hashlib.sha256(raw).hexdigest(), "waiting")
    assert queued == [str(row.pk)]


def test_the_same_mail_by_another_way_is_the_same_row(db: None) -> None:
    first = receive(mail(), via="pipe")
    again = receive(b"Received: from a by b\r\n" + mail().replace(b"\n", b"\r\n"), via="lmtp")
    assert again.pk == first.pk
    # As mail servers hand it to the command of an alias.
    alias = receive(b"From engineer@member.example  Sat Jan  5 10:00:00 2030\n" + mail(), via="pipe")
    assert alias.pk == first.pk
    other = receive(mail("Something else.\n"), via="pipe")
    assert other.pk != first.pk


def test_two_that_come_at_the_same_moment_are_one(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = receive(mail(), via="pipe")
    monkeypatch.setattr(door.InboundMail.objects, "filter", lambda **_: SimpleNamespace(first=lambda: None))
    assert receive(mail(), via="imap").pk == first.pk


def test_what_is_too_large_is_counted_and_refused(take: Take) -> None:
    row = take(b"Subject: x\n\n" + b"x" * MAX_MAIL)
    assert (row.state, row.code, bytes(row.raw), row.size) == ("refused", "too-large", b"", MAX_MAIL + 12)


def test_a_mail_that_ended_needs_a_reason(db: None) -> None:
    row = receive(mail(), via="pipe")
    with pytest.raises(IntegrityError), transaction.atomic():
        InboundMail.objects.filter(pk=row.pk).update(state="refused")


def test_a_fault_of_ours_loses_nothing(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Any:
        raise RuntimeError("a secret")

    with monkeypatch.context() as patched:
        patched.setattr(handling, "look_at", breaks)
        row = take(mail())
        assert (row.state, row.tries) == ("waiting", 1)
    handling.handle(row.pk)
    row.refresh_from_db()
    assert row.state == "refused"


def test_after_several_faults_a_person_is_asked(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "look_at", lambda _: 1 / 0)
    row = take(mail())
    for _ in range(handling.MOST_TRIES - 1):
        handling.handle(row.pk)
    row.refresh_from_db()
    assert (row.state, row.code) == ("quarantined", "error")


def test_what_a_worker_lost_is_swept_up(db: None, queued: list[str]) -> None:
    row = receive(mail(), via="pipe")
    handling.sweep_mail()
    assert queued == []
    InboundMail.objects.filter(pk=row.pk).update(received_at=row.received_at - 2 * handling.LEFT_ALONE)
    handling.sweep_mail()
    assert queued == [str(row.pk)]


def test_the_pipe_ends_as_mail_servers_want_it(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(mail())))
    call_command("receive_mail")
    assert InboundMail.objects.get().via == "pipe"

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(mail())))
    monkeypatch.setattr("backports.management.commands.receive_mail.receive", away)
    with pytest.raises(SystemExit) as ended:
        call_command("receive_mail", stderr=io.StringIO())
    assert ended.value.code == 75


def test_the_documented_pipes_are_one_command_for_the_shell() -> None:
    """Postfix reads words between braces in `master.cf`, and between quotes in `aliases`, as one."""
    text = Path("docs/mail-in.md").read_text()
    told = re.search(r"argv=/bin/sh -c \{ (.+) \}$", text, re.MULTILINE)
    alias = re.search(r'^ +room: "\|(.+)"$', text, re.MULTILINE)
    assert told
    assert alias
    assert told[1] == alias[1]
    command = told[1].replace("/srv/backports/.venv/bin/python", "false")
    assert subprocess.run(["/bin/sh", "-c", command], check=False).returncode == 75


def test_lmtp_takes_a_mail_when_it_was_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[bytes, str]] = []
    monkeypatch.setattr("backports.services.inbound.lmtp.receive", lambda raw, via: kept.append((raw, via)))
    monkeypatch.setattr("backports.services.inbound.lmtp.close_old_connections", lambda: None)
    server = Door(Handler(), hostname="127.0.0.1", port=_free())
    server.start()
    try:
        with LMTP("127.0.0.1", server.port) as client:
            client.sendmail("engineer@member.example", ["room@backports.example"], mail().replace(b"\n", b"\r\n"))
            client.sendmail("", ["room@backports.example"], mail())
    finally:
        server.stop()
    (raw, via), (bounced, _) = kept
    assert via == "lmtp"
    assert raw.startswith(b"Return-Path: <engineer@member.example>\r\nDelivered-To: room@backports.example\r\n")
    assert bounced.startswith(b"Return-Path: <>\r\n")
    assert raw.endswith(mail().replace(b"\n", b"\r\n"))


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Box:
    """A mailbox with two mails, of which the server tells as imaplib hands it on."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def uid(self, command: str, *arguments: str) -> tuple[str, list[Any]]:
        if command == "SEARCH":
            return "OK", [b"7 9"]
        if command == "FETCH":
            return "OK", [(b"1 (BODY[] {5}", mail(message_id=f"<{arguments[0]}@x.example>")), b")"]
        self.seen.append(arguments[0])
        return "OK", []


def test_a_mailbox_is_marked_as_read_after_its_mail_was_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box()
    with monkeypatch.context() as patched:
        patched.setattr(fetching, "_mailbox", _in(box))
        assert fetching.poll("imaps://a:b@mail.example/INBOX") == 2
    assert box.seen == ["7", "9"]
    assert set(InboundMail.objects.values_list("message_id", "via")) == {
        ("<7@x.example>", "imap"),
        ("<9@x.example>", "imap"),
    }


def _in(box: Box) -> Any:
    return lambda _: nullcontext(box)


def test_the_mailboxs_address_is_said_in_full(settings: Any) -> None:
    with pytest.raises(Exception, match="MAIL_IMAP_URL"), fetching._mailbox("http://mail.example/"):
        pass
