from __future__ import annotations

import random
import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from backports.bench.pages import page_time
from backports.bench.peers import Pick, cherry_pick
from backports.bench.workers import Memory, workers
from backports.management.errors import clear_errors
from backports.management.operator import OperatorCommand
from backports.models import Attempt, Repository
from backports.services import attempts, repositories
from backports.services.places import mirror_path
from backports.services.planning import plan
from xsa.models import Advisory

NAME = "xen"
LOOK_EVERY = 2.0  # seconds; looking costs time of its own


class Command(OperatorCommand):
    help = (
        "Measure mining, all attempts, memory and the matrix page on a real clone, beside git cherry-pick on a "
        "sample of the same cells. Needs a data folder of its own (DATA=) that is empty."
    )
    recorded = False  # it begins with an empty folder, where there is no table to write to

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("repository", help="a clone of xen.git: a path, or an address that git can fetch")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--peers", type=int, default=100, help="cells that cherry-pick does too (0: none)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        if Repository.objects.exists():
            raise CommandError("not-empty: The bench needs an empty data folder; set DATA to a new one.")
        with clear_errors():
            row = self.timed("mirror", lambda: repositories.add_repository(None, name=NAME, url=options["repository"]))
            self.timed("mining all advisories", lambda: repositories.mine(None, row))
        made = self.timed("planning", lambda: plan(row, because="bench"))
        self.stdout.write(f"{Advisory.objects.count()} advisories, {made.fixed} cells fixed, {made.to_try} to try")
        ours = self.attempts(options["workers"])
        self.outcomes()
        self.pages()
        if options["peers"]:
            self.peers(row, options["peers"], ours / max(1, made.to_try))

    def timed(self, name: str, work: Any) -> Any:
        began = time.monotonic()
        value = work()
        self.stdout.write(f"{name:32} {time.monotonic() - began:8.1f} s")
        return value

    def attempts(self, count: int) -> float:
        """All cells by workers; returns the seconds from the first message to the last outcome."""
        unfinished = Attempt.objects.filter(current=True).exclude(state=Attempt.State.DONE)
        total = unfinished.count()
        with workers(count) as pids:
            memory = Memory(pids)
            began = time.monotonic()
            while unfinished.exists():
                attempts.send()
                memory.look()
                time.sleep(LOOK_EVERY)
            seconds = time.monotonic() - began
            memory.look()
        self.stdout.write(f"{'all attempts':32} {seconds:8.1f} s   {total / seconds:.1f} a second, {count} workers")
        self.stdout.write(f"{'memory of the largest worker':32} {memory.most:8.0f} MB")
        return seconds

    def outcomes(self) -> None:
        counts = Counter(Attempt.objects.filter(current=True).values_list("outcome", "rung", "confidence"))
        for (outcome, rung, confidence), count in sorted(counts.items()):
            self.stdout.write(f"  {outcome:20} {rung:16} {confidence:8} {count:6}")

    def pages(self) -> None:
        branch = f"/r/{NAME}/branches/4.1/"
        for name, path in (("matrix page", "/"), ("branch page 4.1", branch), ("queue page", "/queue/")):
            page = page_time(path)
            self.stdout.write(f"{name:32} {page.median:8.1f} ms  p95 {page.p95:.1f} ms, {page.kilobytes:.0f} kB")

    def peers(self, row: Repository, count: int, ours: float) -> None:
        """`ours` is our wall time for one attempt, in seconds."""
        picks = _sample(row, count)
        peer = cherry_pick(mirror_path(row.name), picks)
        each = peer.seconds / max(1, peer.picks)
        self.stdout.write(
            f"{'git cherry-pick, a worktree each':32} {each * 1000:8.0f} ms an attempt, "
            f"{peer.clean} of {peer.picks} clean (sample)"
        )
        self.stdout.write(f"{'ours':32} {ours * 1000:8.0f} ms an attempt: {each / ours:.0f} times as fast")


def _sample(row: Repository, count: int) -> list[Pick]:
    """Cells at random, always the same ones, whose source is made of commits."""
    cells = Attempt.objects.filter(current=True, branch__repository=row, source__patches__commit__gt="").distinct()
    ids = sorted(cells.values_list("pk", flat=True))
    chosen = random.Random(2011).sample(ids, min(count, len(ids)))  # noqa: S311 - a sample, not a secret
    found = Attempt.objects.filter(pk__in=chosen).select_related("source").prefetch_related("source__patches")
    return [Pick(one.tip, tuple(patch.commit for patch in one.source.patches.all())) for one in found if one.source]
