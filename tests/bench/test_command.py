"""`manage.py bench_ladder` as a person runs it: no database, one object a row, a table."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backports.bench.ladder_corpus import BadCorpus, nearest, read_rows
from backports.bench.ladder_table import judge
from backports.git.store import open_repository
from tests.bench.conftest import Bench

ROOT = Path(__file__).resolve().parent.parent.parent
CORPORA = ROOT / "tests" / "data" / "corpus"


def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "DATA": "/nonexistent"}
    command = [sys.executable, "manage.py", "bench_ladder", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def results(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_two_processes_give_what_one_gives_in_the_order_of_the_corpus(bench: Bench, tmp_path: Path) -> None:
    corpus = bench.write_corpus(tmp_path / "cases.tsv")
    found = []
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.jsonl"
        arguments = (str(corpus), "--repository", str(bench.path), "--out", str(out), "--jobs", jobs, "--limit", "40")
        done = run(*arguments)
        assert "40 of 40 rows" in done.stderr
        found.append([{**one, "ms": 0, "cpu_ms": 0, "index_ms": 0} for one in results(out)])
    assert found[0] == found[1]
    assert [(one["source"], one["target"]) for one in found[0]] == [
        (row.source, row.task.target) for row in bench.rows[:40]
    ]


def test_every_object_holds_what_was_promised_and_the_table_counts_it(bench: Bench, tmp_path: Path) -> None:
    corpus = bench.write_corpus(tmp_path / "cases.tsv")
    out = tmp_path / "results.jsonl"
    done = run(str(corpus), "--repository", str(bench.path), "--out", str(out), "--jobs", "2", "--peers")
    made = results(out)
    promised = {"source", "target", "outcome", "confidence", "rung", "guards", "files", "ms"}
    assert all(promised <= set(one) for one in made)
    assert all((one["files"] is None) == (one["outcome"] not in {"applied", "already-applied"}) for one in made)
    assert {one["confidence"] for one in made if one["files"] is None} == {None}
    assert {one["confidence"] for one in made if one["outcome"] == "applied"} == {"high", "review"}
    repo = open_repository(bench.path)
    verdicts = [judge(repo, row, one["files"]) for row, one in zip(bench.rows, made, strict=True)]
    share = 100 * verdicts.count("equal") / len(verdicts)
    line = next(line for line in done.stdout.splitlines() if line.startswith("all rows"))
    assert line.split()[2:4] == ["150", f"{share:.1f}"]
    assert "git apply" in done.stdout
    assert "cherry-pick (merge-ort)" in done.stdout


def test_a_row_whose_commits_are_missing_is_told_and_stops_nothing(bench: Bench, tmp_path: Path) -> None:
    row = next(row for row, case in zip(bench.rows, bench.cases, strict=True) if case.shape.kind == "same")
    corpus = tmp_path / "some.tsv"
    corpus.write_text(f"source\ttarget\n{'1' * 40}\t{row.task.target}\n{row.source}\t{row.task.target}\n")
    out = tmp_path / "results.jsonl"
    done = run(str(corpus), "--repository", str(bench.path), "--out", str(out))
    assert [one["outcome"] for one in results(out)] == ["error", "applied"]
    assert results(out)[0]["problem"] == "no-such-commit"
    assert "1 rows could not be tried: no-such-commit" in done.stdout
    assert "2 rows are not in the table" in done.stdout


@pytest.mark.parametrize("text", ["", "source\tbase\nx\ty\n", "source\ttarget\n"])
def test_a_corpus_that_is_none_ends_with_one_line(text: str, bench: Bench, tmp_path: Path) -> None:
    corpus = tmp_path / "bad.tsv"
    corpus.write_text(text)
    done = run(str(corpus), "--repository", str(bench.path), "--out", str(tmp_path / "out"), code=1)
    assert "bad-corpus" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_place_without_a_repository_ends_with_one_line(bench: Bench, tmp_path: Path) -> None:
    corpus = bench.write_corpus(tmp_path / "cases.tsv")
    done = run(str(corpus), "--repository", str(tmp_path), "--out", str(tmp_path / "out"), code=1)
    assert "not-a-repository" in done.stderr


@pytest.mark.parametrize(("name", "count", "near"), [("xen-xsa-dev", 3465, 1283), ("xen-other-dev", 5928, 3175)])
def test_the_development_corpora_are_whole(name: str, count: int, near: int) -> None:
    rows = read_rows(CORPORA / f"{name}.tsv.gz")
    assert len(rows) == count
    assert len(nearest(rows)) == near
    assert all(len(oid) == 40 for row in rows for oid in (*row.task.sources, row.task.target, row.expected))


def test_several_sources_stay_in_order(tmp_path: Path) -> None:
    corpus = tmp_path / "several.tsv.gz"
    text = "source\ttarget\texpected\tbranch\tfrom\tgap\txsa\na,b,c\td\te\t4.13\t4.15\t2\t1\n"
    corpus.write_bytes(gzip.compress(text.encode()))
    [row] = read_rows(corpus)
    assert row.task.sources == ("a", "b", "c")
    assert (row.distance, row.era) == ("2 and more", "4.10 to 4.13")


def test_a_broken_archive_is_a_bad_corpus(tmp_path: Path) -> None:
    corpus = tmp_path / "broken.tsv.gz"
    corpus.write_bytes(gzip.compress(b"source\ttarget\n")[:-5])
    with pytest.raises(BadCorpus):
        read_rows(corpus)
