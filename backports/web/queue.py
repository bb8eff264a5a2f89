"""The queue: what waits, what runs, what failed, and who works."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backports.engine.result import Outcome
from backports.models import Attempt
from backports.services.heartbeats import SCHEDULER, alive
from xsa.permissions import can_see_worker_names

from .lookup import attempts_for
from .progress import progress, tally
from .seen import note_attempts

SHOWN = 30


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """The current attempts by state, as far as the reader may see them; so are the counts."""
    current = attempts_for(request).filter(current=True)
    beats = alive()
    failed = current.filter(state="done", outcome__in=[Outcome.ERROR, Outcome.MALFORMED])
    lists = {
        "running": _some(current.filter(state="running").order_by("started_at", "pk")),
        "waiting": _some(current.filter(state="waiting").order_by("-advisory__number", "-branch__rank")),
        "failed": _some(failed.order_by("-finished_at", "pk")),
        "finished": _some(_tried(current).order_by("-finished_at", "pk")),
    }
    for rows in lists.values():
        note_attempts(request, rows)
    context = {
        **lists,
        "progress": progress(tally(current)),
        "last_hour": _finished(current, hours=1),
        "workers": [beat for beat in beats if beat.name != SCHEDULER],
        "scheduler": any(beat.name == SCHEDULER for beat in beats),
        "names": bool(can_see_worker_names(request.user)),
        "failed_count": failed.count(),
        "shown": SHOWN,
    }
    return render(request, "queue/page.html", context)


def _tried(current: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Those that were done by a worker."""
    return current.filter(state="done").exclude(because="upstream")


def _finished(current: QuerySet[Attempt], *, hours: int) -> int:
    since = timezone.now() - timedelta(hours=hours)
    found = _tried(current).aggregate(count=Count("pk", filter=Q(finished_at__gte=since)))
    return int(found["count"])


def _some(rows: QuerySet[Attempt]) -> list[Attempt]:
    related = rows.select_related("advisory", "branch__repository").defer("evidence", "paths", "reasons")
    return list(related[:SHOWN])
