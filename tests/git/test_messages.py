"""What a commit message says: a fix, a follow-up, or a mere mention."""

from __future__ import annotations

import pytest

from backports.git.messages import Kind, advisories, cves, reverted, upstream_links

FIX, FOLLOW_UP, MENTION = Kind.FIX, Kind.FOLLOW_UP, Kind.MENTION


@pytest.mark.parametrize(
    "sentence",
    [
        "This is XSA-7.",
        "This is XSA-7",
        "This is part of XSA-7.",
        "This is part of XSA-7 / CVE-2012-0217.",
        "This is CVE-2012-0217 / XSA-7.",
        "This is CVE-2012-0217 / part of XSA-7.",
        "This is CVE-2012-0217 and CVE-2012-0218 / XSA-7.",
        "This CVE-2012-0217 / XSA-7.",
        "This is XSA-7/CVE-2012-xxxx.",
        "This is a security issue, XSA-7.",
        "This is a security vulnerability, XSA-7 / CVE-2012-0217.",
        "This is part of the fix to a security issue, XSA-7.",
        "This fixes XSA-7.",
        "This patch is part of XSA-7.",
        "This patch solves XSA-7 security hole.",
        "This is part of XSA7.",
        "This is xsa-7.",
        "This is (not really) XSA-7 (but makes the next change simpler).",
        "A guest can stop the host. This is XSA-7.",
        "It overflows (This is\n   XSA-7.)",
        "[ This bug is security vulnerability, XSA-7 / CVE-2012-0217. ]",
        "Everything together is XSA-7.",
        "This is a preparing patch for fixing XSA-7. A later one will fix it.",
        "This documents, but does not fix, XSA-7.",
        "XSA-7",
        "XSA-7 / CVE-2012-0217",
        "(part of XSA-7)",
    ],
)
def test_sentences_that_make_a_commit_a_fix(sentence: str) -> None:
    message = (
        f"x86: check a length\n\nThe length was not checked.\n\n{sentence}\n\nSigned-off-by: One <one@example.org>\n"
    )
    assert advisories(message) == {7: FIX}


@pytest.mark.parametrize(
    "subject",
    [
        "x86: check a length (XSA-7)",
        "x86: check a length (XSA-7 / CVE-2012-0217)",
        "x86: check a length [XSA-7]",
        "XSA-7: check a length",
        "TOOL_TAG update (security fix XSA-7)",
        "TOOL_REVISION: Bump to pick up XSA-7 fix",
    ],
)
def test_subjects_that_make_a_commit_a_fix(subject: str) -> None:
    assert advisories(f"{subject}\n\nBecause of its length.\n") == {7: FIX}


@pytest.mark.parametrize(
    "message",
    [
        "x86: fix XSA-7 fix\n",
        "x86: fix build following XSA-7\n",
        "x86: fix off-by-one in XSA-7 change\n",
        "x86: refine the XSA-7 fix\n",
        "x86: fix guest boot after XSA-7\n",
        "x86: tidy\n\nThis is a followup to XSA-7.\n",
        "x86: tidy\n\nThis is a follow-up to XSA-7.\n",
        "x86: tidy\n\nThis is an update to the fix for XSA-7.\n",
    ],
)
def test_what_mends_a_fix_is_a_follow_up(message: str) -> None:
    assert advisories(message) == {7: FOLLOW_UP}


@pytest.mark.parametrize(
    "body",
    [
        "Do it as was done for XSA-7.",
        "Since XSA-7 this cannot happen.",
        "This wasn't included in XSA-7 because nobody can reach it.",
        "This is not XSA-7.",
        "This was introduced by XSA-7.",
        "This is similar to XSA-7.",
        "This was the case with the scenarios described in XSA-7.",
        "Note that this is not a security issue due to XSA-7.",
        'Fixes: 0123456789ab ("x86: check a length (XSA-7)")',
        'Commit 0123456789ab ("x86: check a length.  This is XSA-7.") broke it.',
        "> This is XSA-7.",
        "(XEN) This is XSA-7.",
        "Reported-by: XSA-7 watchers <one@example.org>",
        "The lines above are, as we said when we spoke of\nXSA-7.",
        "These reintroduce XSA-7 / CVE-2012-0217.",
    ],
)
def test_other_words_about_an_advisory_are_a_mention(body: str) -> None:
    assert advisories(f"x86: tidy\n\n{body}\n") == {7: MENTION}


def test_a_revert_of_a_fix_is_no_fix_whatever_it_quotes() -> None:
    message = 'Revert "x86: check a length (XSA-7)"\n\nThis reverts commit ' + "a1" * 20 + ".\n"
    assert advisories(message) == {7: MENTION}


def test_a_revert_that_is_itself_the_fix_says_so_in_its_body() -> None:
    message = 'Revert "x86: be quick"\n\nThis reverts commit ' + "a1" * 20 + ".\n\nThis is XSA-7.\n"
    assert advisories(message) == {7: FIX}


def test_a_merge_subject_says_nothing() -> None:
    assert advisories("Merge branch 'xsa7-9' into staging-4.10\n") == {7: MENTION}


def test_several_advisories_in_one_sentence_each_count() -> None:
    assert advisories("x: y\n\nThis is XSA-7 and XSA-8.\n") == {7: FIX, 8: FIX}
    assert advisories("x: y\n\nThis is part of XSA-7 (or XSA-8 re-born).\n") == {7: FIX, 8: FIX}
    assert advisories("x: y\n\nThis is XSA-7.\n\nIt resembles XSA-8.\n") == {7: FIX, 8: MENTION}


def test_the_nearest_claim_wins() -> None:
    assert advisories("x86: fix XSA-7 fix\n\nThis is part of XSA-7.\n") == {7: FIX}


@pytest.mark.parametrize("message", ["x86: use xsave\n\nSince XSAVE is there.\n", "x\n", "", "hexsa-7 is a word\n"])
def test_what_is_no_advisory_is_none(message: str) -> None:
    assert advisories(message) == {}


def test_cves_are_listed_once_in_order() -> None:
    assert cves("CVE-2012-0218, CVE-2012-0217 and CVE-2012-0218") == ("CVE-2012-0218", "CVE-2012-0217")


def test_the_masters_commit_comes_before_the_nearer_branch() -> None:
    near, far = "1a" * 20, "2b" * 20
    message = f"x\n\n(cherry picked from commit {near})\nmaster commit: {far}\nmaster date: 2012-06-12\n"
    assert upstream_links(message) == (far, near)


def test_a_revert_may_name_several_commits() -> None:
    one, two = "1a" * 20, "2b" * 6
    assert reverted(f'Revert "x"\n\nThis reverts commit {one}\nand {two} because of it.\n') == (one, two)
    assert reverted("x\n\nand 1234567 things\n") == ()
