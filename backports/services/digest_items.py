"""What is new for a reader: things that happened, and what draws near; each as its reader's own pages show it.

Everything is asked in the reader's name (`reading`) and through `visible_to`: the caller does the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Model, Q
from django.urls import reverse

from backports.mail.letters import File
from backports.models import Attempt, Backport, Branch, Check, Claim, Event, Review, VersionPatch
from backports.services import events
from xsa.models import Advisory, AdvisoryVersion, PatchFile, PlannedDate
from xsa.visibility import Reader, own_organisations, visible_to

UTC = "%Y-%m-%d %H:%M UTC"
AHEAD = (timedelta(hours=48), timedelta(hours=4))
CLAIM_ENDS = timedelta(hours=24)
FILES = 1 << 20  # bytes of attachments in one mail
BROKEN = (Check.State.FAILURE, Check.State.ERROR)


@dataclass(frozen=True, slots=True)
class Window:
    """Events with positions over `since` up to `until`, and the time between `since_at` and `until_at`."""

    since: int
    until: int
    since_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to tell: under which heading, in which words, where it is shown. `thing` is the same for all readers.

    `own`: it is told to its organisation alone, and never to the list.
    """

    heading: str
    number: int
    words: str
    path: str
    thing: str
    own: bool = False
    files: tuple[File, ...] = ()


AHEAD_HEADING = "Disclosures ahead"
HEADINGS = (
    AHEAD_HEADING,
    "Advisories",
    "Dates that moved",
    "Disclosed",
    "Verdicts on your branches",
    "Backports shared",
    "Reviews wanted from you",
    "Checks that broke",
    "Claims about to end",
)


def may_be_new(window: Window) -> bool:
    """Whether there may be something for anybody; asked with all eyes, so that nobody's are needed where nothing is."""
    if window.until > window.since:
        return True
    ends = Q(until__gt=window.since_at + CLAIM_ENDS, until__lte=window.until_at + CLAIM_ENDS)
    near = Q()
    for left in AHEAD:
        at = "planned_disclosure_at"
        near |= Q(**{f"{at}__gt": window.since_at + left, f"{at}__lte": window.until_at + left})
    return Claim.objects.filter(ends, ended_at=None).exists() or Advisory.objects.filter(near).exists()


def items(user: Reader, window: Window, *, with_files: bool = False) -> list[Item]:
    """What is new for this reader, in the order of the headings; with the patches, where they are asked for."""
    return sorted(_found(user, window, with_files=with_files), key=lambda one: HEADINGS.index(one.heading))


def first(user: Reader, window: Window, *, for_the_list: bool = False) -> list[Item]:
    """Anything that is new for this reader, or nothing: no more is asked than that takes."""
    return list(islice((one for one in _found(user, window) if not (for_the_list and one.own)), 1))


def _found(user: Reader, window: Window, *, with_files: bool = False) -> Iterator[Item]:
    yield from _ahead(user, window)
    yield from _of_events(user, window, with_files=with_files)
    yield from _claims(user, window)


def draws_near(user: Reader, window: Window) -> list[Item]:
    """The disclosures alone that came within 48 or 4 hours."""
    return list(_ahead(user, window))


def _ahead(user: Reader, window: Window) -> Iterator[Item]:
    last = window.until_at + max(AHEAD)
    rows = visible_to(user, Advisory.objects.select_related("current")).filter(disclosed_at=None)
    for row in rows.filter(planned_disclosure_at__gt=window.since_at, planned_disclosure_at__lte=last):
        at = row.planned_disclosure_at
        crossed = [left for left in AHEAD if at and window.since_at < at - left <= window.until_at]
        if not at or not crossed or at <= window.until_at:
            continue
        hours = min(crossed) // timedelta(hours=1)
        words = f"XSA-{row.number}{_title(row)}: disclosure planned for {at:{UTC}}, in less than {hours} hours"
        yield Item(AHEAD_HEADING, row.number, words, reverse("advisory", args=[row.number]), f"ahead {row.pk} {hours}")


def _title(row: Advisory) -> str:
    return f" ({row.current.title})" if row.current and row.current.title else ""


def _claims(user: Reader, window: Window) -> Iterator[Item]:
    rows = visible_to(user, Claim.objects.select_related("advisory", "branch__repository"))
    rows = rows.filter(organisation__in=own_organisations(user), ended_at=None)
    ends = Q(until__gt=window.since_at + CLAIM_ENDS, until__lte=window.until_at + CLAIM_ENDS)
    for row in rows.filter(ends, until__gt=window.until_at).order_by("until", "pk"):
        number = row.advisory.number
        words = f"XSA-{number} on {_branch(row.branch)}: your claim ends {row.until:{UTC}}"
        yield Item(
            "Claims about to end", number, words, reverse("advisory", args=[number]), f"claim {row.pk}", own=True
        )


