"""Whatever tool wrote a patch file, git takes it as a mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from backports.export.mailed import mailed
from tests.export.upstream import FILES, FIXED, ROOM, am, mailinfo, repository


@pytest.mark.parametrize("name", FILES)
def test_git_takes_it(tmp_path: Path, name: str) -> None:
    tree = repository(tmp_path / "tree")
    made = mailed(name, FILES[name], author=ROOM)
    told = mailinfo(tmp_path, made)
    assert told["Email"] in ("author@upstream.example", "room@example.org")
    assert told["Subject"]
    am(tree, made)
    assert (tree / "xen" / "timer.c").read_bytes() == FIXED


def test_what_the_patch_says_is_kept(tmp_path: Path) -> None:
    told = mailinfo(tmp_path, mailed("a.patch", FILES["mercurial.patch"], author=ROOM))
    assert (told["Author"], told["Email"]) == ("Ünal Author", "author@upstream.example")
    assert told["Subject"] == "timer: do not write behind the heap"
    told = mailinfo(tmp_path, mailed("a.patch", FILES["text.patch"], author=ROOM))
    assert (told["Author"], told["Subject"]) == ("An Author", "timer: do not write behind the heap")
    assert "Guests decide how many." in told["message"]
    told = mailinfo(tmp_path, mailed("xsa909-4.1.patch", FILES["diff.patch"], author=ROOM))
    assert (told["Email"], told["Subject"]) == ("room@example.org", "xsa909-4.1")


@pytest.mark.parametrize("name", ["format-patch.patch", "headers.patch", "quilt.patch"])
def test_what_is_a_mail_stays_byte_for_byte(name: str) -> None:
    assert mailed(name, FILES[name], author=ROOM) == FILES[name]


@pytest.mark.parametrize("data", [b"", b"no patch\n", b"--- a/x\n+++ b/x\n@@ broken\n", b"\xff\x00"])
def test_what_cannot_be_read_stays_too(data: bytes) -> None:
    assert mailed("x.patch", data, author=ROOM) == data
