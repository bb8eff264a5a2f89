"""The session engine (`SESSION_ENGINE`): sessions in the database, each with the person that it belongs to."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from xsa.models import Session


class SessionStore(DatabaseStore):
    """Django's own, with `Session` for its table."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row; before anybody logged in it is nobody's."""
        row = cast("Session", super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        return row
