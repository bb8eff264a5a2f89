"""What is taken away is applied again, by our own check and by the tools of those who take it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from backports.engine import intake
from backports.engine.diff import Patch, parse_series
from backports.engine.ladder import apply_series
from backports.export import again, manifest, mbox, series
from backports.export.dep3 import About, guarded
from backports.git.errors import GitError
from backports.git.results import commit_series, open_results
from backports.git.tree import GitTree
from tests.engine.helpers import SHOP, unified
from tests.git.conftest import Project

PATH = "lib/shop.c"
CHECK = SHOP.replace(
    b"        return -ENOENT;\n", b"        return -ENOENT;\n    if (count < 0)\n        return -EINVAL;\n"
)
LAST = CHECK.replace(b"used = 0;", b"used = 0; free(table);")
SCRIPT = b"#!/bin/sh\nexit 0\n"
MORE = (
    b"diff --git a/run.sh b/run.sh\nnew file mode 100755\nindex 0000000..1111111\n--- /dev/null\n+++ b/run.sh\n"
    b"@@ -0,0 +1,2 @@\n+#!/bin/sh\n+exit 0\n"
    b"diff --git a/docs/old b/docs/old\ndeleted file mode 100644\n--- a/docs/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n"
    b"diff --git a/docs/a b b/docs/new\nsimilarity index 100%\nrename from docs/a b\nrename to docs/new\n"
)
HOSTILE = b"""Why this is needed, with an example:

  --- a/lib/shop.c
  +++ b/lib/shop.c
  @@ -1 +1 @@
  -/* The shop keeps its stock in one table. */
  +oops

   Index: lib/shop.c
2c2
< x

This is XSA-500.
"""
ABOUT = About(500, "4.8", "backport, XSA-500 for 4.9", date(2026, 3, 1), "0123456789", ("One <one@example.org>",))
NOTES = ("EMBARGOED: XSA-500 is not disclosed.",)


class Taken:
    """A result of two patches with everything that a patch can do, and how to take it away."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.project = tmp_path, Project(tmp_path / "project.git")
        files = {PATH: SHOP, "docs/old": b"old\n", "docs/a b": b"words\n" * 9}
        self.base = self.project.commit("base", files)
        self.result = self._result(self._mail(b"shop: check", HOSTILE, unified(SHOP, CHECK) + MORE), tmp_path / "r.git")
        self.mails = mbox.series(self.result)
        self.patches = series.plain(self.result)

    def _mail(self, subject: bytes, body: bytes, diff: bytes) -> bytes:
        head = b"From 0 Mon Sep 17 00:00:00 2001\nFrom: =?UTF-8?q?Zo=C3=AB?= <one@example.org>\nSubject: [PATCH] "
        return head + subject + b"\n\n" + body + b"---\n\n" + diff

    def _result(self, first: bytes, path: Path) -> mbox.Result:
        parsed = parse_series(first)[0]
        patches = [*parse_series(self._mail(b"shop: free", b"", unified(CHECK, LAST)))]
        # Its message quotes a diff, so it cannot come by mail.
        first_patch = Patch(
            parse_series(unified(SHOP, CHECK) + MORE)[0].files, parsed.subject, HOSTILE.decode(), parsed.author
        )
        repo = open_results(path, self.project.path)
        made = apply_series([first_patch, *patches], GitTree(repo, self.base))
        tip = commit_series(repo, self.base, made, "refs/versions/1")
        return mbox.Result("xsa500-4.8", path, self.project.path, self.base, tip)

    def offered(self, kind: str) -> bytes:
        if kind == "quilt":
            return series.as_quilt(self.patches, "xsa500-4.8", ABOUT, NOTES)
        return series.as_p0(self.patches, NOTES) if kind == "p0" else mbox.as_mbox(self.mails, NOTES)

    def wanted(self) -> dict[str, tuple[bytes, bool]]:
        return {PATH: (LAST, False), "run.sh": (SCRIPT, True), "docs/new": (b"words\n" * 9, False)}

    def checkout(self) -> Path:
        """The base as a work tree."""
        tree = self.folder / "tree"
        run("git", "clone", "--quiet", str(self.project.path), str(tree), cwd=self.folder)
        return tree


