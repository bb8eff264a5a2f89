"""A copy that somebody sent ahead does not stand in the way of the mail itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backports.bench.letters import signed
from backports.models import Backport, BackportVersion, InboundMail
from backports.services.inbound.door import receive
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, body_of, fix
from xsa.models import Advisory

IDENT = "<a@engineer.example>"


@pytest.fixture
def patch(workshop: Workshop, advisory: Advisory) -> str:
    return body_of(fix(workshop))


def _mail(member: Member, patch: str) -> bytes:
    return member.sign(member.write(patch, subject="[PATCH XSA-500 4.1] x", message_id=IDENT))


def _on_top(line: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: line + b"\r\n" + raw


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "spam": _on_top(b"X-Spam-Flag: YES"),
    "bounce": _on_top(b"Return-Path: <>"),
    "autoresponder": _on_top(b"Auto-Submitted: auto-replied"),
    "loop": _on_top(b"X-Loop: room@backports.example"),
    "hops": _on_top(b"\r\n".join([b"Received: from a by b"] * 31)),
    "spaces": lambda raw: raw.replace(b"\r\n---\r\n", b"\r\n--- \r\n", 1),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_copy_that_was_spoilt_does_not_suppress_the_good_one(
    member: Member, take: Take, patch: str, how: str
) -> None:
    raw = _mail(member, patch)
    copy = SPOILT[how](raw)
    assert copy != raw
    assert take(copy).state == "refused"
    row = take(raw)
    assert (row.state, row.code) == ("acted", "backport"), row.sentence
    assert BackportVersion.objects.count() == 1


def test_the_good_one_may_come_while_the_copy_waits(member: Member, take: Take, patch: str) -> None:
    raw = _mail(member, patch)
    waiting = receive(SPOILT["spam"](raw), via="pipe")
    assert (waiting.state, take(raw).code) == ("waiting", "backport")


def test_anothers_mail_with_the_same_id_suppresses_nothing(
    member: Member, reviewer: Member, take: Take, patch: str
) -> None:
    """The other one is signed as well, and acted on."""
    assert take(_mail(reviewer, patch)).code == "backport"
    row = take(_mail(member, patch))
    assert (row.state, row.code) == ("acted", "backport"), row.sentence
    assert set(Backport.objects.values_list("organisation", flat=True)) == {
        member.organisation.pk,
        reviewer.organisation.pk,
    }


def test_ones_own_mail_signed_again_under_the_same_id_is_one(member: Member, take: Take, patch: str) -> None:
    take(_mail(member, patch))
    again = signed(member.write(f"{patch}\nMore.\n", subject="[PATCH XSA-500 4.1] x", message_id=IDENT), member.secret)
    assert take(again).code == "replayed"
    assert InboundMail.objects.count() == 2
