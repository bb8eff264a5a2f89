"""Every way in which patches are written, read into the same values."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from backports.engine import diff
from backports.engine.diff import FileKind

BODY = "@@ -1,3 +1,3 @@ int main(void)\n int a;\n-int b;\n+int c;\n int d;\n"
NEW = "@@ -0,0 +1 @@\n+int a;\n"
GONE = "@@ -1 +0,0 @@\n-int a;\n"
STAMP = "2012-03-04 05:06:07.000000000 +0100"
HG_STAMP = "Thu Jan 01 00:00:00 1970 +0000"

# name: (patch, style, strip, kind, path)
DIALECTS = {
    "git": (f"diff --git a/x/m.c b/x/m.c\nindex 1234567..89abcde 100644\n--- a/x/m.c\n+++ b/x/m.c\n{BODY}", "git", 1, "modify", "x/m.c"),
    "git without prefixes": (f"diff --git x/m.c x/m.c\n--- x/m.c\n+++ x/m.c\n{BODY}", "git", 0, "modify", "x/m.c"),
    "git mnemonic prefixes": (f"diff --git i/x/m.c w/x/m.c\n--- i/x/m.c\n+++ w/x/m.c\n{BODY}", "git", 1, "modify", "x/m.c"),
    "git new file": (f"diff --git a/x/n.c b/x/n.c\nnew file mode 100644\nindex 0000000..89abcde\n--- /dev/null\n+++ b/x/n.c\n{NEW}", "git", 1, "add", "x/n.c"),
    "git new empty file": ("diff --git a/x/n.c b/x/n.c\nnew file mode 100644\nindex 0000000..e69de29\n", "git", 1, "add", "x/n.c"),
    "git deleted file": (f"diff --git a/x/n.c b/x/n.c\ndeleted file mode 100755\nindex 89abcde..0000000\n--- a/x/n.c\n+++ /dev/null\n{GONE}", "git", 1, "delete", "x/n.c"),
    "git mode only": ("diff --git a/x/run.sh b/x/run.sh\nold mode 100644\nnew mode 100755\n", "git", 1, "mode", "x/run.sh"),
    "git quoted octal path": (f'diff --git "a/x/\\303\\244.c" "b/x/\\303\\244.c"\n--- "a/x/\\303\\244.c"\n+++ "b/x/\\303\\244.c"\n{BODY}', "git", 1, "modify", "x/ä.c"),
    "git path with a tab": (f'diff --git "a/x/a\\tb.c" "b/x/a\\tb.c"\n--- "a/x/a\\tb.c"\n+++ "b/x/a\\tb.c"\n{BODY}', "git", 1, "modify", "x/a\tb.c"),
    "git path with spaces": (f"diff --git a/x/my file.c b/x/my file.c\n--- a/x/my file.c\t\n+++ b/x/my file.c\t\n{BODY}", "git", 1, "modify", "x/my file.c"),
    "quilt": (f"Index: shop-4.1/x/m.c\n{'=' * 67}\n--- shop-4.1.orig/x/m.c\t{STAMP}\n+++ shop-4.1/x/m.c\t{STAMP}\n{BODY}", "quilt", 1, "modify", "x/m.c"),
    "quilt -pab": (f"Index: b/x/m.c\n{'=' * 67}\n--- a/x/m.c\n+++ b/x/m.c\n{BODY}", "quilt", 1, "modify", "x/m.c"),
    "quilt new file": (f"Index: b/x/n.c\n{'=' * 67}\n--- /dev/null\n+++ b/x/n.c\n{NEW}", "quilt", 1, "add", "x/n.c"),
    "hg diff -r": (f"diff -r 0123456789ab x/m.c\n--- a/x/m.c\t{HG_STAMP}\n+++ b/x/m.c\t{HG_STAMP}\n{BODY}", "hg", 1, "modify", "x/m.c"),
    "hg diff -r new file": (f"diff -r 0123456789ab x/n.c\n--- /dev/null\t{HG_STAMP}\n+++ b/x/n.c\t{HG_STAMP}\n{NEW}", "hg", 1, "add", "x/n.c"),
    "hg diff --git": (f"diff --git a/x/m.c b/x/m.c\n--- a/x/m.c\n+++ b/x/m.c\n{BODY}", "git", 1, "modify", "x/m.c"),
    "diff -urN": (f"diff -urN shop-4.1.0/x/m.c shop-4.1.0-fix/x/m.c\n--- shop-4.1.0/x/m.c\t{STAMP}\n+++ shop-4.1.0-fix/x/m.c\t{STAMP}\n{BODY}", "plain", 1, "modify", "x/m.c"),
    "diff -urN new file": (f"diff -urN old/x/n.c new/x/n.c\n--- old/x/n.c\t1970-01-01 01:00:00.000000000 +0100\n+++ new/x/n.c\t{STAMP}\n{NEW}", "plain", 1, "add", "x/n.c"),
    "diff -urN deleted file": (f"diff -urN old/x/n.c new/x/n.c\n--- old/x/n.c\t{STAMP}\n+++ new/x/n.c\t1970-01-01 00:00:00.000000000 +0000\n{GONE}", "plain", 1, "delete", "x/n.c"),
    "bare -p0": (f"--- x/m.c\n+++ x/m.c\n{BODY}", "plain", 0, "modify", "x/m.c"),
    "-p0 with .orig": (f"$Example$\n\n--- x/m.c.orig\t{STAMP}\n+++ x/m.c\n{BODY}", "plain", 0, "modify", "x/m.c"),
    "-p0 at the top": (f"--- m.c.orig\n+++ m.c\n{BODY}", "plain", 0, "modify", "m.c"),
    "bare -p1 with .orig at the top": (f"--- shop.orig/x/m.c\n+++ shop/x/m.c\n{BODY}", "plain", 1, "modify", "x/m.c"),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect(name: str) -> None:
    text, style, strip, kind, path = DIALECTS[name]
    patch = diff.parse_patch(text.encode())
    file = patch.files[0]
    assert (patch.style, patch.strip, file.kind, file.path) == (style, strip, kind, path)


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_behind_a_mail_and_before_a_signature(name: str) -> None:
    text, *_, path = DIALECTS[name]
    mail = f"From: One <one@example.org>\nSubject: [PATCH v2] shop: be safe\n\nWhy.\n---\n x/m.c | 2 +-\n\n{text}-- \n2.39.5\n\n"
    patch = diff.parse_patch(mail.encode())
    assert [file.path for file in patch.files] == [path]
    assert (patch.subject, patch.body) == ("shop: be safe", "Why.")


def test_index_line_gives_oids_and_mode() -> None:
    file = diff.parse_patch(DIALECTS["git"][0].encode()).files[0]
    assert (file.old_oid, file.new_oid, file.old_mode, file.new_mode) == ("1234567", "89abcde", 0o100644, 0o100644)


def test_rename_with_edit_and_rename_only_and_copy() -> None:
    text = (
        "diff --git a/x/old name.c b/y/new.c\nsimilarity index 90%\nrename from x/old name.c\nrename to y/new.c\n"
        f"index 1234567..89abcde 100644\n--- a/x/old name.c\n+++ b/y/new.c\n{BODY}"
        "diff --git a/p.c b/q.c\nsimilarity index 100%\nrename from p.c\nrename to q.c\n"
        "diff --git a/r.c b/s.c\nsimilarity index 100%\ncopy from r.c\ncopy to s.c\n"
    )
    files = diff.parse_patch(text.encode()).files
    assert [(file.kind, file.old_path, file.new_path, len(file.hunks)) for file in files] == [
        (FileKind.RENAME, "x/old name.c", "y/new.c", 1),
        (FileKind.RENAME, "p.c", "q.c", 0),
        (FileKind.COPY, "r.c", "s.c", 0),
    ]


def test_crlf_patch_keeps_its_carriage_returns_in_text_but_not_in_names() -> None:
    patch = diff.parse_patch(DIALECTS["git"][0].replace("\n", "\r\n").encode())
    assert patch.files[0].path == "x/m.c"
    assert patch.files[0].hunks[0].preimage == (b"int a;\r\n", b"int b;\r\n", b"int d;\r\n")


def test_bytes_that_are_not_utf8_and_odd_line_breaks_survive() -> None:
    body = b"--- a/m.c\n+++ b/m.c\n@@ -1,2 +1,2 @@\n-\xe4\x0c\x1c\x85 \xe2\x80\xa8x\n+\xff\x0b\n \x1e\n"
    hunk = diff.parse_patch(body).files[0].hunks[0]
    assert [line.text for line in hunk.lines] == [b"\xe4\x0c\x1c\x85 \xe2\x80\xa8x\n", b"\xff\x0b\n", b"\x1e\n"]


def test_missing_newline_on_either_side() -> None:
    body = b"--- a/m.c\n+++ b/m.c\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ Kein Zeilenumbruch am Dateiende.\n"
    hunk = diff.parse_patch(body).files[0].hunks[0]
    assert (hunk.preimage, hunk.postimage) == ((b"a",), (b"b",))


def test_hunk_text_that_looks_like_headers() -> None:
    body = b"--- a/m.c\n+++ b/m.c\n@@ -1,4 +1,4 @@\n--- a/other.c\n-- \n+++ b/other.c\n+diff --git a/z b/z\n From one@example.org Mon Jan 1 00:00:00 2001\n @@ -1 +1 @@\n"
    patches = diff.parse_series(body + b"-- \n2.39.5\n")
    assert len(patches) == 1
    assert [file.path for file in patches[0].files] == ["m.c"]
    assert [line.tag for line in patches[0].files[0].hunks[0].lines] == list("--++  ")


def test_blank_context_lines_that_a_mailer_stripped() -> None:
    body = b"--- a/m.c\n+++ b/m.c\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n"
    assert diff.parse_patch(body).files[0].hunks[0].preimage == (b"a\n", b"\n", b"b\n")


def test_binary_patches_are_read_and_marked() -> None:
    text = (
        b"diff --git a/logo.png b/logo.png\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 3\nKcmZQz\n\nliteral 0\nHcmV?d\n\n"
        b"diff --git a/two.png b/two.png\nindex 1234567..89abcde 100644\nBinary files a/two.png and b/two.png differ\n"
    )
    files = diff.parse_patch(text).files
    assert [(file.path, file.binary, file.hunks) for file in files] == [("logo.png", True, ()), ("two.png", True, ())]


def test_mbox_series_in_order() -> None:
    one = f"From {'1' * 40} Mon Sep 17 00:00:00 2001\nFrom: One <one@example.org>\nSubject: [PATCH 1/2] first\n\n---\n\n{DIALECTS['git'][0]}-- \n2.39.5\n\n"
    patches = diff.parse_series((one + one.replace("1/2] first", "2/2] second")).encode())
    assert [patch.subject for patch in patches] == ["first", "second"]
    assert [len(patch.files) for patch in patches] == [1, 1]


def test_cover_letter_is_not_a_patch() -> None:
    cover = f"From {'1' * 40} Mon Sep 17 00:00:00 2001\nFrom: One <one@example.org>\nSubject: [PATCH 0/1] cover\n\nHello.\n\n"
    one = cover.replace("0/1] cover", "1/1] only").replace("Hello.\n", f"Why.\n---\n{DIALECTS['git'][0]}")
    assert [patch.subject for patch in diff.parse_series((cover + one).encode())] == ["only"]


def test_mails_one_behind_the_other_without_mbox_lines() -> None:
    one = f"From: One <one@example.org>\nSubject: first\n\n{DIALECTS['git'][0]}"
    assert [patch.subject for patch in diff.parse_series((one + one.replace("first", "second")).encode())] == [
        "first",
        "second",
    ]


def test_names_that_were_left_behind_without_hunks_are_passed_over() -> None:
    body = f"--- a/left.c\n+++ b/left.c.new\n--- a/x/m.c\n+++ b/x/m.c\n{BODY}"
    assert [file.path for file in diff.parse_patch(body.encode()).files] == ["x/m.c"]
