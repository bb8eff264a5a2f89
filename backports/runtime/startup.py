"""A server that could step round the embargo's policies does not start."""

from __future__ import annotations

import logging

from django.db import Error, connection

from backports.runtime.errors import PlatformError
from backports.runtime.health import role_is_plain

log = logging.getLogger(__name__)


def refuse_powerful_role() -> None:
    """Raises PlatformError when the database's role owns something or has a power that it must not have.

    A database that does not answer yet is no reason to refuse: `/healthz` tells of it, and of the role later on.
    """
    try:
        plain = role_is_plain()
    except Error as error:
        log.warning("role not known yet error=%s", type(error).__name__)
        return
    finally:
        connection.close()
    if not plain:
        raise PlatformError(
            "powerful-role",
            "The database's role owns something or has a power that steps round the embargo's policies, so nothing is "
            "served. Connect as backports_app (DATABASE_URL), and run what `manage.py provision_sql` prints again.",
        )
