"""One after another: adding a version, and saying something of the newest one, take turns."""

from __future__ import annotations

from django.db import connection

from xsa.audit import LOCK


def take_turn() -> None:
    """Wait until nobody else is between here and the end of their transaction; ends with this one.

    It is the lock of the audit's end, which each of them takes anyhow, so that two locks are never waited for
    crosswise: call it after whatever row is locked.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
