"""A branch moved: which of its cells need a new attempt."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from backports.git.changes import changed_paths
from backports.models import Attempt, Branch

from .evidence import text
from .places import mirror_path


def carry_over(branch: Branch, old_tip: str) -> int:
    """Let attempts stand whose files the move did not touch; returns how many.

    They keep the commit that they were tried on, and note the new tip as seen, so that
    planning leaves them alone. A move that cannot be compared carries nothing over.
    """
    changed = changed_paths(mirror_path(branch.repository.name), old_tip, branch.tip)
    if changed is None:
        return 0
    names = {posixpath.basename(text(path)) for path in changed}
    rows = Attempt.objects.filter(branch=branch, current=True, state=Attempt.State.DONE, seen_tip=old_tip)
    keep = [pk for pk, paths in rows.values_list("pk", "paths") if paths and not _touched(paths, names)]
    return Attempt.objects.filter(pk__in=keep).update(seen_tip=branch.tip)


def _touched(paths: Iterable[str], names: set[str]) -> bool:
    """By name alone, since a file that moved is found by its name."""
    return any(posixpath.basename(path) in names for path in paths)
