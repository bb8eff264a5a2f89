"""What of an advisory can be fetched by git, and under which names.

refs/heads/<repository>/<branch>                        a branch as it stands
refs/attempts/<repository>/<branch>                     what the newest attempt left, partly applied too
refs/backports/<organisation>/<repository>/<branch>/vN  what a version of a member's backport gives
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from backports.git.offering import Part
from backports.models import Attempt, BackportVersion, Branch
from xsa.models import Advisory

from .own_repositories import in_addresses
from .places import mirror_path, results_path


@dataclass(frozen=True, slots=True)
class Shown:
    """What is offered: by repository, with the rows that it is of; `head` is the ref that a clone checks out."""

    parts: Sequence[Part]
    head: str
    branches: Sequence[Branch]
    attempts: Sequence[Attempt]
    versions: Sequence[BackportVersion]

    @property
    def builds_on(self) -> set[int]:
        """The numbers of further advisories whose content is in it."""
        found = {number for one in self.attempts for number in one.prerequisites}
        return found | {number for one in self.versions for number in one.backport.prerequisites}


def shown(
    advisory: Advisory,
    *,
    branches: QuerySet[Branch],
    attempts: QuerySet[Attempt],
    versions: QuerySet[BackportVersion],
    everywhere: bool = False,
) -> Shown:
    """What there is of `advisory` among these, which are such as the reader may see.

    Branches are those of repositories where it was tried; all where they are to be pushed to (`everywhere`).
    """
    tried = attempts.filter(advisory=advisory, current=True, state=Attempt.State.DONE)
    results = list(tried.exclude(result="").select_related("branch__repository"))
    held = _newest(versions.filter(backport__advisory=advisory))
    if not everywhere:
        at = set(attempts.filter(advisory=advisory).values_list("branch__repository", flat=True))
        branches = branches.filter(repository__in=at | {one.backport.branch.repository_id for one in held})
    rows = list(branches.select_related("repository").order_by("repository__name", "-rank", "name"))
    upstream = [row for row in rows if row.repository.organisation_id is None]
    head = next((head_ref(row) for row in [*upstream, *rows]), "")
    return Shown(_parts(advisory, rows, results, held), head, rows, results, held)


def head_ref(branch: Branch) -> str:
    """The ref of a branch."""
    return f"refs/heads/{_place(branch)}"


def _place(branch: Branch) -> str:
    return f"{branch.repository.name}/{branch.name}"


def _newest(versions: QuerySet[BackportVersion]) -> list[BackportVersion]:
    """The versions of each organisation's newest backport of a branch, oldest first."""
    related = ("backport__branch__repository", "backport__organisation")
    rows = versions.exclude(result="").select_related(*related).defer("evidence", "compared")
    found: dict[tuple[object, ...], list[BackportVersion]] = {}
    for row in rows.order_by("backport__started_at", "backport", "number"):
        cell = (row.backport.organisation_id, row.backport.branch_id)
        before = found.get(cell, [])
        found[cell] = [*(one for one in before if one.backport_id == row.backport_id), row]
    return [row for rows_of_one in found.values() for row in rows_of_one]


def _parts(
    advisory: Advisory, branches: Sequence[Branch], attempts: Sequence[Attempt], versions: Sequence[BackportVersion]
) -> list[Part]:
    heads: dict[str, dict[str, str]] = defaultdict(dict)
    made: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for branch in branches:
        heads[branch.repository.name][head_ref(branch)] = branch.tip
    for attempt in attempts:
        name = f"refs/attempts/{_place(attempt.branch)}"
        made[attempt.branch.repository.name][name] = (attempt.result, attempt.tip)
    called = in_addresses() if versions else {}
    for version in versions:
        backport = version.backport
        name = f"refs/backports/{called[backport.organisation_id]}/{_place(backport.branch)}/v{version.number}"
        made[backport.branch.repository.name][name] = (version.result, version.base)
    return [
        Part(mirror_path(name), results_path(name, advisory.number), heads[name], made[name])
        for name in sorted({*heads, *made})
    ]
