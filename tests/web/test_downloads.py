"""Downloads are what they say: the bytes that came in, or mail that `git am` takes."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backports.engine.diff import parse_series
from backports.engine.ladder import apply_series
from backports.export.mbox import with_notes
from backports.git.results import commit_series, open_results
from backports.git.store import open_repository
from backports.git.tree import GitTree, diff_lines
from backports.models import Attempt, Branch
from backports.services.places import mirror_path, results_path
from backports.web import words
from tests import factories
from tests.web.conftest import World
from xsa.models import Advisory
from xsa.services.disclose import disclose

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Maintainer One",
    "GIT_AUTHOR_EMAIL": "one@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_NAME": "Maintainer One",
    "GIT_COMMITTER_EMAIL": "one@example.org",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
}
PATCH = b"""From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: Security Engineer One <one@example.org>
Date: Tue, 7 May 2024 12:00:00 +0000
Subject: [PATCH] %(name)s: check the length

Without this a guest reads beyond the end.
---
 %(name)s | 2 +-

diff --git a/%(name)s b/%(name)s
--- a/%(name)s
+++ b/%(name)s
@@ -3,3 +3,3 @@
 line 3
-line 4
+line 4, checked
 line 5
"""


def git(folder: Path, *args: str, data: bytes = b"") -> str:
    done = subprocess.run(
        ["git", *args], cwd=folder, input=data, env=ENVIRONMENT, capture_output=True, check=True, timeout=60
    )
    return done.stdout.decode().strip()


@pytest.fixture
def work(db: None, tmp_path: Path, settings: Any) -> Path:
    """A work tree with two files, and its mirror where the product keeps mirrors."""
    settings.GIT_ROOT = tmp_path / "git"
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "stable-4.11")
    for name in ("a.c", "b.c"):
        (folder / name).write_text("".join(f"line {number}\n" for number in range(1, 12)))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "begin")
    git(tmp_path, "clone", "-q", "--bare", "work", str(mirror_path("xen")))
    return folder


@pytest.fixture
def branch(work: Path) -> Branch:
    return factories.branch(factories.repository("xen"), "4.11", tip=git(work, "rev-parse", "HEAD"))


def applied(of: Advisory, branch: Branch, name: str, **columns: object) -> Attempt:
    """A real result: the ladder's, committed where the worker puts it."""
    patches = parse_series(PATCH.replace(b"%(name)s", name.encode()))
    result = apply_series(patches, GitTree(open_repository(mirror_path("xen")), branch.tip), differ=diff_lines)
    results = open_results(results_path("xen", of.number), mirror_path("xen"))
    oid = commit_series(results, branch.tip, result, "refs/attempts/test")
    return factories.attempt(of, branch, tip=branch.tip, seen_tip=branch.tip, result=oid, **columns)


def test_a_file_is_served_byte_for_byte_and_never_shown(world: World, anonymous: Client) -> None:
    answer = anonymous.get(f"/files/{world.known_file.pk}/raw")
    assert answer.content == b"known bytes \xff\r\n"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'attachment; filename="xsa456.patch"'
    assert "Cache-Control" not in answer


def test_git_am_takes_a_result(work: Path, branch: Branch, anonymous: Client) -> None:
    attempt = applied(factories.advisory(456), branch, "a.c")
    answer = anonymous.get(f"/attempts/{attempt.pk}/result.patch")
    assert answer["Content-Disposition"] == 'attachment; filename="xsa456-4.11.patch"'
    git(work, "am", "-q", data=answer.content)
    assert "line 4, checked" in (work / "a.c").read_text()
    assert (
        git(work, "log", "-1", "--format=%an <%ae> %s")
        == "Security Engineer One <one@example.org> a.c: check the length"
    )


def test_an_embargoed_result_says_so_and_git_am_drops_the_note(work: Path, branch: Branch, member: Client) -> None:
    attempt = applied(factories.advisory(777, disclosed=False), branch, "a.c")
    answer = member.get(f"/attempts/{attempt.pk}/result.patch")
    assert b"\n---\n# EMBARGOED: XSA-777 is not disclosed." in answer.content
    assert answer.content.splitlines()[1].startswith(b"X-Note: EMBARGOED: XSA-777 is not disclosed.")
    assert b"X-Note: " + words.DIFFERENT_PATCHES.encode() in answer.content.splitlines()[:5]
    assert answer["Cache-Control"] == "no-store, no-transform"
    git(work, "am", "-q", data=answer.content)
    assert "EMBARGOED" not in git(work, "log", "-1", "--format=%B")


