from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from backports.services import one_patch


class Command(BaseCommand):
    help = (
        "Try one patch, or an mbox of several, on one branch; needs no worker, server or database. Exit status: "
        + ", ".join(f"{status} {outcome}" for outcome, status in one_patch.EXIT_STATUS.items())
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the patch; - for standard input")
        parser.add_argument("--repository", required=True, help="the name of a mirror, or a path to a git repository")
        parser.add_argument("--branch", required=True, help="4.1, master, or any full ref or commit id")
        parser.add_argument("--json", action="store_true", help="print the verdict and its evidence as JSON")
        parser.add_argument("--output", type=Path, help="write the resulting patches here, as git am takes them")

    def handle(self, *args: Any, **options: Any) -> None:
        answer = one_patch.try_file(options["file"], repository=options["repository"], branch=options["branch"])
        if options["output"] and answer.patches:
            options["output"].write_bytes(b"".join(answer.patches))
        self.stdout.write(answer.as_json() if options["json"] else answer.as_text())
        sys.exit(answer.status)
