from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backports.management.errors import clear_errors
from backports.management.operator import OperatorCommand
from backports.services import repositories


class Command(OperatorCommand):
    help = "Mirror a git repository under var/git/ and read its branches; a known one is fetched again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="a short name, such as xen")
        parser.add_argument("url", help="an address that git can fetch, or a local path")
        parser.add_argument(
            "--project", default="", help="whose fixes are for it: xen, unless the name says so already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with clear_errors():
            row = repositories.add_repository(
                None, name=options["name"], url=options["url"], project=options["project"]
            )
        names = [branch.name for branch in row.branches.filter(gone=False)]
        self.stdout.write(f"{row.name}: {len(names)} branches: {', '.join(names)}")
