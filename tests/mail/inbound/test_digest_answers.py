"""Answers to a digest that quote a backport's part of it: they are said of that backport."""

from __future__ import annotations

from typing import Any

import pytest

from backports.models import Backport, Comment, InboundMail, OutboxMail
from backports.services import events, sending
from tests import factories
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import NUMBER, Member, Take, body_of, fix
from tests.mail.inbound.test_discussion import digest_to
from xsa.models import Advisory, Organisation


@pytest.fixture
def shared(workshop: Workshop, advisory: Advisory, reviewer: Member, take: Take) -> Backport:
    """Another organisation's, which the reader's next digest tells of."""
    raw = reviewer.write(body_of(fix(workshop)), subject="[PATCH XSA-500 4.1] x", message_id="<patch@e.example>")
    row = take(reviewer.sign(raw))
    assert row.version is not None, row.sentence
    OutboxMail.objects.all().delete()
    return row.version.backport


def _another_advisory() -> Advisory:
    row = factories.advisory(501, disclosed=False)
    events.tell(events.ADVISORY_VERSION, advisory=row, thing=row.current.pk)
    return row


def _text(member: Member) -> str:
    letter = sending.letter_of(OutboxMail.objects.get(kind="digest"), eyes=member.user)
    assert letter is not None
    return letter.text


def _quoted(text: str, mark: str) -> str:
    """What a reader keeps of a digest: its lines up to the one with an address."""
    lines = text.split("\n")
    last = max(at for at, line in enumerate(lines) if mark in line)
    return "".join(f"> {line}\n" for line in lines[: last + 1])


def _answer(take: Take, by: Member, digest: Any, text: str) -> InboundMail:
    told = {"subject": "Re: news", "message_id": "<answer@e.example>", "answers": str(digest["References"])}
    return take(by.sign(by.write(text, **told)))


@pytest.mark.parametrize("several", [False, True])
def test_a_remark_below_a_backports_address_is_said_of_it(
    shared: Backport, member: Member, take: Take, mailoutbox: list[Any], several: bool
) -> None:
    if several:
        _another_advisory()
    digest = digest_to(member, mailoutbox)
    text = f"{_quoted(_text(member), f'/backports/{shared.pk}/')}\nThe check is too late.\n"
    row = _answer(take, member, digest, text)
    assert (row.state, row.code, row.advisory, row.version) == (
        "acted",
        "discussion",
        shared.advisory,
        shared.current,
    ), row.sentence
    comment = Comment.objects.get()
    assert (comment.backport, comment.organisation) == (shared, member.organisation)
    assert comment.text.endswith("The check is too late.")
    assert f"the backport of XSA-{NUMBER} to 4.1" in OutboxMail.objects.get(kind="receipt").written.body.replace(
        "\n", " "
    )


def test_the_rest_of_the_answer_is_said_in_the_discussion(
    shared: Backport, member: Member, take: Take, mailoutbox: list[Any]
) -> None:
    digest = digest_to(member, mailoutbox)
    quoted = _quoted(_text(member), f"/backports/{shared.pk}/")
    about = _quoted(_text(member), f"/advisories/{NUMBER}/")
    row = _answer(take, member, digest, f"{quoted}\nToo late.\n\n{quoted}{about}\nIs 4.2 hit?\n")
    assert row.code == "discussion", row.sentence
    assert {(one.backport, one.text.rpartition("\n")[2]) for one in Comment.objects.all()} == {
        (shared, "Too late."),
        (None, "Is 4.2 hit?"),
    }
    assert "quote the line with its address" in " ".join(row.facts["notes"])


def test_of_several_advisories_a_remark_without_an_address_says_how(
    shared: Backport, member: Member, take: Take, mailoutbox: list[Any]
) -> None:
    _another_advisory()
    digest = digest_to(member, mailoutbox)
    quoted = _quoted(_text(member), f"/backports/{shared.pk}/")
    row = _answer(take, member, digest, f"A word before.\n{quoted}\nToo late.\n")
    assert (row.state, row.code) == ("refused", "no-thread")
    assert "Quote the line with the backport's address" in row.sentence
    assert not Comment.objects.exists()


def test_an_address_that_the_sender_does_not_see_is_none(
    shared: Backport, member: Member, take: Take, mailoutbox: list[Any]
) -> None:
    _another_advisory()
    digest = digest_to(member, mailoutbox)
    texts = [f"{_quoted(_text(member), f'/backports/{shared.pk}/')}\nToo late.\n"]
    texts.append(texts[0].replace(str(shared.pk), "00000000-0000-4000-8000-000000000000"))
    Organisation.objects.filter(pk=member.organisation.pk).update(listed=False)
    rows = []
    for at, text in enumerate(texts):
        told = {"subject": "Re: news", "message_id": f"<{at}@e.example>", "answers": str(digest["References"])}
        rows.append(take(member.sign(member.write(text, **told))))
    assert {(row.code, row.advisory, row.version) for row in rows} == {("no-thread", None, None)}
    assert rows[0].sentence == rows[1].sentence
    assert not Comment.objects.exists()


def test_in_an_answer_to_something_else_an_address_says_nothing(shared: Backport, member: Member, take: Take) -> None:
    text = f"> https://room.example/backports/{shared.pk}/\n\nToo late.\n"
    assert _answer(take, member, {"References": "<private@e.example>"}, text).code == "no-thread"
