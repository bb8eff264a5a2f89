"""`manage.py bench_room` and `bench_upload` on something small: what they say they did is asked of the database."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pygit2
import pytest
from django.core.management import CommandError, call_command

from backports.bench import room
from backports.git.runner import run_git
from backports.models import Backport, BackportVersion, Comment
from tests import factories

WHO = pygit2.Signature("Security Engineer One", "one@example.org", 1_300_000_000, 60)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, committed_db: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    monkeypatch.setattr(room, "BRANCHES", 3)
    monkeypatch.setattr(room, "ORGANISATIONS", 2)


def told(command: str, *args: object, **options: object) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out, **options)
    return out.getvalue()


@pytest.mark.usefixtures("small")
def test_the_pages_of_a_room_are_asked_for_by_one_of_its_members() -> None:
    out = told("bench_room", backports=4, versions=2, comments=8, runs=2)
    assert "4 backports, 2 versions each, 8 comments" in out
    assert (Backport.objects.count(), BackportVersion.objects.count()) == (5, 9)
    assert Comment.objects.filter(backport=None).count() == 8
    asked = dict(re.findall(r"^(.{34}) +\d+ ms +\d+ ms +(\d+) ", out, re.MULTILINE))
    assert len(asked) == 7
    glossary, room_itself, *_ = asked.values()
    assert int(glossary) < int(room_itself)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("command", ["bench_room", "bench_upload"])
def test_they_measure_on_nobodys_data(command: str, tmp_path: Path) -> None:
    factories.attempt(factories.advisory(1), factories.branch(factories.repository()))
    with pytest.raises(CommandError, match="not-empty"):
        told(command, *([tmp_path] if command == "bench_upload" else []))


def lines(first: int, changed: tuple[int, ...]) -> bytes:
    """A file of forty lines, some of them changed."""
    return b"".join(b"line %d%s\n" % (at, b" changed" if at in changed else b"") for at in range(first, first + 40))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A stable branch whose last two commits can be applied by themselves, but for the later one's end."""
    path = tmp_path / "xen.git"
    repo = pygit2.init_repository(str(path), bare=True)
    parents: list[Any] = []
    for at, changed in enumerate([(), (3,), (3, 30)]):
        index = pygit2.Index()
        blob = repo.create_blob(lines(0, changed))
        index.add(pygit2.IndexEntry("harbour.c", blob, pygit2.enums.FileMode.BLOB))
        tree = index.write_tree(repo)
        parents = [repo.create_commit(None, WHO, WHO, f"Mend the harbour {at}\n", tree, parents)]
        if not at:
            repo.references.create("refs/heads/master", parents[0])
    repo.references.create("refs/heads/stable-4.17", parents[0])
    return path


@pytest.mark.usefixtures("small")
def test_real_commits_are_uploaded_and_mailed(clone: Path) -> None:
    before = run_git(["for-each-ref"], git_dir=clone)
    out = told("bench_upload", clone, branches=["4.17"], commits=2)
    assert "2 patches of" in out
    assert "\n2 applied\n" in out
    assert "git am applied 2 of 2" in out
    assert set(BackportVersion.objects.values_list("outcome", "backport__branch__name")) == {("applied", "4.17")}
    assert set(BackportVersion.objects.values_list("number", flat=True)) == {1}
    assert run_git(["for-each-ref"], git_dir=clone) == before
