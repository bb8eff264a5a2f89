from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from backports import env
from backports.runtime.startup import refuse_powerful_role
from backports.runtime.supervisor import Plan, Supervisor


class Command(BaseCommand):
    """Starts every part on this machine and looks after them until Ctrl-C."""

    help = "Serve: database, workers, scheduler and web server, until Ctrl-C. Arguments: see `make help`."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=env.number("PORT", 8000))
        parser.add_argument("--workers", type=int, default=env.number("WORKERS", 2))
        parser.add_argument("--xen-git", default=env.text("XEN_GIT"), help="A Xen clone, as a path or URL.")
        parser.add_argument("--no-demo", action="store_true", default=not env.flag("DEMO", default=True))

    def handle(self, *_: object, **options: Any) -> None:
        plan = Plan(
            data_dir=settings.DATA_DIR,
            port=options["port"],
            workers=options["workers"],
            demo=not options["no_demo"],
            xen_git=options["xen_git"],
            own_database=settings.EMBEDDED_DATABASE,
            compiles=bool(settings.COMPILE_COMMANDS),
        )
        # The parts read the port from here too: links begin with it.
        os.environ["PORT"] = str(options["port"])
        # Every file that the parts make from here on is for their own account only.
        os.umask(0o077)
        sys.exit(Supervisor(plan, prepare=_prepare).run())


def _prepare() -> None:
    try:
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        refuse_powerful_role()
        call_command("collectstatic", verbosity=0, interactive=False)
    finally:
        connections.close_all()
