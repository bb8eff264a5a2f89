"""How often one token, person or address may ask: counted in the database, for all processes together.

The counting is a statement of its own before the answer's transaction, so that what fails counts too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from backports.web.refusals import problem_response

WINDOW = 60  # seconds
_COUNT = """
INSERT INTO backports_ratewindow AS known (key, starts, used) VALUES (%s, %s, 1)
ON CONFLICT (key) DO UPDATE SET
  used = CASE WHEN known.starts = EXCLUDED.starts THEN known.used + 1 ELSE 1 END, starts = EXCLUDED.starts
RETURNING used
"""
TOO_OFTEN = "You asked too often. `Retry-After` says in how many seconds you are answered again."


class Rates:
    """Refuses what comes too often, before anything is looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        if not getattr(view, "is_endpoint", False):
            return None
        what = "read" if request.method in ("GET", "HEAD") else "change"
        now = int(time.time())
        if count(f"{who(request)} {what}", now) <= settings.API_RATES[what]:
            return None
        wait = str(WINDOW - now % WINDOW)
        headers = {"Retry-After": wait, "Cache-Control": "no-store"}
        return problem_response(429, "too-many-requests", TOO_OFTEN, headers=headers)


def who(request: HttpRequest) -> str:
    """Whose requests are counted together."""
    if (token := getattr(request, "token", None)) is not None:
        return f"token {token.pk}"
    if request.user.is_authenticated:
        return f"person {request.user.pk}"
    return f"address {request.META.get('REMOTE_ADDR', '')}"


def count(name: str, now: int) -> int:
    """Count one more; how many there were in this minute, with it."""
    key = salted_hmac("backports.api.rates", name, algorithm="sha256").hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key, now - now % WINDOW])
        (used,) = cursor.fetchone()
    return int(used)
