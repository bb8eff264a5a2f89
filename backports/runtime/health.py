"""Whether every part is up, for `/healthz`: the parts' names and `ok` or `fail`, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from celery import current_app
from django.apps import apps
from django.db import connection
from django.utils import timezone

from backports.runtime.programs import COMPILER

ALIVE = timedelta(seconds=30)
SCHEDULER = "scheduler"
_BROKER_SECONDS = 2
_log = logging.getLogger(__name__)

# True when the role of this connection owns something, has a power that would step round the embargo's policies, or
# could change what was recorded.
_ROLE_SQL = """
    SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb
        OR EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid)
        OR EXISTS (SELECT FROM pg_namespace n WHERE n.nspowner = r.oid)
        OR EXISTS (SELECT FROM pg_database d WHERE d.datdba = r.oid)
        OR EXISTS (SELECT FROM pg_class a WHERE a.relname = 'xsa_auditrecord'
                   AND has_table_privilege(r.oid, a.oid, 'UPDATE, DELETE, TRUNCATE'))
    FROM pg_roles r WHERE r.rolname = current_user
"""


def report(more: Mapping[str, Callable[[], bool]] | None = None) -> tuple[int, dict[str, object]]:
    """(HTTP status, JSON body): 200 when every part is up, otherwise 503 and which part is not.

    `more` are parts that what is run here knows how to check.
    """
    checks: dict[str, Callable[[], bool]] = {
        "database": _database,
        "role": role_is_plain,
        "broker": _broker,
        "worker": _worker,
        "scheduler": _scheduler,
        **(more or {}),
    }
    parts = {name: "ok" if _holds(name, check) else "fail" for name, check in checks.items()}
    good = set(parts.values()) == {"ok"}
    return (200 if good else 503), {"status": "ok" if good else "fail", "parts": parts}


def _holds(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception as error:
        _log.warning("health part=%s code=%s", name, type(error).__name__)
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def role_is_plain() -> bool:
    """Whether the role of this connection owns nothing and has no power to step round the embargo's policies.

    Nor to change the audit.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ROLE_SQL)
        return bool(cursor.fetchone() == (False,))


def _broker() -> bool:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=_BROKER_SECONDS)
    return True


def _worker() -> bool:
    return _heard_of(is_scheduler=False)


def _scheduler() -> bool:
    return _heard_of(is_scheduler=True)


def _heard_of(*, is_scheduler: bool) -> bool:
    beats = apps.get_model("backports", "Heartbeat").objects.filter(seen_at__gte=timezone.now() - ALIVE)
    # A worker that compiles does nothing else: attempts wait all the same when it is the only one.
    workers = beats.exclude(name=SCHEDULER).exclude(name__startswith=COMPILER)
    found = beats.filter(name=SCHEDULER) if is_scheduler else workers
    return bool(found.exists())
