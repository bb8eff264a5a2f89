"""What a row's engine can reach: the source, the target and their ancestors, and nothing of the answer."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pygit2
import pytest

from backports.bench.ladder_corpus import Row, Task, commits
from backports.bench.ladder_reach import Reach
from backports.bench.ladder_run import Runner
from backports.git.errors import GitError
from backports.git.runner import run_git
from backports.git.store import commit_at, open_repository
from backports.git.tree import GitTree
from tests.bench import cases
from tests.bench.conftest import Bench, commit, commit_case


def runner_for(path: Path, rows: Sequence[Row], scratch: Path) -> Runner:
    return Runner(path, Reach.load(path, commits(rows)), scratch)


@pytest.fixture
def row(bench: Bench) -> Row:
    """A row whose answer is in the store, with a file that nothing else has."""
    return next(row for row, case in zip(bench.rows, bench.cases, strict=True) if case.shape.kind == "extra")


@pytest.fixture
def answer(bench: Bench, row: Row) -> pygit2.Blob:
    """The blob that the maintainers committed."""
    repo = open_repository(bench.path)
    old, new = (commit_at(repo, oid).tree for oid in (row.task.target, row.expected))
    delta = next(iter(old.diff_to_tree(new).deltas))
    return repo[delta.new_file.id].peel(pygit2.Blob)


@pytest.fixture
def narrow(bench: Bench, row: Row, tmp_path: Path) -> pygit2.Repository:
    """All that the row's engine gets, in a bench that runs all the other rows too."""
    return runner_for(bench.path, bench.rows, tmp_path).repository(row.task)


def test_the_answer_is_in_the_store_and_not_in_the_rows_repository(
    bench: Bench, row: Row, answer: pygit2.Blob, narrow: pygit2.Repository
) -> None:
    wide = open_repository(bench.path)
    for oid in (str(answer.id), str(answer.id)[:12], row.expected, row.expected[:12]):
        assert wide.get(oid) is not None
        assert narrow.get(oid) is None
        assert oid not in narrow
    for oid in (str(answer.id), row.expected, str(commit_at(wide, row.expected).tree.id)):
        with pytest.raises(KeyError):
            narrow.odb.read(oid)
        with pytest.raises(KeyError):
            narrow.odb.read_header(oid)


def test_the_ladders_own_reader_finds_no_blob_of_the_answer(
    bench: Bench, row: Row, answer: pygit2.Blob, narrow: pygit2.Repository
) -> None:
    wide = GitTree(open_repository(bench.path), row.task.target)
    tree = GitTree(narrow, row.task.target)
    for oid in (str(answer.id), str(answer.id)[:7], str(answer.id)[:9]):
        assert wide.blob(oid) is not None
        assert tree.blob(oid) is None
    with pytest.raises(GitError):
        GitTree(narrow, row.expected)


def test_source_target_and_what_is_behind_them_can_be_read(row: Row, narrow: pygit2.Repository) -> None:
    for oid in (*row.task.sources, row.task.target):
        found = commit_at(narrow, oid)
        assert narrow.get(oid[:12]) == found
        for entry in found.tree:
            assert narrow.get(str(entry.id)) is not None
    parent = commit_at(narrow, row.task.sources[0]).parents[0]
    assert [str(one.id) for one in narrow.walk(row.task.sources[0])] == [row.task.sources[0], str(parent.id)]


def test_nothing_else_hangs_on_the_rows_repository(narrow: pygit2.Repository) -> None:
    assert list(narrow.references) == []
    assert list(narrow) == []
    assert run_git(["count-objects", "-v"], git_dir=narrow.path).startswith(b"count: 0\n")
    assert run_git(["rev-list", "--all"], git_dir=narrow.path) == b""
    assert not (Path(narrow.path) / "objects" / "info" / "alternates").exists()


def test_nothing_can_be_written_for_the_next_row_to_find(narrow: pygit2.Repository) -> None:
    with pytest.raises((AttributeError, pygit2.GitError)):
        narrow.create_blob(b"for the next row\n")


def test_other_rows_commits_stay_out_of_sight(bench: Bench, row: Row, narrow: pygit2.Repository) -> None:
    others = {oid for other in bench.rows for oid in (*other.task.sources, other.task.target)}
    others -= {*row.task.sources, row.task.target}
    assert others
    assert not [oid for oid in others if narrow.get(oid) is not None]


