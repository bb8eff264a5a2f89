"""What `manage.py` does before Django starts: the data folder, and the database for as long as the command runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backports import env
from backports.runtime import embedded

# Commands that never ask the database, and `serve`, which looks after it itself.
WITHOUT_DATABASE = frozenset(
    {
        "bench_ladder",
        "check",
        "collectstatic",
        "diffsettings",
        "findstatic",
        "help",
        "makemigrations",
        "provision_sql",
        "serve",
        "startapp",
        "try_patch",
        "version",
    }
)
_HELP = {"-h", "--help", "--version"}


def data_folder() -> Path:
    """DATA, or `var` beside manage.py."""
    return Path(env.text("DATA", str(embedded.CODE_DIR / "var"))).resolve()


def needs_database(arguments: Sequence[str]) -> bool:
    """Whether `manage.py <arguments>` may ask the database."""
    if not arguments or _HELP & set(arguments):
        return False
    return arguments[0] not in WITHOUT_DATABASE


@contextmanager
def database_for(arguments: Sequence[str]) -> Iterator[None]:
    """The embedded server is up inside the block when the command needs it and DATABASE_URL names no other.

    Raises PlatformError when it cannot be started.
    """
    if env.text("DATABASE_URL") or not needs_database(arguments):
        yield
        return
    base = embedded.prepare_base(data_folder())
    os.umask(0o077)
    with embedded.ensure_running(base):
        yield
