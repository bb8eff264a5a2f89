"""The application behind a port of this machine, for programs that ask it as they would ask a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.wsgi import get_wsgi_application
from django.db import connections


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing of requests on the terminal."""


class _OwnConnections(WSGIServer):
    """Closes the database's connections of its thread when it ends."""

    def serve_forever(self, poll_interval: float = 0.05) -> None:
        try:
            super().serve_forever(poll_interval)
        finally:
            connections.close_all()


@contextmanager
def listening() -> Iterator[str]:
    """The address of a server over what is committed."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), _OwnConnections, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
