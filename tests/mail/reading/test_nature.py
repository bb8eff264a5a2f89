"""Mails that nobody wrote are known before they are looked into."""

from __future__ import annotations

import pytest

from backports.mail.reading import read
from backports.mail.reading.identity import content_digest
from backports.mail.reading.nature import unanswered
from tests.mail.letters import mail

OWN = {"room@backports.example"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (mail(headers={"Return-Path": "<>"}), "bounce"),
        (mail(sender="MAILER-DAEMON@member.example"), "bounce"),
        (mail().replace(b"text/plain", b"multipart/report"), "bounce"),
        (mail(sender="Room <room@backports.example>"), "loop"),
        (mail(headers={"X-Loop": "Room@backports.example"}), "loop"),
        (b"Received: from a by b\n" * 31 + mail(), "loop"),
        (mail(headers={"Auto-Submitted": "auto-replied"}), "autoresponder"),
        (mail(headers={"Precedence": "auto_reply"}), "autoresponder"),
        (mail(headers={"X-Spam-Flag": "YES"}), "spam"),
        (mail(headers={"Auto-Submitted": "no", "Precedence": "list", "List-Id": "<x.example>"}), ""),
        (mail(), ""),
    ],
)
def test_each_has_its_name(raw: bytes, code: str) -> None:
    found = unanswered(read(raw), OWN)
    assert (found.code if found else "") == code


def test_one_mail_by_two_ways_is_one() -> None:
    one = mail()
    other = b"Received: from a by b\nX-Anything: at all\n" + one.replace(b"\n", b"\r\n")
    assert content_digest(one, read(one)) == content_digest(other, read(other))
    third = one.replace(b"Something", b"Nothing")
    assert content_digest(one, read(one)) != content_digest(third, read(third))
