"""What an answer shows of embargoed advisories is recorded in the answer's own transaction: no record, no reading.

Views say what they show (`note`); `record_all` puts `recorded` around each view of the addresses, which appends one
record as the last thing in the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver

from backports.models import Attempt
from xsa import audit
from xsa.identity import is_cleared, noticing
from xsa.models import Advisory

from .factor import ask_again, fresh_factor
from .refusals import is_api, problem_response

View = Callable[..., HttpResponse]
STALE_FACTOR = ("second-factor", "Prove your second factor again, with a browser, before you take this away.")
AGAIN = timedelta(minutes=10)  # a list that keeps itself up to date is one reading


@dataclass(slots=True)
class Notes:
    """What is shown: numbers of advisories, embargoed or not, the one thing that it is about, and other secrets.

    `embargoed` tells of those that were at hand whether they are; of the others it is asked.
    """

    numbers: set[int] = field(default_factory=set)
    embargoed: dict[int, bool] = field(default_factory=dict)
    thing: Model | None = None
    secret: bool = False


def note(
    request: HttpRequest, advisories: Iterable[Advisory | int] = (), *, thing: Model | None = None, secret: bool = False
) -> None:
    """Say that the answer shows something of these advisories; those that are disclosed are left out later.

    `thing` is the one that the answer is about, where it is no list. `secret` says that there is something of
    nobody's advisory that not everyone may see.
    """
    notes = _notes(request)
    for one in advisories:
        notes.numbers.add(one if isinstance(one, int) else one.number)
        if not isinstance(one, int) and "disclosed_at" not in one.get_deferred_fields():
            notes.embargoed[one.number] = one.embargoed
    notes.thing = thing or notes.thing
    notes.secret = notes.secret or secret


def note_attempts(request: HttpRequest, attempts: Iterable[Attempt]) -> None:
    """Attempts show their advisory, and those that they build on."""
    for attempt in attempts:
        note(request, [attempt.advisory, *attempt.prerequisites])


def _notes(request: HttpRequest) -> Notes:
    found: Notes = request.__dict__.setdefault("shown", Notes())
    return found


def recorded(view: View) -> View:
    """The view, with a record of what it showed, and of the services that saw everything for it."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with noticing() as services:
            response = view(request, *args, **kwargs)
            if hasattr(response, "render") and callable(response.render):
                response = response.render()
        if _takes_secrets_away(request, response) and not fresh_factor(request):
            return problem_response(403, *STALE_FACTOR) if is_api(request) else ask_again(request)
        _record(request, response, services)
        return response

    answer.is_recorded = True  # type: ignore[attr-defined]
    return answer


def _takes_secrets_away(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether this is a download of something embargoed, for which the second factor must be fresh."""
    if response.status_code >= 300 or not _is_download(response) or not is_cleared(request.user):
        return False
    shown = _notes(request)
    return shown.secret or bool(_embargoed(shown))


def _is_download(response: HttpResponse) -> bool:
    return response.get("Content-Disposition", "").startswith("attachment")


def _record(request: HttpRequest, response: HttpResponse, services: set[str]) -> None:
    shown, user = _notes(request), request.user
    # A form that is shown again, with what is wrong in it, is no redirection and shows as much as the page did; that
    # nothing changed since (304) tells as much as reading it again.
    leads_on = 300 <= response.status_code < 400 and response.status_code != HTTPStatus.NOT_MODIFIED
    reads = not leads_on and is_cleared(user)
    numbers = _embargoed(shown) if reads else []
    used: dict[str, Any] = {"services": sorted(services)} if services and user.is_authenticated else {}
    if not (numbers or used or (reads and shown.secret)):
        return
    match = request.resolver_match
    audit.record(
        _verb(response, bool(numbers or shown.secret)),
        actor=user if user.is_authenticated else None,
        advisories=numbers,
        thing=shown.thing,
        once_in=None if shown.thing or used else AGAIN,
        route=match.url_name if match else "",
        **used,
    )


def _embargoed(shown: Notes) -> list[int]:
    known = [number for number, embargoed in shown.embargoed.items() if embargoed]
    unknown = shown.numbers - shown.embargoed.keys()
    if unknown:
        rows = Advisory.objects.filter(number__in=unknown, disclosed_at=None)
        known += rows.values_list("number", flat=True)
    return sorted(known)


def _verb(response: HttpResponse, reads: bool) -> str:
    if not reads:
        return "bypassed"
    return "downloaded" if _is_download(response) else "seen"


def record_all(patterns: list[Any]) -> list[Any]:
    """The addresses, each of whose views is `recorded`."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = recorded(pattern.callback)
        elif isinstance(pattern, URLResolver):
            record_all(pattern.url_patterns)
    return patterns
