#!/usr/bin/env python3
"""Django's command line. Commands that need the database find the embedded server running."""

from __future__ import annotations

import os
import sys

from backports.env import BadSetting
from backports.runtime.commands import database_for
from backports.runtime.errors import PlatformError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backports.settings")
    # A command says what it did; the log of every step is for servers and workers.
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    from django.core.management import execute_from_command_line

    try:
        with database_for(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except PlatformError as error:
        sys.exit(error.sentence)
    except BadSetting as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
