from __future__ import annotations

from django.core.management.base import BaseCommand

from backports.runtime import provision


class Command(BaseCommand):
    """The SQL that a superuser of an external server runs once."""

    help = "Print the SQL that makes the roles and the database on a PostgreSQL server of your own (for psql)."
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> None:
        self.stdout.write(provision.SQL)
