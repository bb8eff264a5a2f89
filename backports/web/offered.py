"""Results made for other branches that stand on this one byte for byte, for whoever can begin a backport with them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest

from backports.engine.result import Outcome
from backports.models import Branch
from backports.services.offers import Offer, offered_cells, offers_for
from xsa.models import Advisory
from xsa.permissions import can_upload

from .seen import note
from .words import SETTLED

ENOUGH = (*SETTLED, Outcome.APPLIED)  # where nobody needs another one's result


def offered(request: HttpRequest, advisory: Advisory, branch: Branch, outcome: str) -> list[Offer]:
    """What is offered where `outcome` is all that there is; nothing to those who cannot begin with it."""
    if outcome in ENOUGH or not can_upload(request.user):
        return []
    found = offers_for(request.user, advisory=advisory, branch=branch)
    for one in found:
        row = one.attempt or (one.version and one.version.backport)
        note(request, row.prerequisites if row else ())
    return found


def marked(request: HttpRequest, cells: Iterable[tuple[int, Branch, str]]) -> set[tuple[int, UUID]]:
    """Of cells, told by an advisory's number, a branch and the outcome, those on whose page something is offered.

    The mark says no more than that; what it is, the attempt's page shows and records.
    """
    if not can_upload(request.user):
        return set()
    stuck = [(number, branch) for number, branch, outcome in cells if outcome and outcome not in ENOUGH]
    return offered_cells(request.user, stuck)
