"""Which uploads a reader has by REST: a token that is for single advisories or branches has no more than it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from backports.models import Upload
from xsa.visibility import visible_to

from .base import narrowed

MOST_OPEN = 200  # uploads of one person that are looked at, the latest first, whether they name what a token is for
KEYS = {"advisories": "number", "branches": "name"}


def uploads(user: Any) -> QuerySet[Upload]:
    """Those that the reader may see. Of those that nobody said yet what they are for, a token for single advisories or
    branches shows its own person's that name nothing else.
    """
    rows = visible_to(user, Upload.objects.defer("data").select_related("advisory"))
    limits = {"advisories": set(getattr(user, "only", ())), "branches": set(getattr(user, "branches", ()))}
    if not any(limits.values()):
        return rows
    placed = narrowed(user, Upload.objects.all(), number="advisory__number", branch="branch__name")
    return rows.filter(Q(pk__in=placed.values("pk")) | Q(pk__in=_open(user, limits)))


def _open(user: Any, limits: Mapping[str, set[Any]]) -> list[Any]:
    mine = Upload.objects.filter(advisory=None, made_by=user).order_by("-made_at", "id")
    proposals = visible_to(user, mine).values_list("pk", "proposal")[:MOST_OPEN]
    return [pk for pk, proposal in proposals if _names_alone(proposal, limits)]


def _names_alone(proposal: Mapping[str, Any], limits: Mapping[str, set[Any]]) -> bool:
    """Whether it names something of each kind that the token is limited in, and there nothing else."""
    for kind, allowed in limits.items():
        named = {one[KEYS[kind]] for one in proposal.get(kind, ()) if one["named"]}
        if allowed and not (named and named <= allowed):
            return False
    return True
