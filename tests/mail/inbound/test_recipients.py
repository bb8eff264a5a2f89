"""Whom a signed mail is to: what somebody else was sent, and hands on, is not acted on."""

from __future__ import annotations

from typing import Any

import pytest

from backports.bench import letters
from backports.models import BackportVersion, OutboxText
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, body_of, fix
from xsa.models import Advisory

ROOM = "room@backports.example"
ELSEWHERE = "colleague@elsewhere.example"


@pytest.fixture
def patch(workshop: Workshop, advisory: Advisory) -> str:
    return body_of(fix(workshop))


def _written(member: Member, patch: str, **told: Any) -> bytes:
    return member.write(patch, subject="[PATCH XSA-500 4.1] x", message_id="<a@e.example>", **told)


def _handed_on(raw: bytes, to: str = ROOM) -> bytes:
    """With another To outside of what is signed, the first there is."""
    return raw.replace(f"To: {ELSEWHERE}".encode(), f"To: {to}".encode(), 1)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_mail_to_somebody_else_that_was_handed_on_is_not_acted_on(
    member: Member, take: Take, patch: str, encrypted: bool
) -> None:
    written = _written(member, patch, to=ELSEWHERE)
    row = take(_handed_on(member.encrypt(written) if encrypted else member.sign(written)))
    assert (row.state, row.code) == ("refused", "not-to-us"), row.sentence
    assert not BackportVersion.objects.exists()
    assert "in To or Cc" in OutboxText.objects.get().body.replace("\n", " ")


@pytest.mark.parametrize(
    "to",
    [
        f"=?utf-8?q?room=40backports=2Eexample=2C_x?= <{ELSEWHERE}>",
        f'"{ROOM}, x" <{ELSEWHERE}>',
        f"{ROOM}.elsewhere.example",
    ],
)
def test_a_name_is_no_address(member: Member, take: Take, patch: str, to: str) -> None:
    """Somebody else's name, which they choose themselves, stands in what is signed."""
    raw = _written(member, patch, to=ELSEWHERE).replace(f"To: {ELSEWHERE}".encode(), f"To: {to}".encode())
    assert take(member.sign(raw)).code == "not-to-us"


@pytest.mark.parametrize(
    "told",
    [
        {"to": f"Room <{ROOM.upper()}>"},
        {"to": "alias@backports.example"},
        {"to": "list@project.example"},
        {"to": ", ".join([*(f"reader-{n}@a-long-name.member.example" for n in range(100)), ROOM])},
        {"to": ELSEWHERE, "headers": {"Cc": ROOM}},
        {"to": "", "headers": {"Delivered-To": ROOM}},
        {"to": "", "headers": {"X-Original-To": ROOM}},
    ],
    ids=["own", "alias", "list", "many", "cc", "bcc", "bcc-alias"],
)
def test_all_of_the_rooms_addresses_count(
    member: Member, take: Take, patch: str, settings: Any, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]
) -> None:
    settings.ROOM_ADDRESSES, settings.MAIL_LIST = ["Alias@backports.example"], "The list <list@project.example>"
    monkeypatch.setattr(letters, "PROTECTED", (*letters.PROTECTED, "Cc"))
    row = take(member.sign(_written(member, patch, **told)))
    assert (row.state, row.code) == ("acted", "backport"), row.sentence


@pytest.mark.parametrize(
    ("to", "delivered", "code"),
    [(ROOM, "", "backport"), (ELSEWHERE, ROOM, "not-to-us"), ("", ROOM, "backport"), ("", "", "not-to-us")],
)
def test_outside_of_the_signature_to_counts_only_where_it_covers_none(
    member: Member, take: Take, patch: str, monkeypatch: pytest.MonkeyPatch, to: str, delivered: str, code: str
) -> None:
    monkeypatch.setattr(letters, "PROTECTED", tuple(one for one in letters.PROTECTED if one != "To"))
    headers = {"Delivered-To": delivered} if delivered else {}
    row = take(member.sign(_written(member, patch, to=to, headers=headers)))
    assert row.code == code, row.sentence


def test_where_it_was_delivered_does_not_outweigh_what_is_signed(member: Member, take: Take, patch: str) -> None:
    raw = member.sign(_written(member, patch, to=ELSEWHERE, headers={"Delivered-To": ROOM}))
    assert take(raw).code == "not-to-us"
