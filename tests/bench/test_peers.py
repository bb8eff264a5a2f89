"""Other tools on rows whose outcome is known for each of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pygit2
import pytest

from backports.bench import ladder_peers as peers
from backports.bench.ladder_corpus import Row, Task
from backports.bench.ladder_table import judge
from tests.bench.conftest import commit

BASE = b"".join(b"line %d\n" % number for number in range(1, 21))


@pytest.fixture
def store(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "peers.git"), bare=True)


def row_of(
    repo: pygit2.Repository,
    base: Mapping[str, bytes],
    source: Mapping[str, bytes],
    target: Mapping[str, bytes],
    expected: Mapping[str, bytes],
) -> Row:
    old = commit(repo, base, [], "base\n")
    new = commit(repo, source, [old], "fix\n")
    branch = commit(repo, target, [], "branch\n")
    return Row(Task((new,), branch), commit(repo, expected, [branch], "backport\n"), "4.1", "1")


def verdicts(repo: pygit2.Repository, row: Row) -> dict[str, str]:
    names = [name for name in peers.NAMES if name not in peers.missing()]
    with tempfile.TemporaryDirectory() as scratch:
        answers = peers.PeerRunner(Path(repo.path), names, Path(scratch)).run(row.task)
    return {name: judge(repo, row, answer.files) for name, answer in answers.items()}


def test_all_of_them_apply_what_only_moved(store: pygit2.Repository) -> None:
    fixed, above = BASE.replace(b"line 10\n", b"line ten\n"), b"new at the top\n"
    row = row_of(store, {"a.c": BASE}, {"a.c": fixed}, {"a.c": above + BASE}, {"a.c": above + fixed})
    found = verdicts(store, row)
    assert set(found.values()) == {"equal"}
    assert {peers.GIT_APPLY, peers.CHERRY_PICK, *peers.PATCH} <= set(found)


def test_only_fuzz_and_merges_forgive_another_line_in_the_context(store: pygit2.Repository) -> None:
    fixed = BASE.replace(b"line 10\n", b"line ten\n")
    old, done = (text.replace(b"line 8\n", b"line eight\n") for text in (BASE, fixed))
    row = row_of(store, {"a.c": BASE}, {"a.c": fixed}, {"a.c": old}, {"a.c": done})
    found = verdicts(store, row)
    assert (found[peers.GIT_APPLY], found["patch -F0"]) == ("none", "none")
    assert (found["patch -F2"], found["patch -F3"], found[peers.CHERRY_PICK]) == ("equal", "equal", "equal")


def test_a_moved_file_is_followed_by_the_merge_alone(store: pygit2.Repository) -> None:
    fixed = BASE.replace(b"line 10\n", b"line ten\n")
    row = row_of(store, {"new/a.c": BASE}, {"new/a.c": fixed}, {"old/a.c": BASE}, {"old/a.c": fixed})
    found = verdicts(store, row)
    assert found.pop(peers.CHERRY_PICK) == "equal"
    assert set(found.values()) == {"none"}


def test_added_deleted_and_renamed_files_are_done_too(store: pygit2.Repository) -> None:
    base = {"a.c": BASE, "gone.c": b"gone\n" + BASE, "was.c": b"was\n" + BASE[::-1]}
    source = {"a.c": BASE, "added.c": b"added\n", "is.c": b"was\n" + BASE[::-1]}
    more = {"other.c": b"other\n"}
    row = row_of(store, base, source, base | more, source | more)
    assert set(verdicts(store, row).values()) == {"equal"}


def test_a_series_is_taken_whole_or_not_at_all(store: pygit2.Repository) -> None:
    first, both = BASE.replace(b"line 3\n", b"line three\n"), BASE.replace(b"line 3\n", b"line three\n") + b"end\n"
    base = commit(store, {"a.c": BASE}, [], "base\n")
    one = commit(store, {"a.c": first}, [base], "one\n")
    two = commit(store, {"a.c": both, "b.c": b"b\n"}, [one], "two\n")
    whole = commit(store, {"a.c": BASE}, [], "branch\n")
    row = Row(Task((one, two), whole), commit(store, {"a.c": both, "b.c": b"b\n"}, [whole], "all\n"), "4.1", "1")
    assert set(verdicts(store, row).values()) == {"equal"}
    taken = commit(store, {"a.c": BASE, "b.c": b"other\n"}, [], "branch\n")
    row = Row(Task((one, two), taken), row.expected, "4.1", "1")
    assert set(verdicts(store, row).values()) == {"none"}


def test_a_missing_tool_is_left_out_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.which
    monkeypatch.setattr(peers.shutil, "which", lambda name: None if name == "wiggle" else found(name))
    assert "apt-get install wiggle" in peers.missing()[peers.WIGGLE]
    assert "patch -F2" not in peers.missing()
