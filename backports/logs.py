"""How a line of the logs is written: an error's type and the places it passed, never its message.

The message of an exception may quote a row, a patch or a title.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(logging.Formatter):
    """A formatter for every handler."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line itself; Celery's own about a failed task quotes the exception, and is written anew."""
        if record.name == "celery.app.trace" and record.exc_info and record.exc_info[0]:
            data = getattr(record, "data", {})
            error = record.exc_info[0].__name__
            record.message = f"task failed task={data.get('name')} id={data.get('id')} error={error}"
        return super().formatMessage(record)

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - the name is logging's
        """Where it passed, outermost first, and its type."""
        kind, _, places = ei
        return "".join(traceback.format_tb(places)) + (kind.__name__ if kind else "")
