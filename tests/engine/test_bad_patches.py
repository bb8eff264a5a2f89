"""What is refused, with which code, before any work is done on it."""

# ruff: noqa: E501

from __future__ import annotations

import contextlib
import time

import pytest

from backports.engine import diff
from backports.engine.errors import MalformedPatch, TooLarge, UnsafePath

BODY = "@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n"


def of(path: str, *, old: str | None = None) -> bytes:
    return f"--- {old or path}\n+++ {path}\n{BODY}".encode("utf-8", "surrogateescape")


MALFORMED = {
    "empty": (b"", "no-diff"),
    "not a patch": (b"Dear all,\nplease find attached.\n", "no-diff"),
    "bytes": (bytes(range(256)) * 10, "no-diff"),
    "context diff": (b"*** a/m.c\n--- b/m.c\n***************\n*** 1,2 ****\n! a\n--- 1,2 ----\n! b\n", "no-diff"),
    "truncated in a hunk": (f"--- a/m.c\n+++ b/m.c\n{BODY}@@ -9,3 +9,3 @@\n a\n-b\n".encode(), "bad-hunk"),
    "truncated in a hunk before a signature": (b"--- a/m.c\n+++ b/m.c\n@@ -1,4 +1,4 @@\n a\n-b\n+c\n d\n-- \n2.39.5\n", "bad-hunk"),
    "a line too many": (f"--- a/m.c\n+++ b/m.c\n{BODY}+extra\n".encode(), "bad-hunk"),
    "counts that do not add up": (b"--- a/m.c\n+++ b/m.c\n@@ -1,1 +1,3 @@\n-a\n-b\n+c\n", "bad-hunk"),
    "empty hunk": (b"--- a/m.c\n+++ b/m.c\n@@ -1,0 +1,0 @@\n a\n", "bad-hunk"),
    "huge numbers": (f"--- a/m.c\n+++ b/m.c\n@@ -{'9' * 5000},3 +1,3 @@\n a\n".encode(), "bad-hunk"),
    "hunk without a file": (BODY.encode(), "hunk-without-file"),
    "names without a hunk": (b"--- a/m.c\n+++ b/m.c\n", "no-hunks"),
    "combined diff": (b"diff --git a/m.c b/m.c\n--- a/m.c\n+++ b/m.c\n@@@ -1,2 -1,2 +1,2 @@@\n", "combined-diff"),
    "odd mode": (b"diff --git a/m.c b/m.c\nold mode 100644\nnew mode 10x\n", "bad-mode"),
    "both sides /dev/null": (f"--- /dev/null\n+++ /dev/null\n{BODY}".encode(), "malformed-patch"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    data, code = MALFORMED[name]
    with pytest.raises(MalformedPatch) as caught:
        diff.parse_series(data)
    assert caught.value.code == code
    assert caught.value.sentence.endswith(".")


def test_the_sentence_names_file_and_hunk() -> None:
    with pytest.raises(MalformedPatch, match=r"Hunk 2 of b/m\.c"):
        diff.parse_patch(MALFORMED["truncated in a hunk"][0])


UNSAFE = {
    "parent": of("../../etc/passwd"),
    "parent behind the prefix": of("b/../../etc/passwd", old="a/../../etc/passwd"),
    "parent in the middle": of("b/x/../../y", old="a/x/../../y"),
    "absolute": of("/etc/passwd"),
    "absolute behind the prefix": of("b//etc/passwd", old="a//etc/passwd"),
    "drive": of("b/C:/x", old="a/C:/x"),
    ".git": of("b/.git/config", old="a/.git/config"),
    ".GIT deep": of("b/x/.GIT/config", old="a/x/.GIT/config"),
    "git~1": of("b/git~1/config", old="a/git~1/config"),
    ".git with a trailing dot": of("b/.git./config", old="a/.git./config"),
    ".git with a trailing space": of('"b/.git /config"', old='"a/.git /config"'),
    ".git stream": of("b/.git::$INDEX_ALLOCATION/config", old="a/.git::$INDEX_ALLOCATION/config"),
    ".git with a joiner that HFS ignores": of("b/.g\u200cit/config", old="a/.g\u200cit/config"),
    "backslashes": of("b/x\\..\\..\\y", old="a/x\\..\\..\\y"),
    "NUL": of('"b/x\\000y"', old='"a/x\\000y"'),
    "rename to": b"diff --git a/m.c b/n.c\nsimilarity index 100%\nrename from m.c\nrename to ../n.c\n",
    "only the old side": f"--- ../../etc/passwd\n+++ b/m.c\n{BODY}".encode(),
    "git line only": b"diff --git a/../m.sh b/../m.sh\nold mode 100644\nnew mode 100755\n",
}


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_path(name: str) -> None:
    with pytest.raises(UnsafePath) as caught:
        diff.parse_patch(UNSAFE[name])
    assert caught.value.code == "unsafe-path"


@pytest.mark.parametrize(("mode", "code"), [("120000", "symlink"), ("160000", "submodule"), ("020000", "special-file")])
@pytest.mark.parametrize(
    "header", ["new file mode {}", "deleted file mode {}", "old mode 100644\nnew mode {}", "index 1234567..89abcde {}"]
)
def test_links_submodules_and_devices_have_codes_of_their_own(mode: str, code: str, header: str) -> None:
    text = f"diff --git a/x b/x\n{header.format(mode)}\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    with pytest.raises(UnsafePath) as caught:
        diff.parse_patch(text.encode())
    assert caught.value.code == code


def test_names_that_only_resemble_git_are_allowed() -> None:
    for path in (".gitignore", "x/.gitattributes", "git/x", "x.git/y", "..x/y", "x/...", ".github/z"):
        assert diff.parse_patch(of(f"b/{path}", old=f"a/{path}")).files[0].path == path


def test_fifty_megabytes_are_refused_at_once() -> None:
    data = b"--- a/m.c\n+++ b/m.c\n" + b"x" * 50_000_000
    started = time.process_time()
    with pytest.raises(TooLarge):
        diff.parse_series(data)
    assert time.process_time() - started < 1


def test_one_hunk_over_the_limit() -> None:
    hunks = "".join(f"@@ -{10 * n + 1} +{10 * n + 1} @@\n-a\n+b\n" for n in range(diff.MAX_HUNKS + 1))
    with pytest.raises(TooLarge):
        diff.parse_series(f"--- a/m.c\n+++ b/m.c\n{hunks}".encode())


HOSTILE = {
    "git lines": b"diff --git " + b" ://a b/" * 1_000_000 + b"\n",
    "many git lines": b"diff --git a/x b/x\n" * 400_000,
    "one long line": b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-" + b"@" * 9_000_000 + b"\n",
    "quotes": b'diff --git "' + b"\\" * 9_000_000 + b"\n",
    "quoted name": b'--- "a/' + b'\\"' * 4_000_000 + b"\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "spaces in a name": b"--- a/x" + b" " * 9_000_000 + b"y\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "dates in a name": b"--- a/x" + b" 2012-01-01 00:00" * 500_000 + b"y\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "headers": b"Subject: x\n" + b" y\n" * 499_000,
    "tags": b"Subject: " + b"[x] " * 2_000_000 + b"\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "binary lines": b"Binary files " + b" and " * 1_800_000 + b"\n",
    "mbox lines": b"From a " + b" 2001" * 1_800_000 + b"\n",
    "newlines": b"\n" * 9_000_000,
    "as many lines as are allowed": b"Index: x\n" * 499_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?x?= " * 600_000 + b"\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nine_hostile_megabytes_take_seconds_at_most(name: str) -> None:
    started = time.process_time()
    with contextlib.suppress(MalformedPatch):
        diff.parse_series(HOSTILE[name])
    assert time.process_time() - started < 8
