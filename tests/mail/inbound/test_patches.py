"""Backports by mail: a signed series becomes a version, and what is wrong with one is said."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from backports.models import Backport, BackportVersion, InboundMail
from backports.services.inbound import deciding
from tests import factories
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, body_of, fix
from xsa.models import Advisory

TAG = "[PATCH XSA-500 4.1"


def _one(member: Member, workshop: Workshop, *, tag: str = f"{TAG}]", name: str = "one", **told: str) -> bytes:
    text = body_of(fix(workshop))
    return member.write(text, subject=f"{tag} table: check", message_id=f"<{name}@engineer.example>", **told)


def _series(member: Member, workshop: Workshop, version: str = "v1", count: int = 2) -> list[bytes]:
    """As git send-email threads them: a letter before, and the patches as answers to it."""
    word = f"{TAG} {version}"
    letter = member.write("All of it.\n", subject=f"{word} 0/{count}] both", message_id=f"<{version}-0@e.example>")
    patches = [
        member.write(
            body_of(fix(workshop)).replace("table.c", f"table{at}.c") if at > 1 else body_of(fix(workshop)),
            subject=f"{word} {at}/{count}] part {at}",
            message_id=f"<{version}-{at}@e.example>",
            answers=f"<{version}-0@e.example>",
        )
        for at in range(1, count + 1)
    ]
    return [letter, *patches]


def _ends(rows: Sequence[InboundMail]) -> list[tuple[str, str]]:
    found = InboundMail.objects.in_bulk([row.pk for row in rows])
    return [(found[row.pk].state, found[row.pk].code) for row in rows]


def test_a_signed_patch_becomes_a_shared_version(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    row = take(member.sign(_one(member, workshop)))
    assert (row.state, row.code, row.signature) == ("acted", "backport", "good"), row.sentence
    version = BackportVersion.objects.get()
    assert (version.came_by, version.outcome, version.number, row.version_id) == ("mail", "applied", 1, version.pk)
    assert (version.backport.life, version.backport.branch.name) == ("shared", "4.1")
    assert (version.made_by, row.sender, row.organisation) == (member.user, member.user, member.organisation)
    assert "version 1" in row.sentence
    assert "applied" in row.sentence


def test_an_encrypted_one_does_too(workshop: Workshop, advisory: Advisory, member: Member, take: Take) -> None:
    raw = member.encrypt(_one(member, workshop))
    assert b"table_pick" not in raw
    row = take(raw)
    assert (row.state, row.code, row.encrypted) == ("acted", "backport", True), row.sentence


def test_v2_becomes_the_next_version_of_the_same_backport(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    take(member.sign(_one(member, workshop)))
    better = body_of(fix(workshop, check="toy_check_all"))
    raw = member.write(
        better, subject=f"{TAG} v2] table: check", message_id="<two@e.example>", answers="<one@e.example>"
    )
    row = take(member.sign(raw))
    assert (row.state, row.code) == ("acted", "backport"), row.sentence
    assert list(BackportVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert Backport.objects.count() == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_series_is_one_version_in_whatever_order_its_mails_come(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take, order: Sequence[int]
) -> None:
    mails = [member.sign(one) for one in _series(member, workshop)]
    rows = [take(mails[at]) for at in order]
    by_place = dict(zip(order, _ends(rows), strict=True))
    assert by_place == {0: ("acted", "cover-letter"), 1: ("acted", "backport"), 2: ("acted", "backport")}
    names = [patch.subject for patch in BackportVersion.objects.get().patches.order_by("position")]
    assert names == ["part 1", "part 2"]


def test_a_series_waits_for_the_rest_and_says_for_which(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    rows = [take(member.sign(one)) for one in _series(member, workshop, count=3)[:3]]
    assert _ends(rows)[1:] == [("quarantined", "series-incomplete")] * 2
    assert "Missing: 3." in rows[2].sentence
    assert not BackportVersion.objects.exists()


def test_another_persons_patch_is_no_part_of_a_series(
    workshop: Workshop, advisory: Advisory, member: Member, reviewer: Member, take: Take
) -> None:
    mine, theirs = _series(member, workshop), _series(reviewer, workshop)
    rows = [take(member.sign(mine[1])), take(reviewer.sign(theirs[2].replace(b"v1-2@", b"v1-2r@")))]
    assert _ends(rows) == [("quarantined", "series-incomplete")] * 2


def test_attached_patches_are_a_series_in_one_mail(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    first = fix(workshop).replace(b"Subject: ", b"Subject: [PATCH 1/2] ")
    files = {"0002-b.patch": first.replace(b"1/2", b"2/2").replace(b"table.c", b"second.c"), "0001-a.patch": first}
    raw = member.write("See the files.\n", subject=f"{TAG}] both", files=files)
    row = take(member.sign(raw))
    assert (row.state, row.code) == ("acted", "backport"), row.sentence
    assert BackportVersion.objects.get().patches.count() == 2


def test_the_same_again_makes_no_version(workshop: Workshop, advisory: Advisory, member: Member, take: Take) -> None:
    take(member.sign(_one(member, workshop)))
    row = take(member.sign(_one(member, workshop, name="again")))
    assert (row.state, row.code) in {("acted", "same-again"), ("acted", "backport")}
    assert BackportVersion.objects.count() <= 2


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("[PATCH XSA-499 4.1]", "no-advisory"),
        ("[PATCH 4.1]", "no-advisory"),
        ("[PATCH XSA-500]", "no-branch"),
        ("[PATCH XSA-500 9.9]", "no-branch"),
        ("[PATCH XSA-500 nowhere/4.1]", "no-branch"),
    ],
)
def test_what_is_not_said_right_is_refused_with_how_to_say_it(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take, tag: str, code: str
) -> None:
    row = take(member.sign(_one(member, workshop, tag=tag)))
    assert (row.state, row.code) == ("refused", code)
    assert "[PATCH XSA-500 4.8 v2 1/3]" in row.sentence


def test_an_advisory_that_one_may_not_see_does_not_exist(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    member.user.memberships.update(contact=False)
    secret = take(member.sign(_one(member, workshop)))
    none = take(member.sign(_one(member, workshop, tag="[PATCH XSA-499 4.1]", name="other")))
    assert (secret.code, none.code) == ("no-advisory", "no-advisory")
    assert secret.sentence.replace("500", "499", 1) == none.sentence
    factories.admit(member.user, advisory)
    assert take(member.sign(_one(member, workshop, name="now"))).code == "backport"


def test_an_unsigned_one_enters_when_a_person_accepts_it(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    row = take(_one(member, workshop))
    assert (row.state, row.code, row.signature) == ("quarantined", "unsigned", "none")
    assert not BackportVersion.objects.exists()
    team = factories.person("team", security_team=True)
    row = deciding.accept(team, mail=row)
    assert (row.state, row.code, row.decided_by) == ("acted", "backport", team), row.sentence
    assert BackportVersion.objects.get().made_by == member.user


def test_a_mail_whose_headers_name_another_sender_than_what_it_holds_is_accepted_as_nobodys(
    workshop: Workshop, advisory: Advisory, member: Member, reviewer: Member, take: Take
) -> None:
    """Whoever decides is shown one of them, and it would be done in the other's name."""
    inner = _one(member, workshop)
    raw = member.encrypt(inner).replace(member.address.encode(), reviewer.address.encode(), 1)
    row = take(raw)
    assert (row.state, row.code) == ("quarantined", "unknown-key"), row.sentence
    row = deciding.accept(factories.person("team", security_team=True), mail=row)
    assert (row.state, row.code) == ("refused", "other-sender")
    assert not BackportVersion.objects.exists()


def test_an_accepted_mail_of_nobody_is_nobodys(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    row = take(_one(member, workshop, sender="A Stranger <stranger@elsewhere.example>"))
    assert (row.state, row.code) == ("quarantined", "unsigned")
    row = deciding.accept(factories.person("team", security_team=True), mail=row)
    assert (row.state, row.code) == ("refused", "nobody")
    assert not BackportVersion.objects.exists()
