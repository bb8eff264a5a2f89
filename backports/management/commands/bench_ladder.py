from __future__ import annotations

import functools
import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError

from backports.bench import ladder_peers
from backports.bench.ladder_corpus import BadCorpus, Row, commits, read_rows
from backports.bench.ladder_reach import Reach
from backports.bench.ladder_run import Answer, Runner, missing_commits, run_all
from backports.bench.ladder_table import Judged, counts, judge, percentiles, table
from backports.git.store import open_repository
from backports.management.errors import clear_errors

PROGRESS_SECONDS = 5.0
T = TypeVar("T")


class Command(BaseCommand):
    help = (
        "Run the ladder over real backports whose answer is known, and print how often it gives what the maintainers "
        "committed. Needs no database. An engine sees a row's commits and their ancestors, and nothing else."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "corpus", type=Path, help="a .tsv or .tsv.gz with the columns of those in tests/data/corpus"
        )
        parser.add_argument("--repository", type=Path, required=True, help="a git directory with the corpus's commits")
        parser.add_argument("--out", type=Path, required=True, help="write one JSON object a row here")
        parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
        parser.add_argument("--limit", type=int, help="only the first so many rows")
        parser.add_argument("--peers", action="store_true", help="run other tools on the same rows too")

    def handle(self, *args: Any, **options: Any) -> None:
        path = git_dir(options["repository"])
        with clear_errors():
            rows = self.rows(options["corpus"], options["limit"])
            self.ladder(path, rows, options["jobs"], options["out"])
            if options["peers"]:
                self.peers(path, rows, options["jobs"])

    def rows(self, corpus: Path, limit: int | None) -> list[Row]:
        try:
            return read_rows(corpus, limit)
        except BadCorpus as error:
            raise CommandError(f"{error.code}: {error.sentence}") from error

    def ladder(self, path: Path, rows: Sequence[Row], jobs: int, out: Path) -> None:
        make = functools.partial(Runner, path, self.reach(path, rows))
        tasks = [row.task for row in rows]
        answers: list[Answer] = []
        with out.open("w") as stream:
            for answer in shown("the ladder", run_all(make, tasks, jobs), len(tasks)):
                stream.write(json.dumps(answer.as_json()) + "\n")
                answers.append(answer)
        if not answers:
            raise CommandError("bad-corpus: The corpus has no rows.")
        judged = self.judged(path, rows, answers)
        self.print_table("The ladder", judged)
        self.stdout.write("\nby rung")
        self.stdout.write("\n".join(counts(judged, "rung")))
        median, p95 = percentiles(answer.cpu_ms for answer in answers)
        self.stdout.write(f"\nprocessor time a row: median {median:.1f} ms, p95 {p95:.0f} ms")
        indexing = sum(answer.index_ms for answer in answers) / 1000
        self.stdout.write(f"index of identifiers: {indexing:.0f} s in all, in no row's time")
        problems = Counter(answer.problem for answer in answers if answer.problem)
        for code, count in sorted(problems.items()):
            self.stdout.write(f"{count} rows could not be tried: {code}")

    def reach(self, path: Path, rows: Sequence[Row]) -> Reach:
        began = time.monotonic()
        heads = commits(rows)
        missing = missing_commits(path, heads)
        if missing:
            note(f"{len(missing)} of {len(heads)} commits are not in the repository; their rows cannot be tried")
        reach = Reach.load(path, [oid for oid in heads if oid not in missing])
        note(f"read the history of {len(heads)} commits in {time.monotonic() - began:.0f} s")
        return reach

    def peers(self, path: Path, rows: Sequence[Row], jobs: int) -> None:
        missing = ladder_peers.missing()
        names = [name for name in ladder_peers.NAMES if name not in missing]
        make = functools.partial(ladder_peers.PeerRunner, path, names)
        tasks = [row.task for row in rows]
        answers = list(shown("peers", run_all(make, tasks, jobs), len(tasks)))
        for name in names:
            self.print_table(name, self.judged(path, rows, [answer[name] for answer in answers]))
        for sentence in dict.fromkeys(missing.values()):
            self.stdout.write(f"\n{sentence}")

    def judged(self, path: Path, rows: Sequence[Row], answers: Iterable[Answer]) -> list[Judged]:
        repo = open_repository(path)
        return [Judged(row, answer, judge(repo, row, answer.files)) for row, answer in zip(rows, answers, strict=True)]

    def print_table(self, name: str, judged: Sequence[Judged]) -> None:
        self.stdout.write(f"\n{name}")
        self.stdout.write("\n".join(table(judged)))
        unknown = sum(not one.verdict for one in judged)
        if unknown:
            self.stdout.write(f"{unknown} rows are not in the table: the repository does not hold the expected commit.")


def git_dir(path: Path) -> Path:
    """The repository itself when `path` is a work tree."""
    return path / ".git" if (path / ".git").is_dir() else path


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def shown(name: str, items: Iterable[T], total: int) -> Iterator[T]:
    """The same items; how far it is, every few seconds, goes to standard error."""
    began = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS or done == total:
            last = now
            note(f"{name}: {done} of {total} rows, {now - began:.0f} s")