def _branch(row: Branch) -> str:
    return f"{row.repository.name} {row.name}"


def _of_events(user: Reader, window: Window, *, with_files: bool) -> Iterator[Item]:
    rows = Event.objects.filter(position__gt=window.since, position__lte=window.until, kind__in=_TOLD)
    rows = rows.select_related("advisory__current", "branch__repository", "organisation")
    seen = list(visible_to(user, rows).order_by("position"))
    told = _Told(user, seen, with_files=with_files)
    latest = {(row.kind, row.advisory_id, row.branch_id, row.thing if row.kind in _EACH else None): row for row in seen}
    known: set[str] = set()
    for row in sorted(latest.values(), key=lambda one: one.position):
        # A backport that was shared and got a version since is one thing, whichever event tells of it.
        fresh = [one for one in _TOLD[row.kind](told, row) if one.thing not in known]
        known.update(one.thing for one in fresh)
        yield from fresh


class _Told:
    """The things that events are about, as far as this reader may see them now."""

    def __init__(self, user: Reader, rows: Sequence[Event], *, with_files: bool) -> None:
        self.user, self.rows, self.with_files = user, rows, with_files
        self._files: dict[type[Model], dict[UUID, list[File]]] = {}
        self._reviewed: set[UUID] | None = None
        self.own = set(own_organisations(user))
        self._things: dict[type[Model], dict[UUID, Any]] = {}

    def thing(self, model: type[Model], event: Event, *related: str) -> Any:
        """What the event is about; None where it is not there for this reader. One query for each model."""
        if model not in self._things:
            ids = [row.thing for row in self.rows if row.thing]
            found = visible_to(self.user, model._default_manager.filter(pk__in=ids))
            found = found.select_related(*related) if related else found
            self._things[model] = {row.pk: row for row in found}
        return self._things[model].get(event.thing) if event.thing else None

    def files(self, model: type[PatchFile] | type[VersionPatch], version: UUID) -> tuple[File, ...]:
        """The patches of one version, of all that were told of in one query; none where they are not asked for."""
        if not self.with_files:
            return ()
        if model not in self._files:
            wanted = self._things.get(AdvisoryVersion, {}) if model is PatchFile else self._current
            rows: Any = visible_to(self.user, model._default_manager.filter(version__in=list(wanted)))
            rows = rows.filter(kind=PatchFile.Kind.PATCH) if model is PatchFile else rows.order_by("position")
            by: dict[UUID, list[File]] = {}
            for row in rows:
                name = row.name or f"{getattr(row, 'position', 0) + 1:04}.patch"
                by.setdefault(row.version_id, []).append(File(name, bytes(row.data)))
            self._files[model] = by
        return tuple(self._files[model].get(version, ()))

    @property
    def _current(self) -> list[UUID]:
        return [row.current_id for row in self.backports.values() if row.current_id]

    @cached_property
    def backports(self) -> dict[UUID | None, Backport]:
        """Those that the events are about, or whose newest version is."""
        ids = [row.thing for row in self.rows if row.thing]
        found = visible_to(self.user, Backport.objects.filter(Q(pk__in=ids) | Q(current__in=ids)))
        return {row.pk: row for row in found.select_related("organisation", "branch__repository", "current")}

    @cached_property
    def renewed(self) -> dict[UUID | None, Backport]:
        """The same by their newest version."""
        return {row.current_id: row for row in self.backports.values() if row.current_id}

    def is_reviewed(self, version: UUID) -> bool:
        """Whether one of the reader's own organisations said something of it."""
        if self._reviewed is None:
            rows = Review.objects.filter(version__in=self._current, organisation__in=self.own)
            self._reviewed = set(visible_to(self.user, rows).values_list("version", flat=True))
        return version in self._reviewed

    def is_mine(self, branch: Branch | None) -> bool:
        """Whether a branch is of the reader's own organisation's, or it works on it: a claim or a backport there."""
        return branch is not None and branch.pk in self._mine()

    def _mine(self) -> set[UUID]:
        if not hasattr(self, "_branches"):
            own = Branch.objects.filter(repository__organisation__in=self.own).values_list("pk", flat=True)
            claimed = visible_to(self.user, Claim.objects.filter(organisation__in=self.own))
            ported = visible_to(self.user, Backport.objects.filter(organisation__in=self.own))
            works = [rows.values_list("branch", flat=True) for rows in (claimed, ported)]
            self._branches = {*own, *works[0], *works[1]}
        return self._branches


