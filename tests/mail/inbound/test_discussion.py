"""Answers to what the room sent: they are said in the discussion of the one advisory that it was about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backports.models import Comment, InboundMail, OutboxMail, Review, Subscription
from backports.pgp import Home
from backports.services import digests, events, sending
from tests import factories
from tests.mail.conftest import give_key
from tests.mail.inbound.conftest import Member, Take, make_member
from xsa.models import Advisory, Membership, Organisation

TEXT = "On Monday the room wrote:\n> Advisories\n>\n> - XSA-500 v1: a title\n>   https://room.example/\n\nIs 4.2 hit?\n"


@pytest.fixture
def advisory(db: None) -> Advisory:
    """Embargoed, and told of by an event; nothing else is known of it."""
    row = factories.advisory(500, disclosed=False)
    events.tell(events.ADVISORY_VERSION, advisory=row, thing=row.current.pk)
    return row


def digest_to(member: Member, outbox: list[Any]) -> Any:
    """The digest that their organisation got, as it went out."""
    place = member.organisation
    give_key(place, armoured=place.pgp_key, fingerprint=place.pgp_fingerprint)
    Organisation.objects.filter(pk=place.pk).update(role_address=f"role@{member.user}.example")
    now = timezone.now()
    Subscription.objects.create(
        cadence="instant", position=0, looked_at=now - timedelta(hours=1), set_at=now, organisation=place
    )
    assert digests.make_digests() == 1
    with Home(secret=sending.room_key().secret) as home:
        assert sending.send(str(OutboxMail.objects.get(state="waiting").pk), home)
    return outbox[-1].message()


def _answer(take: Take, by: Member, thread: str, text: str = TEXT, *, name: str = "answer") -> InboundMail:
    told = {"subject": "Re: XSA-500 v1", "message_id": f"<{name}@{by.user}.example>", "answers": thread}
    return take(by.sign(by.write(text, **told)))


@pytest.mark.parametrize("kept", ["References", "Message-ID"])
def test_an_answer_to_a_digest_is_said_in_the_discussion(
    advisory: Advisory, member: Member, take: Take, mailoutbox: list[Any], kept: str
) -> None:
    """Mail programs name the thread, or the mail that is answered."""
    digest = digest_to(member, mailoutbox)
    row = _answer(take, member, str(digest[kept]))
    assert (row.state, row.code, row.advisory) == ("acted", "discussion", advisory), row.sentence
    comment = Comment.objects.get()
    assert (comment.advisory, comment.backport, comment.organisation) == (advisory, None, member.organisation)
    assert comment.text == "> Advisories\n> - XSA-500 v1: a title\n>   https://room.example/\n\nIs 4.2 hit?"
    receipt = OutboxMail.objects.get(kind="receipt").written
    assert "the discussion of XSA-500" in receipt.body
    assert "/advisories/500/" in receipt.body


def test_an_answer_to_that_answer_is_said_there_too(
    advisory: Advisory, member: Member, reviewer: Member, take: Take, mailoutbox: list[Any]
) -> None:
    digest = digest_to(member, mailoutbox)
    _answer(take, member, str(digest["References"]))
    row = _answer(take, reviewer, f"{digest['References']} <answer@engineer.example>", "No.\n", name="second")
    assert (row.code, row.advisory) == ("discussion", advisory), row.sentence
    assert Comment.objects.count() == 2


def test_who_does_not_see_the_advisory_gets_the_answer_of_no_thread(
    advisory: Advisory, member: Member, take: Take, mailoutbox: list[Any]
) -> None:
    digest = digest_to(member, mailoutbox)
    outsider = make_member("outsider", member.room)
    Organisation.objects.filter(pk=outsider.organisation.pk).update(listed=False)
    rows = [
        _answer(take, outsider, thread, name=str(at))
        for at, thread in enumerate((str(digest["References"]), str(digest["Message-ID"]), "<none@e.example>"))
    ]
    assert {(row.code, row.sentence, row.advisory) for row in rows} == {("no-thread", rows[0].sentence, None)}
    assert not Comment.objects.exists()


def test_a_key_does_not_open_what_its_person_sees_for_another_organisation(
    advisory: Advisory, member: Member, reviewer: Member, take: Take, mailoutbox: list[Any]
) -> None:
    """The reviewer, whose own organisation is not listed any more, is a contact of the engineer's too."""
    digest = digest_to(member, mailoutbox)
    Organisation.objects.filter(pk=reviewer.organisation.pk).update(listed=False)
    Membership.objects.create(user=reviewer.user, organisation=member.organisation, contact=True)
    row = _answer(take, reviewer, str(digest["References"]))
    assert (row.organisation, row.code) == (reviewer.organisation, "no-thread"), row.sentence


def test_a_digest_about_several_has_no_discussion(
    advisory: Advisory, member: Member, take: Take, mailoutbox: list[Any]
) -> None:
    other = factories.advisory(501, disclosed=False)
    events.tell(events.ADVISORY_VERSION, advisory=other, thing=other.current.pk)
    digest = digest_to(member, mailoutbox)
    rows = [_answer(take, member, str(digest[name]), name=name) for name in ("References", "Message-ID")]
    assert {(row.state, row.code) for row in rows} == {("refused", "no-thread")}


def test_a_trailer_is_no_review_of_a_digest(
    advisory: Advisory, member: Member, take: Take, mailoutbox: list[Any]
) -> None:
    digest = digest_to(member, mailoutbox)
    row = _answer(take, member, str(digest["References"]), f"Reviewed-by: E <{member.address}>\n")
    assert (row.state, row.code) == ("refused", "no-patch")
    assert not Review.objects.exists()
    assert not Comment.objects.exists()
