from __future__ import annotations

from typing import Any

from backports.management.errors import clear_errors
from backports.management.operator import OperatorCommand
from backports.models import Attempt
from backports.services import demo


class Command(OperatorCommand):
    help = "Build the demo project with its branches, advisories and people, and queue its attempts."

    def handle(self, *args: Any, **options: Any) -> None:
        with clear_errors():
            people = demo.load()
        if not people:
            self.stdout.write("The demo is loaded already.")
            return
        cells = Attempt.objects.filter(current=True, branch__repository__name=demo.PROJECT).count()
        self.stdout.write(f"The demo is loaded: {cells} cells. Accounts (also in demo-accounts.txt):")
        for one in people:
            self.stdout.write(f"  {demo.line(one)}")
        self.stdout.write(demo.CODES)