def test_a_partial_result_is_named_so(work: Path, branch: Branch, anonymous: Client) -> None:
    columns = {"outcome": "partly-applied", "hunks_landed": 1, "hunks_total": 2}
    attempt = applied(factories.advisory(456), branch, "a.c", **columns)
    answer = anonymous.get(f"/attempts/{attempt.pk}/result.patch")
    assert 'filename="xsa456-4.11-partial.patch"' in answer["Content-Disposition"]
    assert b"# PARTIAL RESULT: 1 of 2 hunks landed." in answer.content


def test_the_upstream_fix_can_be_downloaded(work: Path, branch: Branch, anonymous: Client) -> None:
    (work / "a.c").write_text("fixed\n")
    git(work, "commit", "-qam", "a.c: fix")
    git(work, "push", "-q", str(mirror_path("xen")), "stable-4.11")
    oid = git(work, "rev-parse", "HEAD")
    row = factories.advisory(456)
    factories.upstream_fix(row, branch).__class__.objects.update(commits=[oid])
    attempt = factories.attempt(row, branch, "fixed-upstream", result=oid)
    git(work, "reset", "-q", "--hard", "HEAD^")
    git(work, "am", "-q", data=anonymous.get(f"/attempts/{attempt.pk}/result.patch").content)
    assert (work / "a.c").read_text() == "fixed\n"


def test_a_fix_that_was_found_in_the_repository_can_be_downloaded(
    work: Path, branch: Branch, anonymous: Client, member: Client
) -> None:
    (work / "a.c").write_text("fixed\n")
    git(work, "commit", "-qam", "a.c: fix")
    git(work, "push", "-q", str(mirror_path("xen")), "stable-4.11")
    oid = git(work, "rev-parse", "HEAD")
    known = factories.fix(factories.advisory(456), "4.11", commit=oid)
    secret = factories.fix(factories.advisory(777, disclosed=False), "4.11", commit=oid)
    for fix in (known, secret):
        fix.patches.update(repository="xen")
    assert f"/fixes/{known.pk}/fix.patch" in anonymous.get("/advisories/456/").content.decode()
    assert anonymous.get(f"/fixes/{secret.pk}/fix.patch").status_code == 404
    embargoed = member.get(f"/fixes/{secret.pk}/fix.patch")
    assert embargoed["Cache-Control"] == "no-store, no-transform"
    assert b"# EMBARGOED: XSA-777" in embargoed.content
    git(work, "reset", "-q", "--hard", "HEAD^")
    git(work, "am", "-q", data=anonymous.get(f"/fixes/{known.pk}/fix.patch").content)
    assert (work / "a.c").read_text() == "fixed\n"


def test_all_of_a_branch_comes_in_order_oldest_first(work: Path, branch: Branch, anonymous: Client) -> None:
    applied(factories.advisory(456), branch, "a.c")
    applied(factories.advisory(123), branch, "b.c", confidence="review")
    base = "/r/xen/branches/4.11/applied"
    high = anonymous.get(f"{base}.mbox").content
    assert b"a.c: check" in high
    assert b"b.c: check" not in high
    both = anonymous.get(f"{base}.mbox?confidence=review")
    assert both["Content-Disposition"] == 'attachment; filename="xen-4.11-applied-review.mbox"'
    git(work, "am", "-q", data=both.content)
    assert git(work, "log", "-2", "--format=%s").splitlines() == ["a.c: check the length", "b.c: check the length"]
    tar = anonymous.get(f"{base}.tar?confidence=review").content
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        names = ["0001-xsa123-4.11.patch", "0002-xsa456-4.11.patch", "series"]
        assert opened.getnames() == names
        series = opened.extractfile("series")
        assert series is not None
        assert series.read().decode().splitlines() == names[:2]


def test_embargoed_results_are_only_in_a_members_collection(
    work: Path, branch: Branch, anonymous: Client, member: Client
) -> None:
    applied(factories.advisory(456), branch, "a.c")
    applied(factories.advisory(777, disclosed=False), branch, "b.c")
    for suffix in ("mbox", "tar"):
        path = f"/r/xen/branches/4.11/applied.{suffix}"
        assert b"b.c" not in anonymous.get(path).content
        assert b"b.c" in member.get(path).content
        assert member.get(path)["Cache-Control"] == "no-store, no-transform"


