"""Mail of ours that came back: what a server's notice says counts where its recipient proves that we sent it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from backports.models import InboundMail, OutboxMail, Subscription
from backports.services import bounces, outbox
from tests.mail.inbound.conftest import Member, Take
from tests.mail.letters import mail
from xsa.models import Organisation


@pytest.fixture
def _address(settings: Any) -> None:
    settings.MAIL_BOUNCES = "bounces@room.example"


pytestmark = pytest.mark.usefixtures("_address")


def sent(organisation: Organisation, event: str = "one", kind: str = "digest") -> OutboxMail:
    row = outbox.queue(kind, event=event, organisation=organisation)
    assert row is not None
    OutboxMail.objects.filter(pk=row.pk).update(state="sent")
    return row


def notice(to: str, *, action: str = "failed", status: str = "5.1.1", head: str = "To", about: str = "") -> bytes:
    """As Postfix writes them."""
    lines = [
        "From: MAILER-DAEMON@mx.example",
        f"{head}: {to}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Message-ID: <{action}.{status}.{hash(to)}.{head}@mx.example>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "I'm sorry to have to inform you that your message could not be delivered. Status: 5.9.9",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example",
        "",
        "Final-Recipient: rfc822; role@member.example",
        f"Action: {action}",
        f"Status: {status}",
        "Diagnostic-Code: smtp; no such user",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {about}",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


def state(row: OutboxMail) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, row.code


@pytest.mark.parametrize("head", ["To", "Delivered-To", "X-Original-To"])
def test_a_notice_with_a_proof_is_told_to_the_outbox(member: Member, take: Take, head: str) -> None:
    ours = sent(member.organisation)
    row = take(notice(bounces.address_of(ours.pk), head=head))
    assert (row.state, row.code) == ("refused", "bounce")
    assert state(ours) == ("bounced", "5.1.1")
    assert InboundMail.objects.count() == 1


def test_nobody_who_knows_an_id_alone_makes_a_bounce(member: Member, take: Take, settings: Any) -> None:
    ours, other = sent(member.organisation), sent(member.organisation, "two")
    mine, theirs = bounces.address_of(ours.pk), bounces.address_of(other.pk)
    cut = len("bounces+") + 27  # an id's 128 bits end in the 26th letter
    wrong = "a" if mine[cut] != "a" else "b"
    forged = [
        f"bounces+{ours.pk}@room.example",
        f"bounces+{ours.pk.hex}@room.example",
        mine[:cut] + theirs[cut:],
        mine[:cut] + wrong + mine[cut + 1 :],
        "room@backports.example",
    ]
    for address in forged:
        take(notice(address, about=f"<{ours.pk.hex}@backports.example> {mine}"))
    settings.SECRET_KEY, key = "another key", settings.SECRET_KEY
    others = bounces.address_of(ours.pk)
    settings.SECRET_KEY = key
    take(notice(others))
    assert InboundMail.objects.filter(code="bounce").count() == len(forged) + 1
    assert [state(ours), state(other)] == [("sent", ""), ("sent", "")]


def test_a_key_that_was_changed_still_proves(member: Member, take: Take, settings: Any) -> None:
    ours = sent(member.organisation)
    address = bounces.address_of(ours.pk)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new key"
    take(notice(address.upper()))
    assert state(ours)[0] == "bounced"


def test_what_tells_of_no_failure_changes_nothing(member: Member, take: Take) -> None:
    ours = sent(member.organisation)
    to = bounces.address_of(ours.pk)
    take(notice(to, action="delayed", status="4.4.1"))
    take(notice(to, action="delivered", status="2.0.0"))
    take(notice(to, action="failed", status="what"))
    away = mail("I am away. Status: 5.1.1\n", sender="engineer@member.example", headers={"Return-Path": "<>"})
    take(away.replace(b"Subject:", f"Delivered-To: {to}\r\nSubject:".encode(), 1))
    assert state(ours) == ("sent", "")


def test_a_server_that_gave_up_ends_no_digests(member: Member, take: Take) -> None:
    Subscription.objects.create(organisation=member.organisation, cadence="daily", set_at=timezone.now())
    rows = [sent(member.organisation, str(number)) for number in range(3)]
    for row in rows:
        take(notice(bounces.address_of(row.pk), status="4.4.7"))
        assert state(row) == ("failed", "4.4.7")
    assert Subscription.objects.get().cadence == "daily"


def test_three_that_came_back_end_the_digests(member: Member, take: Take) -> None:
    Subscription.objects.create(organisation=member.organisation, cadence="daily", set_at=timezone.now())
    rows = [sent(member.organisation, str(number)) for number in range(4)]
    for row, cadence in zip(rows, ("daily", "daily", "off"), strict=False):
        take(notice(bounces.address_of(row.pk)))
        assert Subscription.objects.get().cadence == cadence
    Subscription.objects.update(cadence="daily", set_at=timezone.now())
    take(notice(bounces.address_of(sent(member.organisation, "anew").pk)))
    assert Subscription.objects.get().cadence == "daily"


def test_the_part_before_the_at_is_as_long_as_servers_take(member: Member, settings: Any) -> None:
    address = bounces.address_of(sent(member.organisation).pk)
    assert len(address.partition("@")[0]) <= 64
    settings.MAIL_BOUNCES = ""
    settings.DEFAULT_FROM_EMAIL = "Room <room@backports.example>"
    assert bounces.address_of(sent(member.organisation, "two").pk) == "room@backports.example"
