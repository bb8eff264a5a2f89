"""A branch moved: which of its cells need a new attempt."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection

from django.db.models import Q, QuerySet

from backports.engine.result import Outcome
from backports.git.changes import changed_paths
from backports.models import Attempt, Branch
from xsa.models import Fix

from .evidence import text
from .places import mirror_path

State = Attempt.State
# No tree was looked at: the patches cannot be read, or the metadata says that there are none.
_TREELESS = (Outcome.MALFORMED, Outcome.NOT_AFFECTED)
STUCK = (Outcome.CONFLICT, Outcome.PARTLY_APPLIED, Outcome.NEEDS_PREREQUISITE)


def carry_over(branch: Branch, old_tip: str) -> int:
    """Let attempts stand whose files the move did not touch; returns how many.

    They keep the commit that they were tried on, and note the new tip as seen, so that
    planning leaves them alone. A move that cannot be compared carries nothing over.
    """
    changed = changed_paths(mirror_path(branch.repository.name), old_tip, branch.tip)
    if changed is None:
        return 0
    names = {posixpath.basename(text(path)) for path in changed}
    current = Attempt.objects.filter(branch=branch, current=True)
    rows = current.filter(state=State.DONE, seen_tip=old_tip).select_related("advisory").defer("evidence", "reasons")
    stand = [row for row in rows if _stands(row.outcome, row.paths, names)]
    again = current.exclude(pk__in=[row.pk for row in stand]).filter(~Q(state=State.DONE) | Q(outcome__in=STUCK))
    fixes = Fix.objects.filter(tree=branch.repository.project)
    below = _prerequisites(fixes, again)
    # That an embargoed one builds on it must not be told by one more attempt of what is disclosed.
    openly = _prerequisites(
        fixes.filter(version__advisory__disclosed_at__isnull=False), again.filter(advisory__disclosed_at__isnull=False)
    )
    keep = [row.pk for row in stand if row.advisory.number not in (below if row.advisory.embargoed else openly)]
    return Attempt.objects.filter(pk__in=keep).update(seen_tip=branch.tip)


def _stands(outcome: str, paths: Collection[str], names: set[str]) -> bool:
    """By name alone, since a file that moved is found by its name."""
    if not paths:
        return outcome in _TREELESS
    return not any(posixpath.basename(path) in names for path in paths)


def _prerequisites(fixes: QuerySet[Fix], attempts: QuerySet[Attempt]) -> set[int]:
    """What these attempts' advisories build on, and what that builds on.

    It must come along, or they find nothing to stand on.
    """
    needs: dict[int, set[int]] = defaultdict(set)
    rows = fixes.exclude(prerequisites=[])
    for number, prerequisites in rows.values_list("version__advisory__number", "prerequisites"):
        needs[number].update(prerequisites)
    found: set[int] = set()
    front = set(attempts.values_list("advisory__number", flat=True))
    while front := {below for number in front for below in needs.get(number, ())} - found:
        found |= front
    return found