def test_every_file_of_an_embargoed_advisory_says_at_its_top_what_may_be_deployed(
    work: Path, branch: Branch, world_with_files: Advisory, member: Client, anonymous: Client
) -> None:
    secret = world_with_files
    attempt = applied(secret, branch, "a.c")
    told = (b"EMBARGOED: XSA-777", words.DEPLOYMENT["nothing"].encode(), words.DIFFERENT_PATCHES.encode())
    for path in (f"/attempts/{attempt.pk}/result.patch", "/r/xen/branches/4.11/applied.mbox"):
        top = member.get(path).content.split(b"\nFrom: ")[0]
        assert all(one in top for one in told), path
    for path, first in (
        ("/r/xen/branches/4.11/applied.tar", "0001-xsa777-4.11.patch"),
        ("/advisories/777/files.tar", "xsa777/dir/_one.patch"),
    ):
        with tarfile.open(fileobj=io.BytesIO(member.get(path).content)) as opened:
            assert opened.getnames()[:2] == ["EMBARGOED.txt", first]
            notice = opened.extractfile("EMBARGOED.txt")
            assert notice is not None
            text = notice.read()
        assert all(one in text for one in told), path
    raw = member.get(f"/files/{secret.current.files.get().pk}/raw")
    assert raw.content == b"as it came in"
    assert all(one.decode() in raw["X-Embargo"] for one in told)
    disclose(None, advisory=secret, reason="test", at=factories.DAY)
    for path in ("/r/xen/branches/4.11/applied.mbox", "/r/xen/branches/4.11/applied.tar", "/advisories/777/files.tar"):
        answer = anonymous.get(path)
        assert answer.status_code == 200
        assert b"EMBARGOED" not in answer.content
        assert "X-Embargo" not in answer


@pytest.fixture
def world_with_files(db: None) -> Advisory:
    row = factories.advisory(777, disclosed=False, deployment="nothing")
    factories.patch_file(row, "../dir/$one.patch", b"as it came in")
    return row


def test_downloads_of_what_is_embargoed_need_a_fresh_second_factor(world: World, member: Client) -> None:
    session = member.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 1.0}]
    session.save()
    assert member.get("/advisories/777/").status_code == 200
    for path in (f"/files/{world.secret_file.pk}/raw", "/advisories/777/files.tar"):
        answer = member.get(path)
        assert answer.status_code == 302
        assert b"secret bytes" not in answer.content
    assert member.get(f"/files/{world.known_file.pk}/raw").status_code == 200


def test_a_result_on_top_of_an_embargoed_one_says_so(work: Path, branch: Branch, member: Client) -> None:
    factories.advisory(777, disclosed=False)
    attempt = applied(factories.advisory(456), branch, "a.c", outcome="needs-prerequisite", prerequisites=[777])
    answer = member.get(f"/attempts/{attempt.pk}/result.patch")
    assert b"EMBARGOED: XSA-777" in answer.content
    assert "XSA-777" in answer["X-Embargo"]
    assert answer["Cache-Control"] == "no-store, no-transform"


@pytest.mark.parametrize("query", ["confidence=low", "confidence=", "confidence=%00"])
def test_an_unknown_confidence_does_not_exist(work: Path, branch: Branch, anonymous: Client, query: str) -> None:
    applied(factories.advisory(456), branch, "a.c")
    assert anonymous.get(f"/r/xen/branches/4.11/applied.mbox?{query}").status_code == 404


def test_what_is_gone_from_disk_is_told_with_its_code(
    world: World, anonymous: Client, tmp_path: Path, settings: Any
) -> None:
    world.known_attempt.result = factories.OID
    world.known_attempt.save()
    settings.GIT_ROOT = tmp_path / "nowhere"
    answer = anonymous.get(f"/attempts/{world.known_attempt.pk}/result.patch")
    assert answer.status_code == 503
    assert b"mirror-missing" in answer.content
    assert str(tmp_path).encode() not in answer.content


@pytest.mark.parametrize(
    ("patch", "wanted"),
    [
        (b"Subject: a\n\nb\n---\n x | 1 +\n\ndiff --git a/x b/x\n", b"---\n# n\n\n x | 1 +\n\ndiff --git a/x b/x\n"),
        (b"Subject: a\n\nb\n\ndiff --git a/x b/x\n", b"\n---\n# n\n\ndiff --git a/x b/x\n"),
        (b"Subject: a\n\nb\n\n--- a/x\n+++ b/x\n", b"\n---\n# n\n\n--- a/x\n+++ b/x\n"),
        (b"Subject: a\n\nno diff\n", b"no diff\n---\n# n\n\n"),
    ],
)
def test_a_note_stands_where_git_am_no_longer_reads_the_message(patch: bytes, wanted: bytes) -> None:
    assert with_notes(patch, ["n"]).endswith(wanted)
    assert with_notes(patch, []) == patch
