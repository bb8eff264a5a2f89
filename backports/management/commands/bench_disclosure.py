"""`manage.py bench_disclosure`."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.test import Client

from backports.bench.room import NUMBER, make_room
from backports.management.operator import OperatorCommand
from backports.models import Attempt
from backports.services import disclosing as opening
from backports.services.rehearsal import rehearse
from xsa.identity import reading
from xsa.models import Advisory, DisclosureRequest, User
from xsa.services import disclosing


class Command(OperatorCommand):
    help = (
        "Measure a disclosure before its time in a full room: the rehearsal, the time from the second person's "
        "decision until a stranger reads it, and what a stranger finds when the database fails just before the end. "
        "Needs a data folder of its own (DATA=) that is empty."
    )
    recorded = False  # it begins with an empty folder, where there is no table to write to

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--attempts", type=int, default=800, help="how many the room has (800)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        if Advisory.objects.exists():
            raise CommandError("not-empty: The bench needs an empty data folder; set DATA to a new one.")
        advisory, one, two = make_room(options["attempts"])
        self.stdout.write(f"{Attempt.objects.count()} attempts, {advisory.statements.count()} statements")
        with reading(one):
            self.timed("rehearsal", lambda: rehearse(advisory))
            request = self.timed("asking", lambda: disclosing.ask(one, advisory=advisory, reason="bench"))
        self.timed("confirming, and the database fails", lambda: self.fails(two, request))
        self.expect(404)
        self.timed("confirming until a stranger reads it", lambda: self.opens(two, request))

    def timed(self, name: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        value = work()
        self.stdout.write(f"{name:40} {(time.monotonic() - began) * 1000:8.0f} ms")
        return value

    def fails(self, actor: User, request: DisclosureRequest) -> None:
        """Everything is done but for the commit, when the server ends the connection."""
        try:
            with transaction.atomic(), reading(actor):
                opening.confirm(actor, request=request)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        except (OperationalError, InterfaceError):
            connection.close()
            return
        raise CommandError("no-fault: The database did not end the connection.")

    def opens(self, actor: User, request: DisclosureRequest) -> None:
        with reading(actor):
            opening.confirm(actor, request=request)
        self.expect(200)

    def expect(self, status: int) -> None:
        """What a stranger gets at the advisory's page and at one of its attempts."""
        client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
        attempt = Attempt.objects.filter(advisory__number=NUMBER, current=True).latest("branch__rank")
        for path in (f"/advisories/{NUMBER}/", f"/attempts/{attempt.pk}/"):
            found = client.get(path).status_code
            if found != status:
                raise CommandError(f"wrong: A stranger got {found} instead of {status} at {path}.")
        self.stdout.write(f"a stranger gets {status} at its page and at its attempts")
