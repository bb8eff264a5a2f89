"""Set when the private list gets digests."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backports.management.operator import OperatorCommand
from backports.models import Subscription
from backports.services import subscriptions


class Command(OperatorCommand):
    help = "Set when the private list gets digests: to its own key, or to each listed organisation (see docs/mail.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cadence", choices=Subscription.Cadence.values)
        parser.add_argument("--hour", type=int, default=8, choices=range(24), metavar="HOUR", help="in UTC (8)")
        parser.add_argument("--weekday", type=int, default=0, choices=range(7), metavar="DAY", help="0 is Monday (0)")

    def handle(self, *args: Any, **options: Any) -> None:
        wish = {name: options[name] for name in ("cadence", "hour", "weekday")}
        row = subscriptions.set_wish(None, **wish)
        self.stdout.write(f"The list's digests: {row.get_cadence_display()}")
