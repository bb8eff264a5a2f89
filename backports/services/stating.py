"""What organisations say of how far they are, told to those who follow along."""

from __future__ import annotations

from django.db import transaction

from xsa.models import Advisory, Organisation, Statement, User
from xsa.services import rooms

from . import events


@transaction.atomic
def state(actor: User, *, organisation: Organisation, advisory: Advisory, branch: str, state: str) -> Statement:
    """Say how far an organisation is with an advisory on one branch. Raises PermissionDenied."""
    row = rooms.state(actor, organisation=organisation, advisory=advisory, branch=branch, state=state)
    events.tell(events.STATEMENT_MADE, advisory=advisory, organisation=organisation, thing=row.pk)
    return row
