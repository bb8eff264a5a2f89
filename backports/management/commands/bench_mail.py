"""`manage.py bench_mail`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from backports.bench.mail import make_readers, measure
from backports.management.operator import OperatorCommand
from xsa.models import Advisory, Organisation


class Command(OperatorCommand):
    help = (
        "Measure digests: so many recipients, each with so many items, signed and encrypted each, beside GnuPG alone, "
        "and the memory of the workers. Needs a data folder of its own (DATA=) that is empty."
    )
    recorded = False  # it begins with an empty folder, where there is no table to write to

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--recipients", type=int, default=200, help="how many (200)")
        parser.add_argument("--items", type=int, default=30, help="how many each digest has (30)")
        parser.add_argument("--workers", type=int, default=2, help="processes that send (2)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        if Advisory.objects.exists() or Organisation.objects.exists():
            raise CommandError("not-empty: The bench needs an empty data folder; set DATA to a new one.")
        make_readers(options["recipients"], options["items"])
        found = measure(options["workers"])
        self.stdout.write(f"{found.mails} mails of {options['items']} items, {options['workers']} workers")
        self.stdout.write(f"put into the outbox  {found.made:7.1f} s")
        self.stdout.write(f"built and sent       {found.sent:7.1f} s")
        self.stdout.write(f"GnuPG alone          {found.alone:7.1f} s   ratio {found.ratio:.2f}")
        self.stdout.write(
            f"memory of a worker   {found.first:7.0f} MB after its first job, {found.last:.0f} MB at the end"
        )
