from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backports.management.operator import OperatorCommand
from xsa.models import User
from xsa.services.members import reset_second_factor


class Command(OperatorCommand):
    help = "Forget somebody's second factors and log them out; they set up a new one at their next login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is nobody called {options['username']}.")
        reset_second_factor(None, person=person)
        self.stdout.write(f"{person} has no second factor now, and is logged out everywhere.")
