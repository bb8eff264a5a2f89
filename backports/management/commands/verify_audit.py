from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backports.management.operator import OperatorCommand
from xsa import audit


class Command(OperatorCommand):
    help = (
        "Verify the audit's chain of hashes. Prints how many records there are and the hash of the last one: keep that "
        "elsewhere, and give it back with --holds later. Exit status 1: the chain is broken, and where."
    )
    recorded = False  # so that what it prints is the head as it was found

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--holds", default="", metavar="HASH", help="a head hash from before, which must be there")

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit.verify(holds=options["holds"])
        if found.broken:
            raise CommandError(f"broken at record {found.position}: {found.broken}", returncode=1)
        self.stdout.write(f"records={found.count} head={found.head}")
