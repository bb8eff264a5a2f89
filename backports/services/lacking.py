"""What a branch lacks, as far as a reader sees it: per advisory the ways to fix it, in an order that applies."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import F, Q, QuerySet

from backports.engine.result import Outcome
from backports.models import Attempt, Backport, BackportVersion, Branch, Review
from xsa.models import Advisory, Fix
from xsa.services.mined import MINED

from .reviewing import standings

SETTLED = (Outcome.FIXED_UPSTREAM, Outcome.ALREADY_APPLIED, Outcome.NOT_AFFECTED)
"""Outcomes that leave nothing to do on a branch; any other advisory is missing there."""
HEAVY = ("evidence", "paths", "reasons")
_AT_THE_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to fix an advisory on the branch: the newest version of a shared backport, or an attempt's result.

    `approved`: the room's quorum approves that version. `reviews` are those that its reader sees.
    """

    attempt: Attempt | None = None
    version: BackportVersion | None = None
    approved: bool = False
    reviews: Sequence[Review] = ()

    @property
    def base(self) -> str:
        """The commit that it was made on."""
        return self.attempt.tip if self.attempt else self.version.base if self.version else ""

    @property
    def tip(self) -> str:
        """The last of its commits."""
        return self.attempt.result if self.attempt else self.version.result if self.version else ""

    @property
    def needs(self) -> Sequence[int]:
        """The advisories on whose results it was made."""
        backport = self.version.backport if self.version else None
        return self.attempt.prerequisites if self.attempt else backport.prerequisites if backport else ()


@dataclass(slots=True)
class Lacked:
    """An advisory that the branch lacks, with the ways to fix it, the best first; `why` says why there is none."""

    advisory: Advisory
    ways: list[Way] = field(default_factory=list)
    why: tuple[str, str] = ("no-backport", "Nothing was tried yet, and no backport is shared.")


def lacked_on(
    branch: Branch, *, attempts: QuerySet[Attempt], backports: QuerySet[Backport], reviews: QuerySet[Review]
) -> list[Lacked]:
    """Every advisory that the branch lacks: prerequisites before what builds on them, else by date and number.

    The rows are those that the reader may see; an advisory of which no attempt is visible counts when somebody shared
    a backport. The time of disclosure is the date; what is embargoed comes last.
    """
    cells = attempts.filter(branch=branch, current=True).select_related("advisory__current", "branch__repository")
    rows = {row.advisory_id: row for row in cells.defer(*HEAVY)}
    found = {row.advisory.number: _cell(row) for row in rows.values() if row.outcome not in SETTLED}
    for way in _shared(branch, backports, reviews):
        advisory = way.version.backport.advisory if way.version else None
        if advisory and (advisory.number in found or advisory.pk not in rows):
            found.setdefault(advisory.number, Lacked(advisory)).ways.append(way)
    for one in found.values():
        one.ways.sort(key=_merit)
    return _ordered(list(found.values()), _needs(branch, found.values()))


def _cell(row: Attempt) -> Lacked:
    usable = row.outcome == Outcome.APPLIED or (row.outcome == Outcome.NEEDS_PREREQUISITE and row.prerequisites)
    if row.state != Attempt.State.DONE:
        return Lacked(row.advisory, why=("not-tried", "It is not tried yet, and no backport is shared."))
    if usable and row.result:
        return Lacked(row.advisory, [Way(attempt=row)])
    sentence = f"The attempt is {row.outcome}, and no backport that applies is shared."
    return Lacked(row.advisory, why=(str(row.outcome), sentence))


def _shared(branch: Branch, backports: QuerySet[Backport], reviews: QuerySet[Review]) -> list[Way]:
    """The newest versions that landed whole, with what is said of them."""
    wanted = {"life": Backport.Life.SHARED, "current__outcome": Outcome.APPLIED}
    related = ("advisory__current", "branch__repository", "organisation", "current")
    found = backports.filter(branch=branch, **wanted).exclude(current__result="").select_related(*related)
    rows = list(found.defer("current__evidence", "current__compared"))
    said = list(reviews.filter(version__backport__in=rows).select_related("organisation", "version"))
    standing = standings(rows, said)
    ways = []
    for row in rows:
        assert row.current is not None  # noqa: S101 - its outcome was asked for
        row.current.backport = row
        own = [one for one in said if one.version.backport_id == row.pk]
        ways.append(Way(version=row.current, approved=standing[row.pk].met, reviews=own))
    return [way for way, row in zip(ways, rows, strict=True) if not standing[row.pk].object]


def _merit(way: Way) -> tuple[bool, bool, float]:
    """What a quorum approves, then what is shared, the newest first, then our own result."""
    made = way.version.made_at.timestamp() if way.version else 0.0
    return not way.approved, way.version is None, -made


def _needs(branch: Branch, lacked: Iterable[Lacked]) -> Mapping[int, set[int]]:
    """Per advisory the others that its fixes, or the ways at hand, build on."""
    rows = list(lacked)
    needs: dict[int, set[int]] = defaultdict(set)
    for one in rows:
        needs[one.advisory.number].update(*(way.needs for way in one.ways))
    fixes = Fix.objects.filter(
        Q(version=F("version__advisory__current")) | Q(version__number=MINED),
        tree=branch.repository.project,
        version__advisory__in=[one.advisory for one in rows],
    )
    for number, numbers in fixes.values_list("version__advisory__number", "prerequisites"):
        needs[number].update(numbers)
    return needs


def _ordered(lacked: Collection[Lacked], needs: Mapping[int, set[int]]) -> list[Lacked]:
    """Those first that nothing in wait is needed by; where some need one another in a circle, the oldest of them."""
    waiting = {one.advisory.number: one for one in lacked}
    ahead = {number: (needs.get(number, set()) & waiting.keys()) - {number} for number in waiting}
    ready = [_key(one) for number, one in waiting.items() if not ahead[number]]
    heapq.heapify(ready)
    found = []
    while waiting:
        number = heapq.heappop(ready)[1] if ready else min(map(_key, waiting.values()))[1]
        found.append(waiting.pop(number))
        for other in waiting:
            if number in ahead[other]:
                ahead[other].discard(number)
                if not ahead[other]:
                    heapq.heappush(ready, _key(waiting[other]))
    return found


def _key(one: Lacked) -> tuple[datetime, int]:
    return one.advisory.disclosed_at or _AT_THE_END, one.advisory.number
