"""`manage.py serve_lmtp`."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backports.management.operator import OperatorCommand
from backports.services.inbound.lmtp import LOOPBACK, Door, Handler


class Command(OperatorCommand):
    help = "Listen for mail by LMTP, on this machine alone; the mail server hands over what comes for the room."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="an address of this machine's own (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8024)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["host"] not in LOOPBACK:
            raise CommandError("not-here: LMTP knows no login, so it listens on this machine alone.")
        door = Door(Handler(), hostname=options["host"], port=options["port"])
        door.start()
        self.stdout.write(f"LMTP on {options['host']} port {options['port']}")
        try:
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
        finally:
            door.stop()
