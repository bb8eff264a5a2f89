"""Subjects' brackets, patches wherever a mail has them, and the mails of one series."""

from __future__ import annotations

import pytest

from backports.engine.intake import read as take_in
from backports.mail.reading import read
from backports.mail.reading.series import Tag, is_answer, mailbox, missing, ordered, own_tag, pieces, series_key, tag_of
from tests.mail.letters import mail

DIFF = (
    "what and why\n\n---\n a.c | 2 +-\n\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n-- \n2.40\n"
)


@pytest.mark.parametrize(
    ("subject", "tag"),
    [
        ("[PATCH XSA-500 4.8 v2 1/3] x", Tag(True, 500, "", "4.8", 2, 1, 3)),
        ("Re: [PATCH XSA-500 4.8 v2 0/3] x", Tag(True, 500, "", "4.8", 2, 0, 3)),
        ("[PATCH xsa500 debian/4.8] x", Tag(True, 500, "debian", "4.8", 1, 1, 1)),
        ("[PATCH][XSA-7 master] x", Tag(True, 7, "", "master", 1, 1, 1)),
        ("[PATCH v3 XSA-0500 RFC stable-4.8] x", Tag(True, 500, "", "stable-4.8", 3, 1, 1)),
        ("hello", Tag()),
        ("[list] hello", Tag(False, 0, "", "list", 1, 1, 1)),
    ],
)
def test_what_a_subject_says(subject: str, tag: Tag) -> None:
    assert tag_of(subject) == tag


def test_an_answer_says_so() -> None:
    assert is_answer("Re: x")
    assert is_answer("[list] AW: x")
    assert not is_answer("[PATCH XSA-1 4.8] re: reading")


def test_a_patch_in_the_text_is_taken_with_the_mails_own_headers() -> None:
    letter = read(mail(DIFF, subject="[PATCH XSA-500 4.8] a.c: say b"))
    (piece,) = pieces(letter, letter.head)
    assert piece.tag == Tag(True, 500, "", "4.8", 1, 1, 1)
    (arrived,) = take_in("mail.mbox", mailbox([piece])).patches
    assert (arrived.patch.subject, arrived.patch.author) == ("a.c: say b", "Example Engineer <engineer@member.example>")
    assert [file.path for file in arrived.patch.files] == ["a.c"]


def test_attached_patches_come_in_their_order_whatever_the_mail_has_first() -> None:
    made = {
        f"000{at}-x.patch": f"From {'1' * 40} Mon Sep 17 00:00:00 2001\nFrom: A <a@b.example>\n"
        f"Subject: [PATCH {at}/2] part {at}\n\n{DIFF.replace('a.c', f'{at}.c')}".encode()
        for at in (2, 1)
    }
    letter = read(mail("See the files.\n", subject="[PATCH XSA-500 4.8 v2] both", files=made))
    found = ordered(pieces(letter, letter.head))
    assert [(one.tag.number, one.tag.version, one.tag.place) for one in found] == [(500, 2, 1), (500, 2, 2)]
    taken = take_in("mail.mbox", mailbox(found))
    assert [one.patch.subject for one in taken.patches] == ["part 1", "part 2"]


def test_a_file_that_is_no_patch_is_none() -> None:
    letter = read(mail("Hello.\n", files={"note.txt": b"nothing", "picture.bin": b"\0\1"}))
    assert pieces(letter, letter.head) == ()
    assert own_tag(b"diff --git a/a b/a\n") is None


def test_the_mails_of_a_series_have_one_key_and_those_of_another_do_not() -> None:
    first = read(mail(subject="[PATCH XSA-5 4.8 1/2] x", message_id="<1@x.example>")).head
    second = read(mail(subject="[PATCH XSA-5 4.8 2/2] y", message_id="<2@x.example>", answers="<1@x.example>")).head
    other = read(mail(subject="[PATCH XSA-5 4.8 2/2] y", message_id="<4@x.example>", answers="<3@x.example>")).head
    newer = read(mail(subject="[PATCH XSA-5 4.8 v2 2/2] y", message_id="<5@x.example>", answers="<1@x.example>")).head
    keys = [series_key(head, tag_of(head.subject)) for head in (first, second, other, newer)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert list(missing([tag_of(second.subject)])) == [1]
