"""Time, size and number of queries of pages at the server."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from xsa.models import User


@dataclass(frozen=True, slots=True)
class PageTime:
    """Median and 95th percentile in milliseconds over some runs, the page's size in kilobytes (1000 bytes), and how
    many queries it asks of the database.
    """

    median: float
    p95: float
    kilobytes: float
    queries: int


def page_time(path: str, runs: int = 30, *, client: Client | None = None) -> PageTime:
    """Ask for a page again and again in this process, as the server would; the first, cold one does not count.

    The asker is nobody unless `client` is somebody's.
    """
    asker = client or Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    size = len(asker.get(path).content)
    with CaptureQueriesContext(connection) as asked:
        asker.get(path)
    queries = len(asked)  # now: the next request forgets them
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        answer = asker.get(path)
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.status_code  # noqa: S101
    times.sort()
    return PageTime(statistics.median(times), times[int(len(times) * 0.95)], size / 1000, queries)


def browser_of(user: User) -> Client:
    """Somebody's browser, as if they had just logged in with a second factor."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(user)
    session, now = client.session, time.time()
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [{"method": "password", "at": now}, {"method": "mfa", "at": now}]
    session.save()
    return client
