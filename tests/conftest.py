"""The test session's database: the embedded server, with the roles that the product has.

The owner migrates it; tests connect as `backports_app`, which owns nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg2.errors import DeadlockDetected

from backports.runtime import embedded
from xsa import identity
from xsa.identity import everything

# Made by the migrations themselves, and needed as long as the session runs.
_KEPT_TABLES = ("auth_permission", "django_content_type", "django_migrations")

Execute = Callable[..., list[tuple[Any, ...]]]

# The service that the database lets through while a test sets its world up; the product knows none of that name.
identity.SERVICES |= {"tests"}


# Folders in the order in which several processes begin them: what takes longest is not left to one of them at the end.
_FIRST = ("e2e", "brokers", "runtime", "permissions", "bench", "backports", "web")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A file's tests stay in one process, and so do those that share what `tests.permissions.looks` asked once."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        group = "looks" if "looks" in getattr(item, "fixturenames", ()) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)


@pytest.fixture(scope="session")
def database_server() -> Iterator[dict[str, str]]:
    """HOST and PORT of the session's server; not safe against a crash, and faster for it."""
    with embedded.ensure_running(settings.DATA_DIR, durable=False, wait=20) as values:
        yield values


@pytest.fixture(scope="session")
def django_db_setup(database_server: dict[str, str], django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's hook: the owner migrates, and there is no second database to make."""
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        connections["owner"].close()
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture(autouse=True)
def sets_its_world_up() -> Iterator[None]:
    """Tests write and look at rows of every advisory; whatever answers a request or runs as a task does not.

    The database's policies hold all the same: this names the service that they let through.
    """
    with everything("tests"):
        yield


@pytest.fixture
def owner_db(django_db_setup: None, database_server: dict[str, str]) -> Iterator[Execute]:
    """`owner_db(sql, parameters)` runs SQL as the owner, at once committed, and gives the rows."""
    connection = psycopg2.connect(
        host=database_server["HOST"],
        port=database_server["PORT"],
        user=embedded.OWNER,
        dbname=embedded.DATABASE,
    )
    connection.autocommit = True

    def execute(sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    yield execute
    connection.close()


@pytest.fixture
def committed_db(owner_db: Execute, django_db_blocker: Any) -> Iterator[None]:
    """For tests with real processes beside them: what they write is committed, and removed at the end."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    _truncate(owner_db)


def _truncate(execute: Execute) -> None:
    rows = execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    names = [name for (name,) in rows if name not in _KEPT_TABLES]
    if names:
        execute("SET lock_timeout = '20s'")
        # A query of a worker that was just ended may still run in the server, and take its locks the other way round.
        for last in (False, False, True):
            try:
                execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
            except DeadlockDetected:
                if last:
                    raise
            else:
                break


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can pass through (pytest's own are closed to all others)."""
    folder = Path(tempfile.mkdtemp(prefix="backports-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
