"""`manage.py bench_room`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from backports.bench.full_room import FullRoom, add_long_backport, make_full_room
from backports.bench.pages import browser_of, page_time
from backports.management.operator import OperatorCommand
from xsa.models import Advisory

LINES = 5_000  # of a long backport


class Command(OperatorCommand):
    help = (
        "Measure the pages of a full room at the server, for one of its members: time and queries of each, beside a "
        "page without a room. Needs a data folder of its own (DATA=) that is empty."
    )
    recorded = False  # it begins with an empty folder, where there is no table to write to

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--backports", type=int, default=50, help="how many the room has (50)")
        parser.add_argument("--versions", type=int, default=10, help="how many each of them has (10)")
        parser.add_argument("--comments", type=int, default=2_000, help="about the advisory (2,000)")
        parser.add_argument("--runs", type=int, default=40, help="how often each page is asked for (40)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        if Advisory.objects.exists():
            raise CommandError("not-empty: The bench needs an empty data folder; set DATA to a new one.")
        room = make_full_room(options["backports"], options["versions"], options["comments"])
        with connections["owner"].cursor() as cursor:
            cursor.execute("ANALYZE")  # what the database does by itself some minutes after so many new rows
        self.stdout.write(
            f"{options['backports']} backports, {options['versions']} versions each, {options['comments']} comments"
        )
        self.stdout.write(f"{'page':34} {'median':>8} {'p95':>8} {'queries':>8} {'size':>8}")
        client = browser_of(room.reader)
        long = add_long_backport(room.advisory, LINES)
        for name, path in [*_pages(room), (f"a backport of {LINES} lines", f"/backports/{long.pk}/")]:
            found = page_time(path, options["runs"], client=client)
            self.stdout.write(
                f"{name:34} {found.median:5.0f} ms {found.p95:5.0f} ms {found.queries:8} {found.kilobytes:5.0f} kB"
            )


def _pages(room: FullRoom) -> list[tuple[str, str]]:
    """Each with its address; the peer first, which goes through the same middleware and asks for nothing else."""
    number, branch = room.advisory.number, room.backport.branch
    return [
        ("the glossary, as a peer", "/glossary/"),
        ("the advisory's page: the room", f"/advisories/{number}/"),
        ("a backport's page", f"/backports/{room.backport.pk}/"),
        ("a branch's page", f"/r/{branch.repository.name}/branches/{branch.name}/"),
        ("the timeline", f"/advisories/{number}/timeline/"),
        ("the matrix", f"/r/{branch.repository.name}/"),
    ]