def test_a_blob_that_both_an_ancestor_and_the_answer_hold_can_be_seen(tmp_path: Path) -> None:
    """Reverting to an old state is known history, not a look at the answer."""
    repo = pygit2.init_repository(str(tmp_path / "a.git"), bare=True)
    old = commit(repo, {"a.c": b"old\n"}, [], "one\n")
    target = commit(repo, {"a.c": b"new\n"}, [old], "two\n")
    source = commit(repo, {"a.c": b"fix\n"}, [target], "three\n")
    answer = commit(repo, {"a.c": b"old\n", "b.c": b"secret\n"}, [target], "four\n")
    row = Row(Task((source,), target), answer, "4.1", "1")
    narrow = runner_for(tmp_path / "a.git", [row], tmp_path).repository(row.task)
    tree = repo[answer].peel(pygit2.Commit).tree
    assert narrow[tree["a.c"].id].data == b"old\n"
    assert narrow.get(tree["b.c"].id) is None
    assert narrow.get(tree.id) is None


def test_what_a_merge_brought_in_counts_as_its_history(tmp_path: Path) -> None:
    repo = pygit2.init_repository(str(tmp_path / "m.git"), bare=True)
    root = commit(repo, {"a.c": b"a\n"}, [], "root\n")
    left = commit(repo, {"a.c": b"left\n"}, [root], "left\n")
    right = commit(repo, {"a.c": b"a\n", "dir/b.c": b"right\n"}, [root], "right\n")
    merge = commit(repo, {"a.c": b"left, then right\n", "dir/b.c": b"right\n"}, [left, right], "merge\n")
    tip = commit(repo, {"a.c": b"left, then right\n"}, [merge], "without b\n")
    late = commit(repo, {"a.c": b"late\n"}, [tip], "late\n")
    reach = Reach.load(tmp_path / "m.git", [tip, right])
    assert seen(reach, [tip], repo) == objects_of(tmp_path / "m.git", tip)
    assert seen(reach, [right], repo) == objects_of(tmp_path / "m.git", right)
    assert late not in seen(reach, [tip], repo)


def test_sight_is_what_git_itself_counts_as_reachable(bench: Bench) -> None:
    reach = Reach.load(bench.path, commits(bench.rows))
    repo = open_repository(bench.path)
    for row in list(bench.rows)[::50]:
        heads = [*row.task.sources, row.task.target]
        assert seen(reach, heads, repo) == objects_of(bench.path, *heads)


def seen(reach: Reach, heads: list[str], repo: pygit2.Repository) -> set[str]:
    bits = reach.bits(heads)
    return {str(oid) for oid in repo if reach.sees(bits, oid.raw)}


def objects_of(path: Path, *heads: str) -> set[str]:
    command = ["git", f"--git-dir={path}", "rev-list", "--objects", "--no-object-names", *heads]
    return set(subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())


def test_a_patch_that_names_the_answers_blob_gains_nothing_by_it(tmp_path: Path) -> None:
    """The same source, with the answer in the store and without it, gives the same to the byte."""
    with_answer = pygit2.init_repository(str(tmp_path / "with.git"), bare=True)
    without = pygit2.init_repository(str(tmp_path / "without.git"), bare=True)
    case = cases.of_kind("rewritten")
    row = commit_case(with_answer, case)
    for files, parents in ((case.base, []), (case.target, [])):
        commit(without, files, parents, "Keep the harbour\n" if files is case.base else "Keep the old harbour\n")
    base = str(commit_at(with_answer, row.task.sources[0]).parents[0].id)
    assert commit(without, case.source, [base], "Mend the harbour\n") == row.task.sources[0]
    answers = [runner_for(tmp_path / name, [row], tmp_path).run(row.task) for name in ("with.git", "without.git")]
    first, second = ({**answer.as_json(), "ms": 0, "cpu_ms": 0, "index_ms": 0} for answer in answers)
    assert first == second


def test_a_row_gives_the_same_alone_as_after_all_others(bench: Bench, tmp_path: Path) -> None:
    """Caches of a process hold nothing that helps the next row."""
    rows = list(bench.rows)[::10]
    warm = runner_for(bench.path, bench.rows, tmp_path)
    for row in bench.rows:
        warm.run(row.task)
    for row in rows:
        alone, late = runner_for(bench.path, [row], tmp_path).run(row.task), warm.run(row.task)
        assert (alone.outcome, alone.files, alone.confidence) == (late.outcome, late.files, late.confidence)
