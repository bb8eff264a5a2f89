"""Messages in front of diffs."""

# ruff: noqa: E501

from __future__ import annotations

from backports.engine.diff import Patch, parse_patch

DIFF = "diff --git a/m.c b/m.c\n--- a/m.c\n+++ b/m.c\n@@ -1 +1 @@\n-a\n+b\n"


def read(text: str, encoding: str = "utf-8") -> Patch:
    return parse_patch((text + DIFF).encode(encoding))


def test_format_patch_mail() -> None:
    patch = read(
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
        "From: =?UTF-8?q?Ren=C3=A9=20One?= <one@example.org>\nDate: Mon, 2 Jan 2012 03:04:05 +0100\n"
        "Subject: [PATCH v3 2/7] shop: refuse a full\n table\n\nThe table overflows.\n\n"
        "This is XSA-999.\n\nSigned-off-by: One <one@example.org>\nmaster commit: 0123456789ab\n"
        "master date: 2012-01-02 03:04:05 +0100\n(cherry picked from commit 0123456789abcdef)\n---\n m.c | 2 +-\n\n"
    )
    assert patch.author == "René One <one@example.org>"
    assert patch.date == "Mon, 2 Jan 2012 03:04:05 +0100"
    assert patch.subject == "shop: refuse a full table"
    assert patch.body.startswith("The table overflows.\n\nThis is XSA-999.")
    assert "m.c |" not in patch.body
    assert patch.trailers == (
        ("Signed-off-by", "One <one@example.org>"),
        ("master commit", "0123456789ab"),
        ("master date", "2012-01-02 03:04:05 +0100"),
        ("cherry picked from commit", "0123456789abcdef"),
    )


def test_from_line_inside_the_body_names_the_author() -> None:
    patch = read("From: List <list@example.org>\nSubject: [PATCH] a\n\nFrom: One <one@example.org>\n\nWhy.\n---\n")
    assert (patch.author, patch.subject, patch.body) == ("One <one@example.org>", "a", "Why.")


def test_hg_export() -> None:
    patch = read(
        "# HG changeset patch\n# User One <one@example.org>\n# Date 1325469845 -3600\n# Node ID 0123\nshop: first line\n\nMore.\n\n"
    )
    assert (patch.author, patch.subject, patch.body) == ("One <one@example.org>", "shop: first line", "More.")
    assert patch.date == "Mon, 02 Jan 2012 03:04:05 +0100"


def test_git_show() -> None:
    patch = read(
        f"commit {'a' * 40}\nAuthor: One <one@example.org>\nDate:   Mon Jan 2 2012\n\n    shop: first\n\n    More.\n\n"
    )
    assert (patch.author, patch.subject, patch.body) == ("One <one@example.org>", "shop: first", "More.")


def test_quilt_text_whose_first_line_has_a_colon_is_a_subject_not_a_header() -> None:
    patch = read("libshop: check the count\n\nWhy.\n\nSigned-off-by: One <one@example.org>\n\n")
    assert patch.subject == "libshop: check the count"
    assert patch.trailers == (("Signed-off-by", "One <one@example.org>"),)


def test_dep3_long_description() -> None:
    patch = read("Description: check the count\n Of every item.\n .\n Twice.\nAuthor: One <one@example.org>\n\n")
    assert (patch.subject, patch.body) == ("check the count", "Of every item.\n\nTwice.")


def test_dep3_header() -> None:
    patch = read("Description: check the count\n of every item\nAuthor: One <one@example.org>\nOrigin: backport\n\n")
    assert (patch.subject, patch.author) == ("check the count of every item", "One <one@example.org>")


def test_text_that_is_not_utf8_is_read_as_latin_1() -> None:
    assert read("From: René <one@example.org>\nSubject: naïve\n\n", "latin-1").author == "René <one@example.org>"


def test_broken_encoded_word_is_kept_as_it_is() -> None:
    assert read("Subject: =?no-such-charset?q?a=FF?= x\n\n").subject == "=?no-such-charset?q?a=FF?= x"


def test_no_message_at_all() -> None:
    assert (read("").subject, read("").body, read("").author) == ("", "", "")