def run(*command: str, cwd: Path, data: bytes = b"") -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LC_ALL": "C", "QUILT_PATCHES": "patches"}
    env |= {f"GIT_{who}_{what}": "one@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(command, cwd=cwd, input=data, capture_output=True, env=env, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return (done.stdout + done.stderr).decode()


def files_of(tree: Path) -> dict[str, tuple[bytes, bool]]:
    found = (path for path in tree.rglob("*") if path.is_file() and not {".git", ".pc", "patches"} & set(path.parts))
    return {str(path.relative_to(tree)): (path.read_bytes(), os.access(path, os.X_OK)) for path in found}


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    return Taken(tmp_path)


@pytest.mark.parametrize("kind", ["quilt", "p0", "mbox"])
def test_what_is_offered_leaves_the_result_again(taken: Taken, kind: str) -> None:
    data = taken.offered(kind)
    assert again.check(data, kind, taken.result) == str(
        open_results(taken.result.repository, taken.project.path)[taken.result.tip].tree.id
    )


@pytest.mark.parametrize("kind", ["quilt", "p0", "mbox"])
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"count < 0", b"count <  0", "other files"),
        (b" if (slot < 0)", b" if (slot > 0)", "not apply"),
        (b"@@ -", b"@@ x", "not|read"),
    ],
)
def test_what_was_damaged_on_its_way_is_not_given_out(
    taken: Taken, kind: str, old: bytes, new: bytes, why: str
) -> None:
    data = taken.offered(kind)
    if kind == "quilt":
        held = {one.name: one.data.replace(old, new) for one in intake.read("q.tar", data).patches}
        data = series.tarred([("patches/series", series.lines(name.partition("/")[2] for name in held)), *held.items()])
    with pytest.raises(GitError, match=why) as caught:
        again.check(data.replace(old, new) if kind != "quilt" else data, kind, taken.result)
    assert caught.value.code == "not-the-result"


def test_git_am_makes_the_result_of_the_mbox(taken: Taken) -> None:
    tree = taken.checkout()
    # The message that quotes a diff is the second reason for the notes: git am keeps all of it.
    run("git", "am", "-q", "--keep-cr", cwd=tree, data=taken.offered("mbox"))
    assert files_of(tree) == taken.wanted()


def test_patch_makes_the_result_of_the_p0_variant(taken: Taken) -> None:
    tree = taken.checkout()
    told = run("patch", "-p0", "--batch", cwd=tree, data=taken.offered("p0"))
    assert "offset" not in told and "fuzz" not in told
    assert files_of(tree) == taken.wanted()


def test_quilt_makes_the_result_of_the_quilt_tar(taken: Taken) -> None:
    assert shutil.which("quilt"), "tools/system-packages.sh installs quilt"
    tree = taken.checkout()
    with tarfile.open(fileobj=io.BytesIO(taken.offered("quilt"))) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian's Python 3.11 has none
        tar.extractall(tree)  # noqa: S202 - of our own making
    (tree / "EMBARGOED.txt").unlink()
    run("quilt", "push", "-a", "--fuzz=0", cwd=tree)
    assert files_of(tree) == taken.wanted()
    run("quilt", "pop", "-a", cwd=tree)
    assert files_of(tree) == {PATH: (SHOP, False), "docs/old": (b"old\n", False), "docs/a b": (b"words\n" * 9, False)}


def test_patch_makes_the_result_of_the_quilt_tar_in_its_order(taken: Taken) -> None:
    tree = taken.checkout()
    for one in intake.read("q.tar", taken.offered("quilt")).patches:
        run("patch", "-p1", "--batch", "--fuzz=0", cwd=tree, data=one.data)
    assert files_of(tree) == taken.wanted()


def test_a_quilt_tar_is_the_same_bytes_for_the_same_patches_and_comes_in_again(taken: Taken) -> None:
    assert taken.offered("quilt") == taken.offered("quilt")
    found = intake.read("xsa500.tar", taken.offered("quilt"))
    assert found.kind is intake.Kind.QUILT
    assert [one.name for one in found.patches] == ["patches/xsa500-4.8-01.patch", "patches/xsa500-4.8-02.patch"]
    assert [one.patch.files for one in found.patches] == [patch.files for patch in taken.patches]
    assert [one.patch.subject for one in found.patches] == ["shop: check", "shop: free"]


