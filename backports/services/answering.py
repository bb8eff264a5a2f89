"""Answers to conflicts become the room's with the backport that gives them: not while it is a draft, and not where its
members keep it, since what is remembered opens with its advisory.
"""

from __future__ import annotations

from backports.engine.errors import EngineError
from backports.git.errors import GitError
from backports.models import Attempt, Backport, BackportVersion, Resolution
from xsa.models import Organisation, User

from .resolutions import remember


def tell(actor: User, *, backport: Backport) -> None:
    """Remember what a shared backport's versions say to the conflicts of the attempts that they began with."""
    if backport.life != Backport.Life.SHARED or backport.members_only_later:
        return
    rows = backport.versions.exclude(derived_attempt=None).order_by("number")
    for version in rows.select_related("derived_attempt__advisory", "derived_attempt__branch__repository"):
        assert version.derived_attempt is not None  # noqa: S101 - asked for above
        _learn(actor, backport, version, version.derived_attempt)


def _learn(actor: User, backport: Backport, version: BackportVersion, attempt: Attempt) -> None:
    """Who may not speak for the room's answers, or whose series is on another commit, has shared it all the same."""
    series = b"".join(bytes(one.data) for one in version.patches.order_by("position"))
    try:
        remember(actor, attempt=attempt, finished=series, organisation=_speaker(backport))
    except (EngineError, GitError):
        return


def _speaker(backport: Backport) -> Organisation | None:
    return None if backport.organisation.security_team else backport.organisation


def take_back(backport: Backport) -> None:
    """Forget what an organisation said to the conflicts of its backport's advisory on that branch."""
    cell = {"advisory": backport.advisory_id, "branch": backport.branch_id, "organisation": _speaker(backport)}
    Resolution.objects.filter(**cell).delete()
