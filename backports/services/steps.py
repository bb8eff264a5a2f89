"""The steps between branches: our accepted result on 4.n+1 may serve as a source for 4.n.

Accepted is what is `high` and builds on no other advisory. The steps only go from newer to older branches, and
each attempt notes which result it had above it, so that the chain comes to rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from backports.engine.result import Confidence, Outcome
from backports.models import Attempt, Branch
from xsa.models import Fix

from .sources import is_nearer

# Outcomes that no nearer source would change; an error is tried again when it has passed.
_FINAL = (Outcome.ALREADY_APPLIED, Outcome.FIXED_UPSTREAM, Outcome.NOT_AFFECTED, Outcome.ERROR)


def is_accepted(attempt: Attempt) -> bool:
    """Whether the result may be the source for the next older branch."""
    sure = attempt.outcome == Outcome.APPLIED and attempt.confidence == Confidence.HIGH
    return sure and attempt.current and bool(attempt.result) and attempt.source_id is not None


def is_settled(attempt: Attempt) -> bool:
    """Whether no result on a newer branch can better what an attempt found."""
    sure = attempt.confidence == Confidence.HIGH and attempt.source_attempt_id is None
    return attempt.outcome in _FINAL or (attempt.outcome == Outcome.APPLIED and sure)


def step(above: Attempt | None, fixes: Iterable[Fix], branch: Branch) -> Attempt | None:
    """The result above as a source for `branch`: accepted, and nearer than every fix of upstream's; else None."""
    if above is None or not is_accepted(above) or not is_nearer(above.branch, fixes, branch):
        return None
    return above


def is_new_above(here: Attempt, above: Attempt | None, fixes: Iterable[Fix]) -> bool:
    """Whether a finished attempt could do better, or no longer as well, with what the branch above has now."""
    if not may_step(here, above):
        return False
    usable = step(above, fixes, here.branch)
    return here.above != (usable.result if usable else "")


def may_step(here: Attempt | None, above: Attempt | None) -> bool:
    """The same but for upstream's fixes, which may be nearer.

    While either of the two is being tried nothing is decided: its end decides.
    """
    if here is None or above is None or {here.state, above.state} != {Attempt.State.DONE}:
        return False
    return not is_settled(here) and here.above != (above.result if is_accepted(above) else "")


def neighbours(branches: Sequence[Branch]) -> dict[Branch, Branch]:
    """Each branch's next newer one."""
    ordered = sorted(branches, key=lambda branch: branch.rank)
    return dict(itertools.pairwise(ordered))
