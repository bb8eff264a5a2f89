"""A branch: what is missing there, and what of it applies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backports.engine.result import Confidence, Outcome
from backports.export import mbox
from backports.models import Attempt, Branch
from backports.services.sources import STAGING_RANK
from xsa.models import Advisory
from xsa.visibility import visible_advisories

from . import downloads, missing_files, words
from .asking import for_tokens
from .checks import required
from .lookup import attempts_for, branch_or_404
from .pager import page_of
from .seen import note, note_attempts

PAGE = 100
WITHOUT_DATA = ("evidence", "paths", "reasons")


def _current(request: HttpRequest, branch: Branch) -> QuerySet[Attempt]:
    return attempts_for(request).filter(branch=branch, current=True)


@require_safe
def detail(request: HttpRequest, repository: str, branch: str) -> HttpResponse:
    """The branch's facts, its counts by outcome, and the list of what is missing."""
    row = branch_or_404(request, repository, branch)
    current = _current(request, row)
    chosen = request.GET.get("outcome", "")
    chosen = chosen if chosen in words.OUTCOMES or chosen in words.STATES else ""
    counts = _counts(current)
    shown = _chosen(current, chosen)
    page = page_of(_advisories(request, shown), request.GET, PAGE)
    rows = _rows(shown, page.rows)
    note_attempts(request, rows)
    context = {
        "branch": row,
        "repository": row.repository,
        "required": required(request, row),
        "siblings": row.repository.branches.filter(gone=False, history_only=False, rank__lt=STAGING_RANK),
        "counts": counts,
        "missing": sum(one["count"] for one in counts if one["missing"]),
        "open": sum(one["count"] for one in counts if one["word"].value in words.STATES),
        "ready": _ready(current),
        "in_order": missing_files.counted(request, row),
        "kinds": missing_files.KINDS,
        "chosen": words.OUTCOMES.get(chosen) or words.STATES.get(chosen),
        "page": page,
        "rows": rows,
        "different": words.DIFFERENT_PATCHES,
    }
    return render(request, "branches/detail.html", context)


def _counts(current: QuerySet[Attempt]) -> list[dict[str, Any]]:
    """How many cells there are of each outcome, the missing ones first; those not done count by their state."""
    rows = current.order_by().values_list("state", "outcome").annotate(count=Count("pk"))
    found: dict[str, int] = {}
    for state, outcome, count in rows:
        value = outcome if state == Attempt.State.DONE else state
        found[value] = found.get(value, 0) + count
    both = words.OUTCOMES | words.STATES
    listed = [
        {"word": word, "count": found[value], "missing": value not in words.SETTLED}
        for value, word in both.items()
        if value in found
    ]
    return sorted(listed, key=lambda one: not one["missing"])


def _chosen(current: QuerySet[Attempt], chosen: str) -> QuerySet[Attempt]:
    if chosen in words.STATES:
        return current.filter(state=chosen)
    if chosen:
        return current.filter(outcome=chosen, state=Attempt.State.DONE)
    return current.exclude(outcome__in=words.SETTLED)


def _advisories(request: HttpRequest, shown: QuerySet[Attempt]) -> QuerySet[Advisory]:
    columns = ("number", "disclosed_at", "planned_disclosure_at", "current__title", "current__deployment")
    return visible_advisories(request.user).filter(pk__in=shown.order_by().values("advisory")).only(*columns)


def _rows(shown: QuerySet[Attempt], advisories: list[Advisory]) -> list[Attempt]:
    """The attempts of a page's advisories, each holding its advisory as it was fetched."""
    attempts = {
        row.advisory_id: row
        for row in shown.filter(advisory__in=advisories).defer(*WITHOUT_DATA).select_related("source")
    }
    for advisory in advisories:
        attempts[advisory.pk].advisory = advisory
        attempts[advisory.pk].offered = downloads.offered(attempts[advisory.pk])  # type: ignore[attr-defined]
    return [attempts[advisory.pk] for advisory in advisories]


def _applied(current: QuerySet[Attempt], confidence: str) -> QuerySet[Attempt]:
    """The applied ones, oldest advisory first: `high` only, or `review` too."""
    rows = current.filter(outcome=Outcome.APPLIED, state=Attempt.State.DONE).exclude(result="")
    rows = rows.filter(confidence=Confidence.HIGH) if confidence == Confidence.HIGH else rows
    return rows.order_by("advisory__number")


def _ready(current: QuerySet[Attempt]) -> dict[str, int]:
    """How many applied results a download holds, and how many of them are embargoed."""
    every = _applied(current, Confidence.REVIEW)
    return {
        "high": _applied(current, Confidence.HIGH).count(),
        "review": every.count(),
        "embargoed": every.filter(advisory__disclosed_at=None).count(),
    }


@for_tokens
@require_safe
def applied(request: HttpRequest, repository: str, branch: str, suffix: str) -> HttpResponse:
    """All applied fixes of the branch in order, as one mbox or as a tar of patches."""
    row = branch_or_404(request, repository, branch)
    confidence = request.GET.get("confidence", Confidence.HIGH)
    if confidence not in words.CONFIDENCES:
        raise Http404
    attempts = list(
        _applied(_current(request, row), confidence)
        .defer(*WITHOUT_DATA)
        .select_related("advisory", "branch__repository")
    )
    if not attempts:
        raise Http404
    note_attempts(request, attempts)
    note(request, thing=row)
    secrets = downloads.secrets_in(attempts)
    told = [note for one in secrets for note in downloads.embargo_notes(one)]
    name = f"{row.repository.name}-{row.name}-applied-{confidence}.{suffix}"
    named = _named(attempts)
    if suffix == "tar":
        return downloads.deliver(mbox.as_tar(named, told), name, secrets=secrets, kind="application/x-tar")
    data = mbox.as_mbox((patch for _, patches in named for patch in patches), told)
    return downloads.deliver(data, name, secrets=secrets)


def _named(attempts: list[Attempt]) -> Iterator[tuple[str, list[bytes]]]:
    for attempt in attempts:
        yield downloads.stem(attempt), downloads.patches_of(attempt)
