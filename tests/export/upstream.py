"""One change to one file as different tools write it, and git to take it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOM = "Example Room <room@example.org>"
BEFORE = b"int add(void)\n{\n    heap[n] = t;\n    return 0;\n}\n"
FIXED = b"int add(void)\n{\n    if ( n >= limit )\n        return 1;\n    heap[n] = t;\n    return 0;\n}\n"
_HUNK = b"""@@ -1,5 +1,7 @@
 int add(void)
 {
+    if ( n >= limit )
+        return 1;
     heap[n] = t;
     return 0;
 }
"""
_NAMES = b"--- a/xen/timer.c\n+++ b/xen/timer.c\n"
_WORDS = b"timer: do not write behind the heap\n"
_BODY = b"\nGuests decide how many.\n\nThis is XSA-909.\n\nSigned-off-by: An Author <author@upstream.example>\n\n"
_FROM = b"From: An Author <author@upstream.example>\n"

FILES = {
    "format-patch.patch": b"From " + b"1" * 40 + b" Mon Sep 17 00:00:00 2001\n" + _FROM
    + b"Date: Mon, 2 Mar 2026 10:00:00 +0000\nSubject: [PATCH] " + _WORDS + _BODY
    + b"---\n\ndiff --git a/xen/timer.c b/xen/timer.c\n" + _NAMES + _HUNK + b"-- \n2.39\n\n",
    "headers.patch": _FROM + b"Subject: " + _WORDS + _BODY + _NAMES + _HUNK,
    "quilt.patch": _FROM + b"Subject: " + _WORDS + _BODY + b"Index: toy/xen/timer.c\n" + b"=" * 67
    + b"\n--- toy.orig/xen/timer.c\n+++ toy/xen/timer.c\n" + _HUNK,
    "p0.patch": _FROM + b"Subject: " + _WORDS + _BODY + b"--- xen/timer.c.orig\n+++ xen/timer.c\n" + _HUNK,
    "mercurial.patch": b"# HG changeset patch\n# User \xc3\x9cnal Author <author@upstream.example>\n"
     b"# Date 1772445600 0\n\n" + _WORDS + _BODY + b"diff -r 0123456789ab -r ba9876543210 xen/timer.c\n"
    + b"--- a/xen/timer.c\tMon Mar 02 10:00:00 2026 +0000\n+++ b/xen/timer.c\tMon Mar 02 10:00:00 2026 +0000\n" + _HUNK,
    "text.patch": _WORDS + _BODY + _NAMES + _HUNK,
    "latin.patch": _WORDS + b"\nGr\xfc\xdfe.\n" + _BODY + _NAMES + _HUNK,
    "diff.patch": _NAMES + _HUNK,
}  # fmt: skip


def _git(folder: Path, *command: str, data: bytes = b"") -> bytes:
    who = {f"GIT_COMMITTER_{key}": value for key, value in (("NAME", "Reader"), ("EMAIL", "reader@example.org"))}
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", **who}
    env |= {key.replace("COMMITTER", "AUTHOR"): value for key, value in who.items()}
    done = subprocess.run(["git", *command], cwd=folder, env=env, input=data, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    return done.stdout


def repository(folder: Path) -> Path:
    """A repository with the file as it was."""
    (folder / "xen").mkdir(parents=True)
    (folder / "xen" / "timer.c").write_bytes(BEFORE)
    _git(folder, "init", "--quiet")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "--message", "begin")
    return folder


def am(tree: Path, mail: bytes) -> None:
    """`git am` of a saved mail or patch."""
    saved = tree.parent / "saved.patch"
    saved.write_bytes(mail)
    _git(tree, "am", "--quiet", str(saved))


def mailinfo(folder: Path, mail: bytes) -> dict[str, str]:
    """What git finds in it: `Author`, `Email`, `Subject`, and the `message`."""
    told = _git(folder, "mailinfo", str(folder / "message"), str(folder / "patch"), data=mail).decode()
    found = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    return found | {"message": (folder / "message").read_text()}
