"""How far each organisation says it is with an advisory: a part of the advisory's page for those who share its room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from backports.models import Branch
from backports.services import stating
from backports.services.sources import STAGING_RANK
from xsa.models import Advisory, Organisation, Statement
from xsa.permissions import can_read_statements, can_state, demand
from xsa.visibility import visible_to

from .actor import actor
from .lookup import advisory_or_404

MOST_HISTORY = 200


class StatementForm(forms.Form):
    """One branch, one word."""

    organisation = forms.ModelChoiceField(Organisation.objects.all(), empty_label=None)
    branch = forms.ChoiceField(label="On")
    state = forms.ChoiceField(choices=[(one.value, one.label.lower()) for one in Statement.State], label="We say")

    def __init__(self, data: Any, *, organisations: Iterable[Organisation], branches: Iterable[str]) -> None:
        super().__init__(data, auto_id="state-%s")
        own = [one.pk for one in organisations]
        self.fields["organisation"].queryset = Organisation.objects.filter(pk__in=own)  # type: ignore[attr-defined]
        self.fields["branch"].choices = [(name, name) for name in branches]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Line:
    """An organisation with the latest of what it said for each branch; nothing where it is silent."""

    organisation: Organisation
    said: Sequence[Statement]
    own: bool


@dataclass(frozen=True, slots=True)
class Statements:
    """Everything that the page shows of them; `form` is None for those who speak for no organisation."""

    lines: Sequence[Line]
    silent: int
    history: Sequence[Statement]
    form: StatementForm | None


def statements(request: HttpRequest, advisory: Advisory) -> Statements | None:
    """None for everybody who does not share the advisory's room, also after its disclosure."""
    if not can_read_statements(request.user, advisory):
        return None
    history = list(Statement.objects.filter(advisory=advisory).select_related("organisation", "made_by"))
    own, branches = _own(request, advisory), _branches(request)
    lines = [
        Line(organisation, _latest(history, organisation, branches), organisation in own)
        for organisation in _organisations(history)
    ]
    silent = sum(not line.said for line in lines)
    form = StatementForm(None, organisations=own, branches=branches) if own else None
    return Statements(sorted(lines, key=lambda line: not line.own), silent, history[:MOST_HISTORY], form)


def _organisations(history: Iterable[Statement]) -> list[Organisation]:
    """Those on the list, and those that said something while they were."""
    spoke = {row.organisation_id for row in history}
    return list(Organisation.objects.filter(Q(listed=True) | Q(pk__in=spoke)))


def _latest(history: Iterable[Statement], organisation: Organisation, branches: Sequence[str]) -> list[Statement]:
    found: dict[str, Statement] = {}
    for row in history:
        if row.organisation_id == organisation.pk:
            found.setdefault(row.branch, row)
    order = {name: position for position, name in enumerate(branches)}
    return sorted(found.values(), key=lambda row: (order.get(row.branch, len(order)), row.branch))


def _own(request: HttpRequest, advisory: Advisory) -> list[Organisation]:
    rows = Organisation.objects.filter(memberships__user=request.user.pk).distinct()
    return [one for one in rows if can_state(request.user, one, advisory)]


def _branches(request: HttpRequest) -> list[str]:
    """The names of all branches that somebody keeps and the reader may see, newest first."""
    rows = visible_to(request.user, Branch.objects.filter(gone=False, history_only=False, rank__lt=STAGING_RANK))
    return list(dict.fromkeys(rows.order_by("-rank", "name").values_list("name", flat=True)))


@require_POST
def state(request: HttpRequest, number: int) -> HttpResponse:
    """Say how far one's own organisation is."""
    advisory = advisory_or_404(request, number)
    demand(can_read_statements(request.user, advisory))
    form = StatementForm(request.POST, organisations=Organisation.objects.all(), branches=_branches(request))
    if not form.is_valid():
        raise BadRequest("No such statement.")
    stating.state(actor(request), advisory=advisory, **form.cleaned_data)
    messages.success(request, "The others can read it now.")
    return redirect("advisory", number)
