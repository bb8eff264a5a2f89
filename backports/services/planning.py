"""Which cells of the matrix need a new attempt, and why."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F, Prefetch, Q
from django.utils import timezone

from backports.engine.result import Outcome
from backports.models import Attempt, Branch, Repository, UpstreamFix
from xsa.models import Advisory, Fix, FixPatch
from xsa.services.mined import MINED

from .names import NO_NAMES, is_filled
from .sources import MASTER_RANK, STAGING_RANK, by_nearness, input_key, nothing_to_apply
from .steps import is_new_above, may_step, neighbours, step
from .trying import ENGINE

log = logging.getLogger(__name__)
FIRST_RANK = 401  # 4.1: the oldest branch that is tried
# Errors of the place where it ran, not of the fix: the next plan tries again.
PASSING = (
    "broken-index",
    "broken-store",
    "git-missing",
    "mirror-missing",
    "not-a-repository",
    "ref-busy",
    "timeout",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What planning changed: cells to try now, and cells known to be fixed upstream."""

    to_try: int
    fixed: int


def tried_branches(repository: Repository) -> list[Branch]:
    """The branches on which fixes are tried: stable ones from 4.1 on; `master` and `staging` are upstream's own."""
    rows = repository.branches.filter(history_only=False, gone=False, rank__gte=FIRST_RANK)
    return [branch for branch in rows if branch.rank not in (MASTER_RANK, STAGING_RANK)]


def fixes_for(project: str, advisories: Iterable[Advisory]) -> dict[UUID, list[Fix]]:
    """Per advisory id the fixes that count: those of the current version and those found in the repository."""
    patches = Prefetch("patches", FixPatch.objects.select_related("file").defer("file__data"))
    rows = (
        Fix.objects.filter(tree=project, version__advisory__in=advisories)
        .filter(Q(version=F("version__advisory__current")) | Q(version__number=MINED))
        .select_related("version")
        .prefetch_related(patches)
    )
    found: dict[UUID, list[Fix]] = defaultdict(list)
    for fix in sorted(rows, key=lambda fix: fix.version.number, reverse=True):
        found[fix.version.advisory_id].append(fix)
    return found


@transaction.atomic
def plan(
    repository: Repository,
    *,
    because: str,
    advisories: Sequence[Advisory] | None = None,
    branches: Sequence[Branch] | None = None,
) -> Plan:
    """Make an attempt for each cell whose outcome may have changed; `because` says what changed.

    A cell that is tried already with the same sources and on the same tip is left alone.
    """
    one_planner(repository.pk)
    wanted = list(Advisory.objects.all() if advisories is None else advisories)
    columns = [*(tried_branches(repository) if branches is None else branches)]
    return _Planner(repository, wanted, columns, because).run()


def one_planner(repository: UUID) -> None:
    """Wait for others who plan this repository, or two would both make the current attempt of a cell."""
    Repository.objects.select_for_update().get(pk=repository)


def key_now(attempt: Attempt) -> str:
    """The key that an attempt would be planned with now: a prerequisite may have landed since it was."""
    branch = attempt.branch
    planner = _Planner(branch.repository, [attempt.advisory], [branch], "")
    return planner.key(attempt.advisory, planner.fixes[attempt.advisory_id], branch)


def step_down(attempt: Attempt, fixes: Sequence[Fix]) -> Attempt | None:
    """Our result on the next newer branch, when it is accepted and nearer than upstream's fixes."""
    newer = neighbours(tried_branches(attempt.branch.repository)).get(attempt.branch)
    rows = Attempt.objects.filter(advisory=attempt.advisory_id, branch=newer, current=True)
    above = rows.select_related("advisory", "branch__repository", "source").defer("evidence").first()
    return step(above, fixes, attempt.branch)


def replan_steps(attempt: Attempt) -> int:
    """New attempts for a cell that came to its end and for the one below, where the result above is another now."""
    newer = neighbours(tried_branches(attempt.branch.repository))
    pairs = [(low, high) for low, high in newer.items() if attempt.branch in (low, high)]
    rows = Attempt.objects.filter(advisory=attempt.advisory_id, current=True).defer("evidence", "reasons", "paths")
    cells = {row.branch_id: row for row in rows.filter(branch__in={branch for pair in pairs for branch in pair})}
    wanted = [low for low, high in pairs if may_step(cells.get(low.pk), cells.get(high.pk))]
    if not wanted:
        return 0
    made = plan(attempt.branch.repository, because="newer branch", advisories=[attempt.advisory], branches=wanted)
    return made.to_try


