from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from xsa.identity import NOBODY, Identity, current

_IDENTIFY = """
SELECT set_config('xsa.reader', %s, true), set_config('xsa.everything', %s, true), set_config('xsa.only', %s, true),
       set_config('xsa.speaker', %s, true), set_config('xsa.organisation', %s, true)
"""


class DatabaseWrapper(base.DatabaseWrapper):
    """Each transaction begins with the identity of its thread, and the settings end with it.

    So a connection that is used again, after an exception or a timeout too, carries nobody's. A single query outside
    any transaction gets one of its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._in_transaction)

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc] # the stubs lack it
        if not autocommit and current() != NOBODY:
            self.identify(current())

    def identify(self, identity: Identity) -> None:
        """Tell the open transaction; one that failed, or lost its server, can be told nothing."""
        if self.connection is None or _failed(self.connection):
            return
        with self.connection.cursor() as cursor:
            cursor.execute(_IDENTIFY, astuple(identity))

    def _in_transaction(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if not self.get_autocommit() or current() == NOBODY:
            return execute(sql, params, many, context)
        if not many and not _is_server_side(context["cursor"]):
            return execute(self._introduced(sql, quoting=params is not None), params, many, context)
        with transaction.atomic(using=self.alias):
            return execute(sql, params, many, context)

    def _introduced(self, sql: str, *, quoting: bool) -> str:
        """The query with the identity before it, in one message: PostgreSQL runs these as one transaction.

        A transaction opened and closed around it would go to the server and back three times more.
        """
        with self.connection.cursor() as cursor:
            told = cursor.mogrify(_IDENTIFY, astuple(current())).decode()
        return f"{told.replace('%', '%%') if quoting else told};{sql}"


def _is_server_side(cursor: Any) -> bool:
    """Whether the query becomes part of a DECLARE, before which nothing can be put."""
    return getattr(cursor, "name", None) is not None


def _failed(connection: Any) -> bool:
    """Whether its transaction is over for good: after an error, or because the server is gone."""
    return bool(connection.closed or connection.info.transaction_status == TRANSACTION_STATUS_INERROR)
