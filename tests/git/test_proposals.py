"""A commit's change with some files written otherwise, as a patch that git takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from backports.git.errors import GitError
from backports.git.proposals import patch_with

BASE = {"a.c": b"one\ntwo\n", "b.c": b"b\n", "gone.c": b"gone\n"}
TIP = {"a.c": b"one\n2\n", "b.c": b"b\n", "new ä.c": b"new\n"}


@pytest.fixture
def repo(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "repo.git"), bare=True)


def commit(repo: pygit2.Repository, files: dict[str, bytes]) -> str:
    index = pygit2.Index()
    for name, data in files.items():
        index.add(pygit2.IndexEntry(name, repo.create_blob(data), FileMode.BLOB))
    one = pygit2.Signature("One", "one@example.org", 1, 0)
    return str(repo.create_commit(None, one, one, "files", index.write_tree(repo), []))


def applied(repo: pygit2.Repository, base: str, patch: bytes, folder: Path) -> dict[str, bytes]:
    """What plain git makes of the base's files."""
    folder.mkdir()
    for entry in repo[base].peel(pygit2.Tree):
        (folder / str(entry.name)).write_bytes(repo[entry.id].data)  # type: ignore[attr-defined]
    subprocess.run(["git", "apply", "-"], cwd=folder, input=patch, check=True)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_change_holds_added_and_deleted_files_and_what_is_written_otherwise(
    repo: pygit2.Repository, tmp_path: Path
) -> None:
    base, tip = commit(repo, BASE), commit(repo, TIP)
    patch = patch_with(repo, base, tip, {"a.c": b"one\nand a half\n", "b.c": b"b2\n"})
    assert applied(repo, base, patch, tmp_path / "work") == {
        "a.c": b"one\nand a half\n",
        "b.c": b"b2\n",
        "new ä.c": b"new\n",
    }


def test_a_file_put_back_is_no_change(repo: pygit2.Repository) -> None:
    base = commit(repo, BASE)
    tip = commit(repo, BASE | {"a.c": b"other\n"})
    assert patch_with(repo, base, tip, {"a.c": BASE["a.c"]}) == b""


def test_nothing_is_stored(repo: pygit2.Repository) -> None:
    base, tip = commit(repo, BASE), commit(repo, TIP)
    before = set(repo)
    patch_with(repo, base, tip, {"a.c": b"never kept\n"})
    assert set(repo) == before


def test_a_commit_that_is_gone_is_told(repo: pygit2.Repository) -> None:
    base = commit(repo, BASE)
    with pytest.raises(GitError) as caught:
        patch_with(repo, base, "12" * 20, {})
    assert caught.value.code == "no-such-commit"
