"""Mirrors: whole or not at all, only heads and tags, and the branches that they show."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backports.git import mirror
from backports.git.errors import GitError
from backports.git.mirror import Moved, branches, create_mirror, fetch_mirror, source_of, version_key
from backports.git.runner import run_git


@pytest.fixture
def upstream(project):
    first = project.commit("first")
    for name in ("stable-4.0", "stable-4.2", "stable-4.10", "staging", "stable-4.x", "experiment"):
        project.branch(name, first)
    fixed = project.commit("fix", branch="stable-4.2")
    project.tag("RELEASE-4.2.0", first)
    project.tag("RELEASE-4.2.1", fixed)
    project.tag("RELEASE-4.2.1-rc1", fixed)
    project.repo.references.create("refs/pull/1/head", first)
    project.repo.references.create("refs/embargoed/1", fixed)
    return project


@pytest.fixture
def mirrored(upstream, tmp_path: Path) -> Path:
    create_mirror(str(upstream.path), tmp_path / "git" / "mirror.git")
    return tmp_path / "git" / "mirror.git"


def test_a_mirror_has_heads_and_tags_and_nothing_else(mirrored: Path) -> None:
    refs = run_git(["for-each-ref", "--format=%(refname)"], git_dir=mirrored).decode().split()
    assert {ref.rsplit("/", 1)[0] for ref in refs} == {"refs/heads", "refs/tags"}
    assert len(refs) == 10


@pytest.fixture
def port(upstream) -> Iterator[int]:
    """A web server of this machine's that gives the repository's files."""
    run_git(["update-server-info"], git_dir=upstream.path)
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(upstream.path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_name_leads_to_the_machine_that_was_looked_at(port: int, tmp_path: Path) -> None:
    url, only = f"http://upstream.invalid:{port}/", f"upstream.invalid:{port}:127.0.0.1"
    with pytest.raises(GitError) as caught:
        create_mirror(url, tmp_path / "other.git")
    assert caught.value.code == "unreachable"
    create_mirror(url, tmp_path / "mirror.git", only=only)
    assert branches(tmp_path / "mirror.git")
    with pytest.raises(GitError):
        fetch_mirror(tmp_path / "mirror.git")
    assert fetch_mirror(tmp_path / "mirror.git", only=only) == []


def test_a_mirror_lives_on_without_its_source(mirrored: Path, upstream) -> None:
    upstream.path.rename(upstream.path.with_name("gone"))
    run_git(["fsck", "--full"], git_dir=mirrored)
    assert not (mirrored / "objects" / "info" / "alternates").exists()


def test_branches_are_sorted_by_number_with_master_and_staging_last(mirrored: Path) -> None:
    assert [tip.name for tip in branches(mirrored)] == ["4.0", "4.2", "4.10", "master", "staging"]


def test_a_tip_tells_its_commit_date_and_last_release(mirrored: Path, upstream) -> None:
    tip = next(tip for tip in branches(mirrored) if tip.name == "4.2")
    assert tip.ref == "refs/heads/stable-4.2"
    assert tip.oid == str(upstream.repo.references["refs/heads/stable-4.2"].target)
    assert tip.tip_date == datetime.fromtimestamp(1_300_000_000 + 7200, UTC)
    assert tip.release_tag == "RELEASE-4.2.1"


def test_a_release_of_another_branch_is_not_this_ones(mirrored: Path) -> None:
    assert {tip.name: tip.release_tag for tip in branches(mirrored) if tip.release_tag} == {"4.2": "RELEASE-4.2.1"}


def test_an_annotated_release_tag_counts_too(upstream, mirrored: Path) -> None:
    tip = str(upstream.repo.references["refs/heads/stable-4.10"].target)
    who = upstream.repo[tip].author
    upstream.repo.create_tag("RELEASE-4.10.0", tip, 1, who, "Release")
    fetch_mirror(mirrored)
    assert next(tip for tip in branches(mirrored) if tip.name == "4.10").release_tag == "RELEASE-4.10.0"


def test_version_keys_sort_numbers_as_numbers() -> None:
    names = ["staging", "4.10", "master", "4.2", "4.2.1", "other"]
    assert sorted(names, key=version_key) == ["4.2", "4.2.1", "4.10", "master", "staging", "other"]


def test_a_fetch_tells_what_moved_came_and_went(mirrored: Path, upstream) -> None:
    old = str(upstream.repo.references["refs/heads/master"].target)
    new = upstream.commit("more")
    upstream.branch("stable-4.11", new)
    upstream.repo.references.delete("refs/heads/experiment")
    assert fetch_mirror(mirrored) == [
        Moved("refs/heads/experiment", old, None),
        Moved("refs/heads/master", old, new),
        Moved("refs/heads/stable-4.11", None, new),
    ]
    assert fetch_mirror(mirrored) == []


def test_a_rewritten_branch_is_followed_and_its_old_commits_stay_readable(mirrored: Path, upstream) -> None:
    old = upstream.commit("will be rewritten")
    fetch_mirror(mirrored)
    upstream.repo.references.create("refs/heads/master", upstream.repo[old].parent_ids[0], force=True)
    new = upstream.commit("instead")
    assert fetch_mirror(mirrored) == [Moved("refs/heads/master", old, new)]
    assert run_git(["cat-file", "-t", old], git_dir=mirrored) == b"commit\n"


def test_a_moved_tag_is_followed(mirrored: Path, upstream) -> None:
    new = upstream.commit("more")
    upstream.repo.references.create("refs/tags/RELEASE-4.2.0", new, force=True)
    assert [moved.ref for moved in fetch_mirror(mirrored)] == ["refs/heads/master", "refs/tags/RELEASE-4.2.0"]


def test_a_folder_that_is_no_repository_leaves_nothing_behind(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "git" / "mirror.git"
    source.mkdir()
    with pytest.raises(GitError) as caught:
        create_mirror(str(source), target)
    assert caught.value.code == "not-a-repository"
    assert [path.name for path in target.parent.iterdir()] == [".mirror.git.lock"]


def test_an_empty_repository_is_said_to_be_empty(project, tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        create_mirror(str(project.path), tmp_path / "mirror.git")
    assert caught.value.code == "empty-repository"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("--upload-pack=touch pwned", "bad-name"),
        ("ext::sh -c touch% pwned", "bad-url"),
        ("gopher://example.org/x", "bad-url"),
        ("/nowhere/at/all", "not-a-repository"),
        ("", "bad-name"),
        ("http://127.0.0.1:1/me:secret/x.git", "unreachable"),
    ],
)
def test_an_address_that_cannot_be_is_refused(address: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        create_mirror(address, tmp_path / "mirror.git")
    assert caught.value.code == code
    assert not (tmp_path / "mirror.git").exists()


def test_a_password_in_the_address_is_never_shown(tmp_path: Path, upstream, mirrored: Path) -> None:
    with pytest.raises(GitError) as caught:
        create_mirror("http://me:secret@127.0.0.1:1/x.git", tmp_path / "other.git")
    assert "secret" not in caught.value.sentence
    run_git(["config", "remote.origin.url", "https://me:secret@example.org/x.git"], git_dir=mirrored)
    assert source_of(mirrored) == "https://example.org/x.git"


def test_a_second_mirror_at_the_same_place_is_refused(mirrored: Path, upstream) -> None:
    with pytest.raises(GitError) as caught:
        create_mirror(str(upstream.path), mirrored)
    assert caught.value.code == "exists"


def test_what_a_killed_mirroring_left_is_cleared_away(upstream, tmp_path: Path) -> None:
    left_over = tmp_path / ".mirror.git.abc.partial"
    left_over.mkdir()
    create_mirror(str(upstream.path), tmp_path / "mirror.git")
    assert not left_over.exists()


def test_two_fetches_at_once_are_one_too_many(mirrored: Path) -> None:
    with (mirrored.parent / f".{mirrored.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(GitError) as caught:
            fetch_mirror(mirrored)
    assert caught.value.code == "busy"
    assert fetch_mirror(mirrored) == []


def test_a_killed_fetchs_lock_does_not_stop_the_next_for_ever(mirrored: Path, upstream) -> None:
    lock = mirrored / "packed-refs.lock"
    lock.touch()
    long_ago = time.time() - mirror.STALE_LOCK_SECONDS - 1
    os.utime(lock, (long_ago, long_ago))
    new = upstream.commit("more")
    assert [moved.new for moved in fetch_mirror(mirrored)] == [new]


def test_a_mirror_that_is_not_there_is_named_so(tmp_path: Path) -> None:
    for act in (fetch_mirror, branches):
        with pytest.raises(GitError) as caught:
            act(tmp_path / "nowhere.git")
        assert caught.value.code == "not-a-repository"
