from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backports.management.operator import OperatorCommand
from backports.services import demo


class Command(OperatorCommand):
    help = "Print the code that a demo person's authenticator app would show now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="such as member-one")

    def handle(self, *args: Any, **options: Any) -> None:
        code = demo.code(options["username"])
        if code is None:
            raise CommandError(f"{options['username']} is no demo person with an authenticator app.")
        self.stdout.write(code)
