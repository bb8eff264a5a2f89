"""The pass that puts every fix on the fixed tree, and twice on the target."""

from __future__ import annotations

from pathlib import Path

import pygit2

from backports.bench.ladder_again import Again, AgainRunner, again_table, again_tasks, heads
from backports.bench.ladder_corpus import Row, Task
from backports.bench.ladder_reach import Reach
from tests.bench.conftest import Bench, commit

BASE = b"".join(b"line %d\n" % number for number in range(1, 21))
FIXED = BASE.replace(b"line 10\n", b"line ten\n")


def tell(path: Path, rows: list[Row], scratch: Path) -> list[Again]:
    runner = AgainRunner(path, Reach.load(path, heads(rows)), scratch)
    return [runner.run(task) for task in again_tasks(rows, set())]


def test_what_is_fixed_is_told_and_what_never_applied_is_not_asked_twice(tmp_path: Path) -> None:
    repo = pygit2.init_repository(str(tmp_path / "a.git"), bare=True)
    base = commit(repo, {"a.c": BASE}, [], "base\n")
    source = commit(repo, {"a.c": FIXED}, [base], "fix\n")
    other = commit(repo, {"a.c": b"something else\n"}, [], "other\n")
    fixed_other = commit(repo, {"a.c": b"something else, mended\n"}, [other], "mended\n")
    rows = [Row(Task((source,), base), source, "4.1", "1"), Row(Task((source,), other), fixed_other, "4.1", "1")]
    first, second = tell(tmp_path / "a.git", rows, tmp_path)
    assert (first.fixed, first.twice) == ("already-applied", "already-applied")
    assert (second.fixed, second.twice) == ("conflict", "")
    assert second.as_json()["applied_twice"] is None
    table = list(again_table(rows, [first, second]))
    assert table[1].split() == ["all", "rows", "2", "50.0", "%", "1", "100.0", "%"]
    assert table[-1].split() == ["highest", "rung", "exact", "1", "100.0", "%", "1", "100.0", "%"]


def test_a_new_and_a_deleted_file_are_known_again(tmp_path: Path) -> None:
    repo = pygit2.init_repository(str(tmp_path / "a.git"), bare=True)
    base = commit(repo, {"a.c": BASE, "old.c": b"int old;\n", "b.c": BASE}, [], "base\n")
    source = commit(repo, {"a.c": FIXED, "new.c": b"int fresh;\n", "b.c": BASE}, [base], "fix\n")
    target = commit(repo, {"a.c": b"above\n" + BASE, "old.c": b"int old;\n"}, [], "target\n")
    expected = commit(repo, {"a.c": b"above\n" + FIXED, "new.c": b"int fresh;\n"}, [target], "backport\n")
    [told] = tell(tmp_path / "a.git", [Row(Task((source,), target), expected, "4.1", "1")], tmp_path)
    assert (told.fixed, told.twice) == ("already-applied", "already-applied")


def test_the_small_cases_are_known_again_when_they_apply(bench: Bench, tmp_path: Path) -> None:
    told = tell(bench.path, list(bench.rows), tmp_path)
    twice = [one.twice for one in told if one.twice]
    assert len(twice) >= 100
    assert twice.count("already-applied") >= 0.9 * len(twice)
    same = [one.fixed for one, case in zip(told, bench.cases, strict=True) if case.shape.kind in {"same", "offset"}]
    assert same.count("already-applied") >= 0.97 * len(same)