class _Planner:
    """The rows that one call of `plan` looks at, read once."""

    def __init__(
        self, repository: Repository, advisories: list[Advisory], branches: list[Branch], because: str
    ) -> None:
        self.because = because
        self.branches = branches
        self.advisories = advisories
        self.fixes = fixes_for(repository.project, advisories)
        self.newer = neighbours(tried_branches(repository))
        prerequisites = {number for fixes in self.fixes.values() for fix in fixes for number in fix.prerequisites}
        known = Advisory.objects.filter(number__in=prerequisites).only("number", "disclosed_at")
        self.numbers = {row.number: row for row in known}
        cells = {"advisory__in": [*(row.pk for row in advisories), *(row.pk for row in known)]}
        upstream = UpstreamFix.objects.filter(branch__in=branches, **cells)
        self.upstream = {(row.advisory_id, row.branch_id): row.commits for row in upstream}
        current = Attempt.objects.filter(current=True, branch__in={*branches, *self.newer.values()}, **cells)
        rows = current.select_related("branch").defer("evidence", "reasons", "paths")
        self.current = {(row.advisory_id, row.branch_id): row for row in rows}

    def run(self) -> Plan:
        made = [
            attempt
            for advisory in self.advisories
            if self.fixes.get(advisory.pk)
            for branch in self.branches
            if (attempt := self.cell(advisory, branch)) is not None
        ]
        old = [self.current[cell].pk for row in made if (cell := _cell(row)) in self.current]
        Attempt.objects.filter(pk__in=old).update(current=False)
        Attempt.objects.bulk_create(made, batch_size=500)
        fixed = sum(row.state == Attempt.State.DONE for row in made)
        log.info("planned because=%s try=%d fixed=%d", self.because, len(made) - fixed, fixed)
        return Plan(to_try=len(made) - fixed, fixed=fixed)

    def cell(self, advisory: Advisory, branch: Branch) -> Attempt | None:
        """A new attempt for this cell, or None when the one there still stands."""
        commits = self.upstream.get((advisory.pk, branch.pk))
        here = self.current.get((advisory.pk, branch.pk))
        fixes = self.fixes[advisory.pk]
        key = input_key("fixed", [], commits) if commits else self.key(advisory, fixes, branch)
        settled = key if commits else settled_key(fixes, branch)
        same_tree = here is not None and (bool(commits) or branch.tip in (here.tip, here.seen_tip))
        if here and here.input_key in (key, settled) and same_tree and not self.could_differ(here, fixes, commits):
            return None
        if commits:
            return _fixed(advisory, branch, key, commits)
        return Attempt(
            advisory=advisory,
            branch=branch,
            input_key=key,
            tip=branch.tip,
            seen_tip=branch.tip,
            because=self.because,
        )

    def could_differ(self, here: Attempt, fixes: list[Fix], commits: Sequence[str] | None) -> bool:
        """Whether the same sources on the same tree may give something else: what failed has passed, or a step came."""
        if here.problem_code in PASSING or (here.problem_code == NO_NAMES and is_filled(here.branch)):
            return True
        newer = self.newer.get(here.branch)
        above = self.current.get((here.advisory_id, newer.pk)) if newer else None
        return not commits and is_new_above(here, above, fixes)

    def key(self, advisory: Advisory, fixes: list[Fix], branch: Branch) -> str:
        numbers = {number for fix in fixes for number in fix.prerequisites}
        states = [f"{number} {self.state_of(number, advisory, branch)}" for number in numbers]
        return input_key(ENGINE, _inputs(fixes, branch), states)

    def state_of(self, number: int, dependent: Advisory, branch: Branch) -> str:
        """How far a prerequisite has come on a branch: fixed upstream, a result of ours, or nothing.

        For a disclosed advisory an embargoed one is nothing: even the attempt that its progress
        would cause would tell of it. So is its disclosure what changes the key.
        """
        known = self.numbers.get(number)
        if known is None or (known.embargoed and not dependent.embargoed):
            return ""
        cell = (known.pk, branch.pk)
        if cell in self.upstream:
            return "fixed"
        attempt = self.current.get(cell)
        return attempt.result if attempt else ""


def settled_key(fixes: Sequence[Fix], branch: Branch) -> str:
    """The key of a cell that came through by itself, whatever becomes of its prerequisites."""
    return input_key(ENGINE, _inputs(fixes, branch), [])


def _inputs(fixes: Sequence[Fix], branch: Branch) -> list[Fix]:
    nothing = nothing_to_apply(fixes, branch)
    return [*by_nearness(fixes, branch), *([nothing] if nothing else [])]


def _fixed(advisory: Advisory, branch: Branch, key: str, commits: Sequence[str]) -> Attempt:
    now = timezone.now()
    return Attempt(
        advisory=advisory,
        branch=branch,
        input_key=key,
        tip=branch.tip,
        seen_tip=branch.tip,
        because="upstream",
        state=Attempt.State.DONE,
        outcome=Outcome.FIXED_UPSTREAM,
        result=commits[-1],
        started_at=now,
        finished_at=now,
        duration_ms=0,
    )


def _cell(row: Attempt) -> tuple[UUID, UUID]:
    return row.advisory_id, row.branch_id
