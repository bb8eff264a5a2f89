"""How far the attempts are: what is done of what, how fast, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from backports.models import Attempt

from .words import SETTLED

WINDOW = timedelta(minutes=1)
_TRIED = ~Q(because="upstream")  # those are known without trying, all at once


def tally(attempts: QuerySet[Attempt]) -> list[dict[str, Any]]:
    """Per branch the number of attempts by state, those missing, and those finished within the last minute."""
    lately = Q(finished_at__gte=timezone.now() - WINDOW) & _TRIED
    rows: Iterable[Any] = (
        attempts.order_by()
        .values("branch_id")
        .annotate(
            total=Count("pk"),
            waiting=Count("pk", filter=Q(state="waiting")),
            running=Count("pk", filter=Q(state="running")),
            missing=Count("pk", filter=~Q(outcome__in=SETTLED)),
            lately=Count("pk", filter=lately),
            since=Min("finished_at", filter=lately),
        )
    )
    return list(rows)


@dataclass(frozen=True, slots=True)
class Progress:
    """Attempts done of `total`; `rate` is in attempts per second over the last minute."""

    total: int
    waiting: int
    running: int
    rate: float
    missing: dict[UUID, int]

    @property
    def done(self) -> int:
        return self.total - self.open

    @property
    def open(self) -> int:
        return self.waiting + self.running

    @property
    def remaining(self) -> str:
        """How long the rest will take at this rate, in words; "" when nobody can know."""
        if not self.open or not self.rate:
            return ""
        seconds = round(self.open / self.rate)
        if seconds < 60:
            return f"{max(1, seconds)} s"
        minutes = round(seconds / 60)
        return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"


def progress(rows: Iterable[dict[str, Any]]) -> Progress:
    """The sum over branches of `tally`."""
    rows = list(rows)
    starts = [row["since"] for row in rows if row["since"]]
    return Progress(
        total=sum(row["total"] for row in rows),
        waiting=sum(row["waiting"] for row in rows),
        running=sum(row["running"] for row in rows),
        rate=_rate(sum(row["lately"] for row in rows), min(starts, default=None)),
        missing={row["branch_id"]: row["missing"] for row in rows},
    )


def _rate(finished: int, since: datetime | None) -> float:
    if since is None:
        return 0.0
    return finished / max(1.0, (timezone.now() - since).total_seconds())
