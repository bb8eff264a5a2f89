from __future__ import annotations

import functools
import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError

from backports.bench import ladder_peers
from backports.bench.ladder_again import AgainRunner, again_table, again_tasks, heads
from backports.bench.ladder_corpus import BadCorpus, Row, commits, read_rows
from backports.bench.ladder_reach import Reach
from backports.bench.ladder_run import Answer, Runner, missing_commits, run_all
from backports.bench.ladder_table import Judged, counts, judge, table
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
        parser.add_argument(
            "--again", action="store_true", help="then apply every row twice, and on the tree that has the answer"
        )
        parser.add_argument(
            "--symbols", type=Path, help="keep the index of identifiers in this folder for the next run"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = git_dir(options["repository"])
        with clear_errors():
            rows = self.rows(options["corpus"], options["limit"])
            self.ladder(path, rows, options)
            if options["again"]:
                self.again(path, rows, options)
            if options["peers"]:
                self.peers(path, rows, options["jobs"])

    def rows(self, corpus: Path, limit: int | None) -> list[Row]:
        try:
            rows = read_rows(corpus, limit)
        except BadCorpus as error:
            raise CommandError(f"{error.code}: {error.sentence}") from error
        if not rows:
            raise CommandError("bad-corpus: The corpus has no rows.")
        return rows

    def ladder(self, path: Path, rows: Sequence[Row], options: dict[str, Any]) -> None:
        reach, _ = self.reach(path, commits(rows))
        make = functools.partial(Runner, path, reach, symbols=options["symbols"])
        answers = self.answers("the ladder", make, [row.task for row in rows], options["jobs"], options["out"])
        judged = self.judged(path, rows, answers)
        self.print_table("The ladder", judged)
        self.stdout.write("\nby rung")
        self.stdout.write("\n".join(counts(judged, "rung")))
        indexing = sum(answer.index_ms for answer in answers) / 1000
        self.stdout.write(f"\nindex of identifiers: {indexing:.0f} s in all, in no row's time")
        self.tell_problems(answers)

    def again(self, path: Path, rows: Sequence[Row], options: dict[str, Any]) -> None:
        reach, missing = self.reach(path, heads(rows))
        make = functools.partial(AgainRunner, path, reach)
        tasks = again_tasks(rows, missing)
        answers = self.answers("again", make, tasks, options["jobs"], options["out"].with_suffix(".again.jsonl"))
        self.stdout.write("")
        self.stdout.write("\n".join(again_table(rows, answers)))

    def answers(self, name: str, make: Callable[[Path], Any], tasks: Sequence[Any], jobs: int, out: Path) -> list[Any]:
        """What the runners answer, which is also written to `out`, an object a row, as it comes."""
        answers = []
        with out.open("w") as stream:
            for answer in shown(name, run_all(make, tasks, jobs), len(tasks)):
                stream.write(json.dumps(answer.as_json()) + "\n")
                answers.append(answer)
        return answers

    def reach(self, path: Path, heads: Sequence[str]) -> tuple[Reach, set[str]]:
        """What the heads have behind them, and those of them that the repository lacks."""
        began = time.monotonic()
        missing = missing_commits(path, heads)
        if missing:
            note(f"{len(missing)} of {len(heads)} commits are not in the repository; their rows cannot be tried")
        reach = Reach.load(path, [oid for oid in heads if oid not in missing])
        note(f"read the history of {len(heads)} commits in {time.monotonic() - began:.0f} s")
        return reach, missing

    def peers(self, path: Path, rows: Sequence[Row], jobs: int) -> None:
        missing = ladder_peers.missing()
        names = [name for name in ladder_peers.NAMES if name not in missing]
        make = functools.partial(ladder_peers.PeerRunner, path, names)
        tasks = [row.task for row in rows]
        answers = list(shown("peers", run_all(make, tasks, jobs), len(tasks)))
        for name in names:
            self.print_table(name, self.judged(path, rows, [answer[name] for answer in answers]))
            self.tell_problems([answer[name] for answer in answers])
        for sentence in dict.fromkeys(missing.values()):
            self.stdout.write(f"\n{sentence}")

    def judged(self, path: Path, rows: Sequence[Row], answers: Iterable[Answer]) -> list[Judged]:
        repo = open_repository(path)
        return [Judged(row, answer, judge(repo, row, answer.files)) for row, answer in zip(rows, answers, strict=True)]

    def tell_problems(self, answers: Sequence[Answer]) -> None:
        problems = Counter(answer.problem for answer in answers if answer.problem)
        for code, count in sorted(problems.items()):
            self.stdout.write(f"{count} rows could not be tried: {code}")

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
