"""`manage.py bench_upload`."""

from __future__ import annotations

import statistics
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from backports.bench.pages import browser_of
from backports.bench.room import member
from backports.bench.uploads import Branches, Real, branches_before, git_am
from backports.management.errors import clear_errors
from backports.management.operator import OperatorCommand
from backports.models import BackportVersion, Repository
from backports.services import repositories
from xsa.models import Advisory, AdvisoryVersion, Fix, FixPatch, PatchFile, User

NAME = "xen"
FIRST = 9_001


class Command(OperatorCommand):
    help = (
        "Measure how long an upload takes by REST until its verdict is answered, for real commits of stable branches, "
        "beside `git am` of the same patches in a worktree. Needs a data folder of its own (DATA=) that is empty."
    )
    recorded = False  # it begins with an empty folder, where there is no table to write to

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("repository", type=Path, help="a clone of xen.git: its git directory")
        parser.add_argument("--branches", nargs="+", default=["4.17", "4.18"], help="stable branches (4.17 4.18)")
        parser.add_argument("--commits", type=int, default=30, help="how many of the last ones of each (30)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        if Repository.objects.exists():
            raise CommandError("not-empty: The bench needs an empty data folder; set DATA to a new one.")
        with clear_errors(), branches_before(options["repository"], options["branches"], options["commits"]) as found:
            if not found.patches:
                raise CommandError("no-patch: None of these commits is a patch of normal size.")
            self.mirrored(found)
            ours = self.uploads(found.patches)
            self.peers(found, ours)

    def mirrored(self, found: Branches) -> None:
        began = time.monotonic()
        row = repositories.add_repository(None, name=NAME, url=str(found.path))
        names = ", ".join(row.branches.filter(gone=False).values_list("name", flat=True))
        self.stdout.write(f"mirrored and indexed {names} in {time.monotonic() - began:.0f} s")

    def uploads(self, patches: Sequence[Real]) -> list[float]:
        """The milliseconds of each."""
        who = member("uploads", listed=True)
        client, numbers = browser_of(who), [_advisory(FIRST + at, one) for at, one in enumerate(patches)]
        client.get("/api/v1/")
        times = [_upload(client, number, one) for number, one in zip(numbers, patches, strict=True)]
        sizes = sorted(len(one.patch) for one in patches)
        self.stdout.write(f"{len(patches)} patches of {sizes[0]} to {sizes[-1]} bytes, the median {_middle(sizes):.0f}")
        self.outcomes(who)
        self.line("an upload, until its verdict", times)
        return times

    def outcomes(self, who: User) -> None:
        rows = BackportVersion.objects.filter(made_by=who)
        counts = Counter(rows.values_list("outcome", flat=True))
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.most_common()))
        self.line("  of that the ladder and its commit", list(rows.values_list("duration_ms", flat=True)))

    def peers(self, found: Branches, ours: Sequence[float]) -> None:
        mailed = list(git_am(found))
        times = [one.milliseconds for one in mailed]
        self.line("git am --3way in a worktree", times)
        clean = sum(one.clean for one in mailed)
        ratio = _middle(ours) / _middle(times)
        self.stdout.write(
            f"git am applied {clean} of {len(mailed)}; an upload takes {ratio:.1f} times as long (median)"
        )

    def line(self, name: str, times: Sequence[float]) -> None:
        ordered = sorted(times)
        last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        self.stdout.write(
            f"{name:36} median {_middle(ordered):6.0f} ms  p95 {last:6.0f} ms  most {ordered[-1]:6.0f} ms"
        )


def _middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def _advisory(number: int, one: Real) -> int:
    """An embargoed one, whose official fix for master came as a file."""
    row = Advisory.objects.create(number=number, planned_disclosure_at=timezone.now() + timedelta(days=14))
    row.current = AdvisoryVersion.objects.create(advisory=row, number=1, title="a bench", digest="0" * 64)
    row.save(update_fields=["current"])
    size, sha256 = len(one.official), f"{number:064}"
    file = PatchFile.objects.create(
        version=row.current, name=f"xsa{number}.patch", kind="patch", sha256=sha256, size=size, data=one.official
    )
    fix = Fix.objects.create(version=row.current, branch="master", origin="resolution", digest=sha256)
    FixPatch.objects.create(fix=fix, position=0, file=file)
    return number


def _upload(client: Client, number: int, one: Real) -> float:
    file = SimpleUploadedFile(f"xsa{number}-{one.branch}.patch", one.patch)
    began = time.perf_counter()
    answer = client.post(f"/api/v1/advisories/{number}/branches/{one.branch}/backports/", {"patch": file})
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 201:
        raise CommandError(f"refused: An upload was answered with {answer.status_code}.")
    return took
