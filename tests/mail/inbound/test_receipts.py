"""Receipts: to whoever is proved to have sent a mail, through the outbox, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from backports.models import OutboxMail, OutboxText
from backports.pgp import Home
from backports.services import sending
from tests import factories
from tests.backports.conftest import Workshop
from tests.mail.conftest import give_key
from tests.mail.inbound.conftest import Member, Take, body_of, fix
from tests.mail.letters import mail
from tests.pgp.keys import Correspondent
from xsa.models import Advisory, Membership, Organisation, User


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


def _answered(member: Member, take: Take, workshop: Workshop, key: Correspondent | None = None) -> OutboxMail:
    """A receipt about an embargoed advisory that waits: to the person where they have a key, else the organisation."""
    give_key(member.organisation, armoured=member.organisation.pgp_key, fingerprint=member.organisation.pgp_fingerprint)
    if key is not None:
        give_key(member.user, key)
    Organisation.objects.filter(pk=member.organisation.pk).update(role_address="role@engineer.example")
    take(member.sign(member.write(body_of(fix(workshop)), subject="[PATCH XSA-500 4.1] x", message_id="<a@e.example>")))
    row = OutboxMail.objects.get(kind="receipt")
    assert (row.person is not None) == (key is not None)
    return row


def _sent(row: OutboxMail) -> tuple[str, str]:
    with Home(secret=sending.room_key().secret) as home:
        sending.send(str(row.pk), home)
    row.refresh_from_db()
    return row.state, row.code


@pytest.mark.parametrize("personal", [True, False])
def test_who_is_still_there_gets_it(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take, mailoutbox: list[Any], personal: bool
) -> None:
    row = _answered(member, take, workshop, Correspondent("engineer") if personal else None)
    assert _sent(row) == ("sent", "")
    assert mailoutbox[0].to == [member.address if personal else "role@engineer.example"]


def _leaves(member: Member) -> None:
    Membership.objects.filter(user=member.user).delete()


def _is_locked(member: Member) -> None:
    User.objects.filter(pk=member.user.pk).update(is_active=False)


def _goes(member: Member) -> None:
    Organisation.objects.filter(pk=member.organisation.pk).update(left_at=timezone.now())


def _is_unlisted(member: Member) -> None:
    Organisation.objects.filter(pk=member.organisation.pk).update(listed=False)


@pytest.mark.parametrize(
    ("personal", "happens", "code"),
    [
        (True, _leaves, "reader-left"),
        (True, _is_locked, "reader-left"),
        (True, _goes, "reader-left"),
        (True, _is_unlisted, "not-visible"),
        (False, _goes, "reader-left"),
        (False, _is_unlisted, "not-visible"),
        (False, _leaves, "not-visible"),
    ],
)
def test_what_happened_while_it_waited_is_asked_when_it_is_sent(
    workshop: Workshop,
    advisory: Advisory,
    member: Member,
    take: Take,
    mailoutbox: list[Any],
    personal: bool,
    happens: Callable[[Member], None],
    code: str,
) -> None:
    """Of an organisation whose last contact left nobody is there to read it for."""
    row = _answered(member, take, workshop, Correspondent("engineer") if personal else None)
    happens(member)
    assert _sent(row) == ("dropped", code)
    assert mailoutbox == []


def test_a_colleague_reads_what_the_organisation_is_answered(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take, mailoutbox: list[Any]
) -> None:
    row = _answered(member, take, workshop)
    colleague = factories.person("colleague")
    Membership.objects.create(user=colleague, organisation=member.organisation, contact=True)
    _leaves(member)
    assert _sent(row) == ("sent", "")
    assert len(mailoutbox) == 1
