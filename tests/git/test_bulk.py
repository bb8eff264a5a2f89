"""How much is pushed: what would take all memory when it is written out is refused before."""

from __future__ import annotations

import resource
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from backports.git import pushed
from backports.git.bulk import MOST_ENTRIES, MOST_FILES, MOST_FOLDERS_DEEP, Bulk
from backports.git.errors import GitError
from backports.git.pushed import as_mails

WHO = pygit2.Signature("Fictional Member", "member@example.org", 1_700_000_000, 0)


@pytest.fixture
def repo(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(tmp_path / "room.git", bare=True)


def folder(repo: pygit2.Repository, **entries: pygit2.Oid) -> pygit2.Oid:
    builder = repo.TreeBuilder()
    for name, oid in entries.items():
        builder.insert(name, oid, FileMode.TREE if isinstance(repo[oid], pygit2.Tree) else FileMode.BLOB)
    return builder.write()


def nested(repo: pygit2.Repository, inner: pygit2.Oid, depth: int, wide: int) -> pygit2.Oid:
    for _ in range(depth):
        inner = folder(repo, **{f"n{at}": inner for at in range(wide)})
    return inner


def committed(repo: pygit2.Repository, tree: pygit2.Oid, *parents: pygit2.Oid) -> str:
    before = list(parents) or [repo.create_commit(None, WHO, WHO, "empty", folder(repo), [])]
    return str(repo.create_commit(None, WHO, WHO, "table: check what is picked\n", tree, before))


def code_of(repo: pygit2.Repository, *oids: str) -> str:
    with pytest.raises(GitError) as caught:
        as_mails(Path(repo.path), oids)
    return caught.value.code


def test_a_milliard_of_files_in_a_few_objects(repo: pygit2.Repository) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bomb = nested(repo, repo.create_blob(b"x\n"), depth=9, wide=10)
    assert code_of(repo, committed(repo, bomb)) == "too-large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_a_bomb_that_is_taken_away_again(repo: pygit2.Repository) -> None:
    bomb = repo.create_commit(None, WHO, WHO, "x", nested(repo, repo.create_blob(b"x\n"), depth=9, wide=10), [])
    assert code_of(repo, committed(repo, folder(repo), bomb)) == "too-large"


def test_folders_in_folders_without_end(repo: pygit2.Repository) -> None:
    blob = repo.create_blob(b"x\n")
    assert code_of(repo, committed(repo, nested(repo, blob, depth=MOST_FOLDERS_DEEP + 2, wide=1))) == "too-large"
    assert len(as_mails(Path(repo.path), [committed(repo, nested(repo, blob, depth=MOST_FOLDERS_DEEP, wide=1))])) == 1


def test_the_files_of_all_commits_count(repo: pygit2.Repository) -> None:
    half = MOST_FILES // 2 + 1
    one, other = (
        folder(repo, **dict.fromkeys((f"n{at}" for at in range(half)), repo.create_blob(text)))
        for text in (b"x\n", b"y\n")
    )
    first = repo.create_commit(None, WHO, WHO, "x", one, [])
    bulk = Bulk(repo)
    bulk.add(repo[first])
    with pytest.raises(GitError, match=str(MOST_FILES)):
        bulk.add(repo[committed(repo, other, first)])


def test_what_stays_in_a_large_tree_is_not_counted(repo: pygit2.Repository) -> None:
    large = nested(repo, repo.create_blob(b"x\n"), depth=4, wide=12)
    first = repo.create_commit(None, WHO, WHO, "x", folder(repo, large=large), [])
    assert MOST_FILES < 12**4
    fix = folder(repo, large=large, table=repo.create_blob(b"check\n"))
    (mail,) = as_mails(Path(repo.path), [committed(repo, fix, first)])
    assert b"+check" in mail


def test_one_file_of_great_length(repo: pygit2.Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    long = folder(repo, **dict.fromkeys((f"n{at}" for at in range(40)), repo.create_blob(b"x" * 4_000_000)))
    assert code_of(repo, committed(repo, long)) == "too-large"
    monkeypatch.setattr(pushed, "MAILS_BYTES", 100)
    assert code_of(repo, committed(repo, folder(repo, table=repo.create_blob(b"x\n" * 100)))) == "too-large"


def test_a_folder_that_is_compared_again_and_again(repo: pygit2.Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ENTRIES > MOST_FILES
    monkeypatch.setattr("backports.git.bulk.MOST_ENTRIES", 10)
    wide = folder(repo, **dict.fromkeys((f"n{at}" for at in range(11)), repo.create_blob(b"x\n")))
    assert code_of(repo, committed(repo, wide)) == "too-large"
