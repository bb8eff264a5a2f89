"""Rows that other people's corpora have: nothing in them may stop the bench."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pygit2
import pytest

from backports.bench.ladder_corpus import Row, Task, read_rows
from backports.bench.ladder_run import TooSlow, time_limit
from backports.git.runner import run_git
from tests.bench.conftest import commit
from tests.bench.test_command import results, run

BASE = b"".join(b"line %d\n" % number for number in range(1, 41))
HALF = BASE.replace(b"line 10\n", b"line ten\n")
WHOLE = HALF.replace(b"line 12\n", b"line twelve\n")
OLD = b"an older line\n"
HEAD = "source\ttarget\texpected\tbranch\tfrom\tgap\txsa\n"
NOWHERE = "4" * 40


@pytest.fixture
def store(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "odd.git"), bare=True)


def write(path: Path, *rows: tuple[str, str, str, str, str]) -> Path:
    text = "".join(f"{s}\t{t}\t{e}\t{branch}\tmaster\t{gap}\t-\n" for s, t, e, branch, gap in rows)
    path.write_text(HEAD + text)
    return path


def test_rows_of_every_odd_kind_are_told_and_the_others_still_run(store: pygit2.Repository, tmp_path: Path) -> None:
    root = commit(store, {"a.c": BASE}, [], "root\n")
    fix = commit(store, {"a.c": HALF}, [root], "fix\n")
    side = commit(store, {"a.c": BASE, "b.c": b"b\n"}, [root], "side\n")
    merge = commit(store, {"a.c": HALF, "b.c": b"b\n"}, [side, fix], "merge\n")
    nothing = commit(store, {"a.c": BASE}, [root], "nothing\n")
    target = commit(store, {"a.c": OLD + BASE}, [], "a distribution's tree\n")
    expected = commit(store, {"a.c": OLD + HALF}, [target], "its backport\n")
    blob = str(store[target].peel(pygit2.Commit).tree["a.c"].id)
    sources = [fix, root, merge, nothing, NOWHERE, f"{fix},{NOWHERE}", "", blob, "v4.1", fix[:12], fix, fix]
    answers = [expected] * 10 + [NOWHERE, "-"]
    rows = [(source, target, answer, "debian/4.14", "-") for source, answer in zip(sources, answers, strict=True)]
    rows.append((fix, NOWHERE, expected, "4.14", "0"))
    out = tmp_path / "out.jsonl"
    corpus = write(tmp_path / "odd.tsv", *rows)
    done = run(str(corpus), "--repository", str(tmp_path / "odd.git"), "--out", str(out), "--again", "--peers")
    found = results(out)
    assert [one["outcome"] for one in found][:2] == ["applied", "error"]
    assert [one["problem"] for one in found if one["outcome"] == "error"][:2] == ["no-base", "merge-commit"]
    assert [one["outcome"] for one in found][-3:] == ["applied", "applied", "error"]
    assert all(one["files"] is None and one["confidence"] is None for one in found if one["outcome"] == "error")
    assert "distance unknown" in done.stdout
    assert "nearest, other branches" in done.stdout
    assert len(results(out.with_suffix(".again.jsonl"))) == len(rows)
    assert "Traceback" not in done.stderr


def test_a_series_of_several_commits_with_others_between_them(store: pygit2.Repository, tmp_path: Path) -> None:
    root = commit(store, {"a.c": BASE}, [], "root\n")
    first = commit(store, {"a.c": HALF}, [root], "first half\n")
    between = commit(store, {"a.c": b"new\n" * 5 + HALF}, [first], "something else\n")
    second = commit(store, {"a.c": b"new\n" * 5 + WHOLE}, [between], "second half\n")
    target = commit(store, {"a.c": OLD + BASE}, [], "old\n")
    expected = commit(store, {"a.c": OLD + WHOLE}, [target], "both\n")
    out = tmp_path / "out.jsonl"
    corpus = write(tmp_path / "two.tsv", (f"{first}, {second}", target, expected, "4.14", "2"))
    done = run(str(corpus), "--repository", str(tmp_path / "odd.git"), "--out", str(out), "--again", "--peers")
    [one] = results(out)
    assert (one["source"], one["outcome"]) == (f"{first},{second}", "applied")
    assert one["files"] == {"a.c": str(store[expected].peel(pygit2.Commit).tree["a.c"].id)}
    assert results(out.with_suffix(".again.jsonl"))[0]["applied_twice"] == "already-applied"
    assert "100.0 %" in next(line for line in done.stdout.splitlines() if line.startswith("distance 2 and more"))


def test_a_shallow_clone_runs_the_rows_that_it_can(store: pygit2.Repository, tmp_path: Path) -> None:
    oldest = commit(store, {"a.c": b"oldest\n"}, [], "oldest\n")
    root = commit(store, {"a.c": BASE}, [oldest], "root\n")
    fix = commit(store, {"a.c": HALF}, [root], "fix\n")
    store.references.create("refs/heads/master", fix)
    shallow = tmp_path / "shallow.git"
    command = ["git", "clone", "-q", "--bare", "--depth=2", f"file://{store.path}", str(shallow)]
    subprocess.run(command, check=True)
    out = tmp_path / "out.jsonl"
    corpus = write(tmp_path / "s.tsv", (fix, root, fix, "4.14", "1"), (root, fix, fix, "4.14", "1"))
    run(str(corpus), "--repository", str(shallow), "--out", str(out), "--again", "--peers")
    assert [(one["outcome"], one.get("problem")) for one in results(out)] == [("applied", None), ("error", "no-base")]


def test_a_path_that_is_no_utf8_is_written_and_judged(store: pygit2.Repository, tmp_path: Path) -> None:
    def tree(data: bytes) -> pygit2.Oid:
        line = b"100644 blob %s\tcaf\xe9.c\0" % str(store.create_blob(data)).encode()
        return pygit2.Oid(hex=run_git(["mktree", "-z"], git_dir=store.path, input=line).strip().decode())

    who = pygit2.Signature("Security Engineer One", "one@example.org", 1_300_000_000, 60)
    root = store.create_commit(None, who, who, "root\n", tree(BASE), [])
    fix = str(store.create_commit(None, who, who, "fix\n", tree(HALF), [root]))
    out = tmp_path / "out.jsonl"
    corpus = write(tmp_path / "p.tsv", (fix, str(root), fix, "4.14", "1"))
    done = run(str(corpus), "--repository", str(tmp_path / "odd.git"), "--out", str(out), "--again", "--peers")
    [one] = results(out)
    assert list(one["files"]) == ["caf\udce9.c"]
    assert json.dumps(one).isascii()
    assert "100.0 %" in next(line for line in done.stdout.splitlines() if line.startswith("all rows"))


def test_the_index_of_identifiers_is_kept_where_it_is_asked_for(store: pygit2.Repository, tmp_path: Path) -> None:
    root = commit(store, {"a.c": BASE}, [], "root\n")
    fix = commit(store, {"a.c": HALF}, [root], "fix\n")
    corpus = write(tmp_path / "i.tsv", (fix, root, fix, "4.14", "1"))
    kept = tmp_path / "kept" / "index"
    arguments = (str(corpus), "--repository", str(tmp_path / "odd.git"), "--symbols", str(kept))
    run(*arguments, "--out", str(tmp_path / "1.jsonl"))
    sizes = {file.name: file.stat().st_size for file in kept.iterdir()}
    assert sizes
    run(*arguments, "--out", str(tmp_path / "2.jsonl"))
    assert {file.name: file.stat().st_size for file in kept.iterdir()} == sizes
    first, second = (results(tmp_path / name)[0]["files"] for name in ("1.jsonl", "2.jsonl"))
    assert first == second


@pytest.mark.parametrize(
    ("gap", "distance"),
    [("0", "0"), ("1", "1"), ("7", "2 and more"), ("master", "master"), ("-", "unknown"), ("", "unknown")],
)
def test_distances_that_no_branch_has(gap: str, distance: str) -> None:
    assert Row(Task(("a",), "b"), "c", "4.14", gap).distance == distance


def test_a_corpus_of_two_columns_has_rows(tmp_path: Path) -> None:
    (tmp_path / "c.tsv").write_text("source\ttarget\na\tb\n")
    [row] = read_rows(tmp_path / "c.tsv")
    assert (row.expected, row.distance, row.era) == ("", "unknown", "other branches")


def test_a_row_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(TooSlow), time_limit(0.05):
        while True:
            pass
