"""Answers by mail: comments on the lines that they quote, and reviews by trailers of the organisation that signed."""

from __future__ import annotations

import pytest

from backports.models import Comment, InboundMail, Review, ReviewDraft
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, body_of, fix, make_member
from xsa.models import Advisory, Membership, User

SUBJECT = "[PATCH XSA-500 4.1] table: check"


@pytest.fixture
def sent(workshop: Workshop, advisory: Advisory, member: Member, take: Take) -> InboundMail:
    """The member's backport, which came by mail."""
    raw = member.write(body_of(fix(workshop)), subject=SUBJECT, message_id="<one@e.example>")
    row = take(member.sign(raw))
    assert row.code == "backport", row.sentence
    return row


def _answer(by: Member, text: str, *, name: str = "answer", to: str = "<one@e.example>") -> bytes:
    return by.write(text, subject=f"Re: {SUBJECT}", message_id=f"<{name}@r.example>", answers=to)


def _quote(workshop: Workshop, until: str) -> str:
    """The patch quoted down to a line."""
    lines = body_of(fix(workshop)).split("\n")
    end = next(at for at, line in enumerate(lines) if until in line)
    return "On Tuesday engineer wrote:\n" + "\n".join(f"> {line}" for line in lines[: end + 1])


def test_a_remark_stands_on_the_line_that_it_quotes(
    workshop: Workshop, sent: InboundMail, reviewer: Member, take: Take
) -> None:
    text = f"{_quote(workshop, '+    if ( toy_check')}\n\nIs the index signed?\n"
    row = take(reviewer.sign(_answer(reviewer, text)))
    assert (row.state, row.code, row.version_id) == ("acted", "answer", sent.version_id), row.sentence
    comment = Comment.objects.get()
    assert (comment.text, comment.organisation, comment.made_by) == (
        "Is the index signed?",
        reviewer.organisation,
        reviewer.user,
    )
    place = comment.places.get()
    assert place.path == "common/table.c"
    assert comment.quoted[comment.quoted_at][1].startswith("    if ( toy_check")


def test_what_quotes_no_line_is_about_the_backport(sent: InboundMail, reviewer: Member, take: Take) -> None:
    row = take(reviewer.sign(_answer(reviewer, "Thanks for this.\n")))
    assert row.code == "answer", row.sentence
    comment = Comment.objects.get()
    assert (comment.version, comment.backport_id) == (None, sent.version.backport_id if sent.version else None)


def test_an_answer_to_an_answer_is_about_the_same_version(
    sent: InboundMail, reviewer: Member, member: Member, take: Take
) -> None:
    take(reviewer.sign(_answer(reviewer, "A question.\n")))
    row = take(member.sign(_answer(member, "An answer.\n", name="next", to="<answer@r.example>")))
    assert (row.code, row.version_id) == ("answer", sent.version_id), row.sentence


def test_trailers_become_reviews_of_the_organisation_that_signed(
    sent: InboundMail, reviewer: Member, take: Take
) -> None:
    text = (
        f"Looks right.\n\nReviewed-by: Reviewer <{reviewer.address}>\n"
        f"Tested-by: Reviewer <{reviewer.address}> # 4.1 on two machines\n"
    )
    row = take(reviewer.sign(_answer(reviewer, text)))
    assert row.code == "answer", row.sentence
    found = {(one.verdict, one.tested_on, one.organisation_id) for one in Review.objects.all()}
    place = reviewer.organisation.pk
    assert found == {("approve", "", place), ("tested", "4.1 on two machines", place)}
    assert Comment.objects.get().text == "Looks right."


def test_trailers_of_others_do_not_count(sent: InboundMail, reviewer: Member, member: Member, take: Take) -> None:
    text = f"Reviewed-by: Engineer <{member.address}>\nAcked-by: Nobody <nobody@nowhere.example>\n"
    row = take(reviewer.sign(_answer(reviewer, text)))
    assert (row.state, row.code) == ("refused", "not-yours")
    assert not Review.objects.exists()


def test_a_colleagues_trailer_counts_for_the_colleague(sent: InboundMail, reviewer: Member, take: Take) -> None:
    colleague = User.objects.create_user("colleague", email="colleague@reviewer.example")
    Membership.objects.create(user=colleague, organisation=reviewer.organisation, contact=True)
    row = take(reviewer.sign(_answer(reviewer, "Acked-by: A Colleague <Colleague@reviewer.example>\n")))
    assert row.code == "answer", row.sentence
    assert Review.objects.get().made_by == colleague


def test_a_key_acts_for_members_of_its_own_organisation_alone(
    sent: InboundMail, reviewer: Member, member: Member, take: Take
) -> None:
    """Not for a colleague who left, nor for a member of another one, nor for somebody who is no member any more."""
    User.objects.create_user("colleague", email="colleague@reviewer.example")
    rows = [take(reviewer.sign(_answer(reviewer, "Acked-by: C <colleague@reviewer.example>\n")))]
    text = f"Reviewed-by: R <{reviewer.address}>\n"
    rows.append(take(member.sign(_answer(reviewer, text, name="two"))))
    Membership.objects.filter(user=reviewer.user).delete()
    rows.append(take(reviewer.sign(_answer(reviewer, text, name="three"))))
    assert [(row.state, row.code) for row in rows] == [
        ("refused", "not-yours"),
        ("quarantined", "unknown-key"),
        ("quarantined", "unknown-key"),
    ]
    assert not Review.objects.exists()


def test_a_review_of_what_was_replaced_is_a_draft(
    workshop: Workshop, sent: InboundMail, member: Member, reviewer: Member, take: Take
) -> None:
    better = member.write(
        body_of(fix(workshop, check="toy_check_all")),
        subject=SUBJECT.replace("]", " v2]"),
        message_id="<two@e.example>",
    )
    assert take(member.sign(better)).code == "backport"
    row = take(reviewer.sign(_answer(reviewer, f"Reviewed-by: R <{reviewer.address}>\n")))
    assert (row.state, Review.objects.count(), ReviewDraft.objects.count()) == ("acted", 0, 1), row.sentence
    assert "newer version" in row.facts["notes"][0]


def test_an_unsigned_trailer_is_no_review(sent: InboundMail, reviewer: Member, take: Take) -> None:
    row = take(_answer(reviewer, f"Reviewed-by: R <{reviewer.address}>\n"))
    assert (row.state, row.code) == ("quarantined", "unsigned")
    assert not Review.objects.exists()


def test_who_does_not_see_the_backport_answers_nothing(sent: InboundMail, take: Take, member: Member) -> None:
    outsider = make_member("outsider", member.room)
    outsider.organisation.listed = False
    outsider.organisation.save()
    row = take(outsider.sign(_answer(outsider, "What is this?\n")))
    unknown = take(outsider.sign(_answer(outsider, "What is that?\n", name="b", to="<none@e.example>")))
    assert (row.code, row.sentence) == (unknown.code, unknown.sentence) == ("no-thread", unknown.sentence)
    assert not Comment.objects.exists()
