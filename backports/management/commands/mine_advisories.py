from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backports.management.errors import clear_errors, repository
from backports.management.operator import OperatorCommand
from backports.models import UpstreamFix
from backports.services import attempts, repositories
from backports.services.planning import plan
from xsa.models import AdvisoryVersion
from xsa.services.mined import MINED


class Command(OperatorCommand):
    help = "Find the fixes of public advisories in a mirror's commit messages, and queue what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("repository", help="the name that add_repository was given")

    def handle(self, *args: Any, **options: Any) -> None:
        row = repository(options["repository"])
        with clear_errors():
            changed = repositories.mine(None, row)
        known = AdvisoryVersion.objects.filter(number=MINED, fixes__tree=row.project).distinct().count()
        cells = UpstreamFix.objects.filter(branch__repository=row).count()
        self.stdout.write(f"{row.name}: fixes of {known} advisories found, {len(changed)} new or changed")
        made = plan(row, because="mined")
        attempts.send()
        self.stdout.write(f"{cells} cells are fixed upstream; {made.to_try} attempts are queued")
