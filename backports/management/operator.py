"""Commands of the person who runs the machine: they see everything, and say so to the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from xsa.identity import everything


class OperatorCommand(BaseCommand):
    """A command that reads and writes rows of any advisory."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with everything("command"):
            return super().execute(*args, **options)
