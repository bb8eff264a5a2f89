"""Receipts: to whoever is proved to have sent a mail, through the outbox, with what to do about it."""

from __future__ import annotations

import pytest

from backports.models import OutboxMail, OutboxText
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, body_of, fix
from tests.mail.letters import mail
from xsa.models import Advisory


def _text() -> str:
    return OutboxText.objects.get().body


def test_the_verdict_is_told_once_to_the_organisations_key(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    raw = member.sign(member.write(body_of(fix(workshop)), subject="[PATCH XSA-500 4.1] x", message_id="<a@e.example>"))
    row = take(raw)
    take(raw)
    written = OutboxText.objects.get()
    assert (written.answers, written.advisory, written.mail.kind) == ("<a@e.example>", advisory, "receipt")
    assert written.mail.organisation == member.organisation
    assert "Verdict: applied" in written.body.replace("\n", " ")
    assert "came in clear" in written.body
    assert str(row.version.backport_id if row.version else "") in written.body
    assert max(len(line) for line in written.body.split("\n") if "http" not in line) <= 72


def test_what_was_wrong_is_told_with_how_to_send_it_right(advisory: Advisory, member: Member, take: Take) -> None:
    take(member.encrypt(member.write("x\n", subject="hello")))
    assert "[PATCH XSA-500 4.8 v2 1/3]" in _text().replace("\n", " ")
    assert "came in clear" not in _text()


@pytest.mark.parametrize("head", [{}, {"Auto-Submitted": "auto-replied"}, {"Return-Path": "<>"}])
def test_who_is_not_proved_is_told_nothing(member: Member, take: Take, head: dict[str, str]) -> None:
    take(mail("Hello.\n", sender=member.address, subject="[PATCH XSA-500 4.1] x", headers=head))
    assert not OutboxMail.objects.exists()
