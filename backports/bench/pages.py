"""Time and size of pages at the server, for a reader who is not logged in."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from django.conf import settings
from django.test import Client


@dataclass(frozen=True, slots=True)
class PageTime:
    """Median and 95th percentile in milliseconds over some runs, and the page's size in kilobytes (1000 bytes)."""

    median: float
    p95: float
    kilobytes: float


def page_time(path: str, runs: int = 30) -> PageTime:
    """Ask for a page again and again in this process, as the server would; the first, cold one does not count."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    size = len(client.get(path).content)
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        answer = client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.status_code  # noqa: S101
    times.sort()
    return PageTime(statistics.median(times), times[int(len(times) * 0.95)], size / 1000)
