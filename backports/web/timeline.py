"""The timeline of an advisory: what happened, newest first; what came since the reader last said so is marked.

Reading marks nothing, since a browser may read ahead of its person: who has seen it says so with a button.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from backports.models import Attempt, Backport, BackportVersion, Check, Claim, Comment, Event, Review
from backports.services import events, looking
from xsa.models import Advisory, AdvisoryVersion, Organisation, PlannedDate, Statement
from xsa.visibility import visible_to

from . import words
from .actor import actor
from .lookup import advisory_or_404
from .pager import page_of

PAGE = 100
UTC = "%Y-%m-%d %H:%M UTC"


@dataclass(slots=True)
class Entry:
    """Something that happened, on one branch or on several that follow each other with the same words.

    `who` is the organisation that did it; none for what came from outside or was done by the ladder.
    """

    event: Event
    who: Organisation | None
    words: str
    href: str
    fresh: bool
    branches: list[str] = field(default_factory=list)

    @property
    def at(self) -> datetime:
        """When it happened; of several the last."""
        return self.event.at


def _version(_: Event, row: AdvisoryVersion) -> tuple[str, str]:
    return f"version {row.number} of the advisory came in", ""


def _disclosed(_: Event, __: Any) -> tuple[str, str]:
    return "the advisory was disclosed", ""


def _attempt(_: Event, row: Attempt) -> tuple[str, str]:
    name = words.OUTCOMES[row.outcome].name if row.outcome in words.OUTCOMES else "tried again"
    return f"the ladder tried: {name}", reverse("attempt", args=[row.pk])


def _backport_version(_: Event, row: BackportVersion) -> tuple[str, str]:
    name = words.OUTCOMES[row.outcome].name
    return f"uploaded v{row.number}: {name}", reverse("backport_version", args=[row.backport_id, row.number])


def _shared(_: Event, row: Backport) -> tuple[str, str]:
    return "shared their backport", reverse("backport", args=[row.pk])


def _withdrawn(_: Event, row: Backport) -> tuple[str, str]:
    what = "said what supersedes their backport" if row.life == Backport.Life.SUPERSEDED else "withdrew their backport"
    return what, reverse("backport", args=[row.pk])


def _claimed(event: Event, row: Claim) -> tuple[str, str]:
    also = ", beside others" if row.also else ""
    return f"on it until {row.until:{UTC}}{also}", _on_advisory(event, "claims")


def _offered(event: Event, __: Claim) -> tuple[str, str]:
    return "offered to hand over", _on_advisory(event, "claims")


def _ended(event: Event, row: Claim) -> tuple[str, str]:
    why = row.get_ended_because_display().lower()
    return f"not on it any more: {why}" if why else "not on it any more", _on_advisory(event, "claims")


def _checked(event: Event, row: Check) -> tuple[str, str]:
    what = f"v{row.version.number}{_whose(event, row)}"
    return f"a machine says of {what}: {row.name} {row.state}", reverse("check", args=[row.pk])


def _stated(event: Event, row: Statement) -> tuple[str, str]:
    return f"says of {row.branch}: {row.get_state_display().lower()}", _on_advisory(event, "statements")


def _moved(_: Event, row: PlannedDate) -> tuple[str, str]:
    return f"the planned disclosure is {row.planned_at:{UTC}}" if row.planned_at else "no disclosure is planned", ""


def _reviewed(event: Event, row: Review) -> tuple[str, str]:
    link = reverse("backport_version", args=[row.version.backport_id, row.version.number])
    return f"says of v{row.version.number}{_whose(event, row)}: {row.get_verdict_display()}", f"{link}#review-{row.pk}"


def _commented(event: Event, row: Comment) -> tuple[str, str]:
    if row.backport_id is None:
        return "wrote a comment", _on_advisory(event, "talk")
    return f"wrote a comment on the backport{_whose(event, row)}", reverse("backport", args=[row.backport_id])


def _whose(event: Event, row: Review | Comment | Check) -> str:
    """Whose backport it is about, which is what the event names, where somebody else speaks of it."""
    owner = event.organisation
    return f" of {owner.name}" if owner and row.organisation_id != owner.pk else ""


def _on_advisory(event: Event, part: str) -> str:
    return f"{reverse('advisory', args=[event.advisory.number])}#{part}"


@dataclass(frozen=True, slots=True)
class Kind:
    """How events of a kind are told: of which thing, in which words."""

    model: type[Model] | None
    tell: Callable[[Event, Any], tuple[str, str]]
    related: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


KINDS = {
    events.ADVISORY_VERSION: Kind(AdvisoryVersion, _version, without=("sections",)),
    events.ADVISORY_DISCLOSED: Kind(None, _disclosed),
    events.ATTEMPT_FINISHED: Kind(Attempt, _attempt, without=("evidence", "paths", "reasons")),
    events.BACKPORT_VERSION: Kind(BackportVersion, _backport_version, without=("evidence", "compared", "hunk_keys")),
    events.BACKPORT_SHARED: Kind(Backport, _shared),
    events.BACKPORT_WITHDRAWN: Kind(Backport, _withdrawn),
    events.CLAIM_MADE: Kind(Claim, _claimed),
    events.CLAIM_OFFERED: Kind(Claim, _offered),
    events.CLAIM_ENDED: Kind(Claim, _ended),
    events.CHECK_RESULT: Kind(Check, _checked, ("organisation", "version"), ("log",)),
    events.STATEMENT_MADE: Kind(Statement, _stated),
    events.PLAN_MOVED: Kind(PlannedDate, _moved),
    events.REVIEW_GIVEN: Kind(Review, _reviewed, ("organisation", "version")),
    events.COMMENT_MADE: Kind(Comment, _commented, ("organisation",)),
}


@require_http_methods(["GET", "HEAD", "POST"])
def timeline(request: HttpRequest, number: int) -> HttpResponse:
    """What happened; a POST says up to which event the reader has seen it."""
    advisory = advisory_or_404(request, number)
    rows = looking.timeline(request.user, advisory)
    if request.method == "POST":
        return _mark(request, advisory, rows)
    page = page_of(rows, request.GET, PAGE, order="position", cursor="pk", find=partial(_position, rows))
    until = looking.seen_until(request.user, advisory)
    context = {
        "advisory": advisory,
        "page": page,
        "entries": entries(request, page.rows, until),
        "fresh": sum(1 for row in page.rows if until is not None and row.position > until),
        "marked": until is not None,
        "newest": page.rows[0] if page.rows and not page.newer else None,
    }
    return render(request, "timeline/page.html", context)


def _mark(request: HttpRequest, advisory: Advisory, rows: QuerySet[Event]) -> HttpResponse:
    position = _position(rows, request.POST.get("event"))
    if position is None:
        raise BadRequest("No such event.")
    looking.mark(actor(request), event=rows.get(position=position))
    return redirect("timeline", advisory.number)


def _position(rows: QuerySet[Event], name: str | None) -> int | None:
    try:
        return rows.filter(pk=name).values_list("position", flat=True).first() if name else None
    except ValidationError:
        return None


def entries(request: HttpRequest, rows: Sequence[Event], until: int | None) -> list[Entry]:
    """The events in words; those that say the same of one branch after another are one."""
    things = _things(request, rows)
    found: list[Entry] = []
    for row in rows:
        told = _told(row, things)
        if told is None:
            continue
        fresh = until is not None and row.position > until
        one = Entry(row, _who(row, things), *told, fresh, [_place(row)] if row.branch else [])
        if not (found and _joined(found[-1], one)):
            found.append(one)
    return found


def _told(row: Event, things: dict[UUID, Any]) -> tuple[str, str] | None:
    """None where what it is about is not there for the reader any more."""
    kind = KINDS[row.kind]
    if kind.model is None:
        return kind.tell(row, None)
    thing = things.get(row.thing) if row.thing else None
    return kind.tell(row, thing) if thing is not None else None


def _who(row: Event, things: dict[UUID, Any]) -> Organisation | None:
    """Who did it: of what is said of a backport that is who said it, else the organisation that the event names."""
    thing = things.get(row.thing) if row.thing else None
    return thing.organisation if isinstance(thing, Review | Comment | Check) else row.organisation


def _joined(last: Entry, one: Entry) -> bool:
    same = (last.event.kind, last.who, last.words, last.fresh)
    if not one.branches or same != (one.event.kind, one.who, one.words, one.fresh):
        return False
    if one.branches[0] not in last.branches:
        last.branches.append(one.branches[0])
    last.href = ""
    return True


def _place(row: Event) -> str:
    branch = row.branch
    return f"{branch.repository.name} {branch.name}" if branch else ""


def _things(request: HttpRequest, rows: Iterable[Event]) -> dict[UUID, Any]:
    """What the events are about, as far as the reader may see it: one query for each kind of thing."""
    wanted: dict[type[Model], tuple[Kind, list[UUID]]] = {}
    for row in rows:
        kind = KINDS[row.kind]
        if kind.model is not None and row.thing:
            wanted.setdefault(kind.model, (kind, []))[1].append(row.thing)
    found: dict[UUID, Any] = {}
    for model, (kind, ids) in wanted.items():
        seen: QuerySet[Any] = visible_to(request.user, model._default_manager.filter(pk__in=ids))
        for thing in (
            seen.select_related(*kind.related).defer(*kind.without) if kind.related else seen.defer(*kind.without)
        ):
            found[thing.pk] = thing
    return found