def _version(told: _Told, event: Event) -> Iterator[Item]:
    row = told.thing(AdvisoryVersion, event)
    if row is None:
        return
    at = event.advisory.planned_disclosure_at
    plan = f"; disclosure planned for {at:{UTC}}" if at and event.advisory.embargoed else ""
    number = event.advisory.number
    yield Item(
        "Advisories",
        number,
        f"XSA-{number} v{row.number}: {row.title or 'without a title'}{plan}",
        reverse("advisory", args=[number]),
        f"version {row.pk}",
        files=told.files(PatchFile, row.pk),
    )


def _moved(told: _Told, event: Event) -> Iterator[Item]:
    row = told.thing(PlannedDate, event)
    if row is None or not row.moved:
        return
    number = event.advisory.number
    now = f"is {row.planned_at:{UTC}}" if row.planned_at else "is open"
    words = f"XSA-{number}: the planned disclosure {now}, it was {row.moved_from:{UTC}}"
    yield Item("Dates that moved", number, words, reverse("advisory", args=[number]), f"plan {row.pk}")


def _disclosed(_: _Told, event: Event) -> Iterator[Item]:
    number = event.advisory.number
    words = f"XSA-{number}{_title(event.advisory)} was disclosed"
    yield Item("Disclosed", number, words, reverse("advisory", args=[number]), f"disclosed {number}")


def _attempt(told: _Told, event: Event) -> Iterator[Item]:
    row = told.thing(Attempt, event) if told.is_mine(event.branch) else None
    if row is None or event.branch is None or not row.outcome:
        return
    number = event.advisory.number
    confidence = f", confidence {row.confidence}" if row.confidence else ""
    words = f"XSA-{number} on {_branch(event.branch)}: {row.outcome}{confidence}"
    yield Item(
        "Verdicts on your branches", number, words, reverse("attempt", args=[row.pk]), f"attempt {row.pk}", own=True
    )


def _shared(told: _Told, event: Event) -> Iterator[Item]:
    """A backport that was given to the room, with its newest version."""
    yield from _newest(told, event, told.backports.get(event.thing))


def _renewed(told: _Told, event: Event) -> Iterator[Item]:
    """A version of what the room has already; where there is a newer one, that one's own event tells of it."""
    if event.shared_at is not None:
        yield from _newest(told, event, told.renewed.get(event.thing))


def _newest(told: _Told, event: Event, row: Backport | None) -> Iterator[Item]:
    if row is None or row.life != Backport.Life.SHARED or row.current is None:
        return
    number, version = event.advisory.number, row.current
    place = f"XSA-{number} on {_branch(row.branch)}: {row.organisation.name} v{version.number}, {version.outcome}"
    path = reverse("backport", args=[row.pk])
    files = told.files(VersionPatch, version.pk)
    yield Item("Backports shared", number, place, path, f"backport {row.pk} {version.number}", files=files)
    if row.organisation_id not in told.own and told.own and not told.is_reviewed(version.pk):
        yield Item("Reviews wanted from you", number, place, path, f"wanted {row.pk} {version.number}", own=True)


def _check(told: _Told, event: Event) -> Iterator[Item]:
    row = told.thing(Check, event, "version__backport__branch__repository", "organisation")
    if row is None or row.state not in BROKEN:
        return
    backport = row.version.backport
    if backport.organisation_id not in told.own:
        return
    number = event.advisory.number
    place = f"XSA-{number} on {_branch(backport.branch)} v{row.version.number}"
    words = f"{place}: {row.name} of {row.organisation.name} says {row.state}"
    yield Item("Checks that broke", number, words, reverse("check", args=[row.pk]), f"check {row.pk}", own=True)


_TOLD: dict[str, Callable[[_Told, Event], Iterator[Item]]] = {
    events.ADVISORY_VERSION: _version,
    events.PLAN_MOVED: _moved,
    events.ADVISORY_DISCLOSED: _disclosed,
    events.ATTEMPT_FINISHED: _attempt,
    events.BACKPORT_SHARED: _shared,
    events.BACKPORT_VERSION: _renewed,
    events.CHECK_RESULT: _check,
}
# Of these each event is told; of the others the last one of an advisory on a branch.
_EACH = (events.ADVISORY_VERSION, events.BACKPORT_SHARED, events.BACKPORT_VERSION, events.CHECK_RESULT)
