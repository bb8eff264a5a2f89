"""What several parts of an advisory's page need, asked for once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest

from backports.models import Backport, Branch
from xsa.models import Advisory, Organisation

from .lookup import branches_for
from .room import rows_of


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that the reader sees of these: branches that are there, organisations that may share a room, by name, and
    the advisory's backports, the newest first.
    """

    branches: Sequence[Branch]
    organisations: Sequence[Organisation]
    backports: Sequence[Backport]


def surroundings(request: HttpRequest, advisory: Advisory) -> Surroundings:
    """Three queries."""
    listed = Organisation.objects.filter(Q(listed=True) | Q(security_team=True)).order_by("name")
    return Surroundings(list(branches_for(request.user)), list(listed), rows_of(request, advisory))