def test_the_dep3_header_is_as_debian_writes_it(taken: Taken) -> None:
    first = intake.read("q", taken.offered("quilt")).patches[0].data.decode()
    head = first.partition("---\n")[0] if "\n---\n" not in first else first[: first.index("\n---\n") + 1]
    assert head == (
        "Description: shop: check\n Why this is needed, with an example:\n .\n"
        " |   --- a/lib/shop.c\n |   +++ b/lib/shop.c\n |   @@ -1 +1 @@\n"
        "   -/* The shop keeps its stock in one table. */\n   +oops\n .\n"
        " |    Index: lib/shop.c\n | 2c2\n < x\n .\n This is XSA-500.\n"
        "Author: Zoë <one@example.org>\nOrigin: backport, XSA-500 for 4.9\nForwarded: not-needed\n"
        "Applied-Upstream: 0123456789\nReviewed-by: One <one@example.org>\nLast-Update: 2026-03-01\n"
        "X-Advisory: XSA-500\nX-Branch: 4.8\nX-Note: EMBARGOED: XSA-500 is not disclosed.\n"
    )


@pytest.mark.parametrize("line", ["--- a", "+++ b", "\t--- a", "*** a", "@@ -1 +1 @@", "diff a b", "Index: a", "3,4d5"])
def test_lines_that_look_like_a_diff_are_guarded(line: str) -> None:
    assert guarded(line) == f"| {line}"
    assert guarded(f"x {line}") == f"x {line}"


def test_a_subject_or_note_cannot_begin_a_field_of_its_own(taken: Taken) -> None:
    patch = Patch(
        taken.patches[1].files, "one\nOrigin: upstream, no", "a\r\nb\x1b[2J", "Zoë\nX-Evil: yes <a@example.org>"
    )
    about = About(500, "4.8\nX-Evil: yes", "vendor\nX-Evil: yes", date(2026, 3, 1))
    made = series.as_quilt([patch], "x", about, ["a\nX-Evil: yes"])
    head = intake.read("q", made).patches[0].data.partition(b"\n---\n")[0].decode()
    assert not [line for line in head.splitlines() if line.startswith("X-Evil")]
    assert head.count("\nOrigin: ") == 1
    assert "\x1b" not in head


def test_binary_parts_go_by_mail_only() -> None:
    binary = parse_series(b"diff --git a/x b/x\nindex 1111111..2222222\nGIT binary patch\nliteral 1\nIcmZQz\n\n")
    for offer in (lambda: series.as_quilt(binary, "x", ABOUT), lambda: series.as_p0(binary)):
        with pytest.raises(GitError) as caught:
            offer()
        assert caught.value.code == "binary-parts"


def test_the_manifest_tells_what_was_taken_and_is_the_same_for_the_same(taken: Taken) -> None:
    told = manifest.Series(
        advisory=500,
        branch="4.8",
        repository="xen",
        base=taken.base,
        tree="2" * 40,
        origin="XSA-500 for 4.9",
        verdict=manifest.Verdict("applied", "high", "offset", 3, 3),
        organisation="First Distribution",
        number=2,
        prerequisites=("XSA-499",),
        notes=NOTES,
        reviews=(manifest.Review("Second Distribution", "approve", datetime(2026, 3, 1, 12, tzinfo=UTC)),),
    )
    data = taken.offered("p0")
    made = manifest.as_json(told, "xsa500-4.8.p0.patch", "p0", data, taken.patches)
    assert made == manifest.as_json(told, "xsa500-4.8.p0.patch", "p0", data, taken.patches)
    facts = json.loads(made)
    assert facts["file"] == {
        "name": "xsa500-4.8.p0.patch",
        "kind": "p0",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert facts["branch"] == {"repository": "xen", "name": "4.8", "base": taken.base, "tree": "2" * 40}
    assert facts["backport"] == {"organisation": "First Distribution", "version": 2}
    assert facts["reviews"][0] == {
        "organisation": "Second Distribution",
        "verdict": "approve",
        "at": "2026-03-01T12:00:00Z",
        "stale": False,
        "signature": "",
    }
    assert [patch["files"] for patch in facts["patches"]] == [
        ["docs/a b", "docs/new", "docs/old", PATH, "run.sh"],
        [PATH],
    ]
    printed = run("git", "patch-id", "--stable", cwd=taken.folder, data=taken.mails[1])
    assert facts["patches"][1]["patch_id"] == printed.split()[0]
