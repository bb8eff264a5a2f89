"""How far each organisation says it is with an advisory: a part of the advisory's page for those who share its room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from backports.models import Branch
from backports.services import stating
from backports.services.sources import STAGING_RANK
from xsa.belonging import memberships
from xsa.models import Advisory, Organisation, Statement
from xsa.permissions import can_read_statements, can_state, demand

from .actor import actor
from .choices import Select, settle
from .lookup import advisory_or_404, branches_for
from .surroundings import Surroundings
from .templatetags.house import day
from .text import visible

MOST_HISTORY = 50
_STATES = {one.value: one.label.lower() for one in Statement.State}


class StatementForm(forms.Form):
    """One branch, one word."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), empty_label=None)
    branch = forms.ChoiceField(label="On", widget=Select)
    state = forms.ChoiceField(choices=[(one.value, one.label.lower()) for one in Statement.State], label="We say")

    def __init__(self, data: Any, *, organisations: Iterable[Organisation], branches: Iterable[str]) -> None:
        super().__init__(data, auto_id="state-%s")
        rows = list(organisations)
        field: Any = self.fields["organisation"]
        field.queryset = Organisation.objects.filter(pk__in=[one.pk for one in rows])
        settle(field, rows)
        self.fields["branch"].choices = [(name, name) for name in branches]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Said:
    """One statement: of which organisation, by whom, on which branch, the state in words."""

    organisation_id: UUID
    organisation: str
    who: str
    branch: str
    state: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """An organisation with the latest of what it said for each branch; nothing where it is silent."""

    organisation: str
    said: Sequence[Said]
    own: bool

    def told(self) -> SafeString:
        """That in words: there can be hundreds, for which a template takes longer than all queries of the page."""
        rows = ((visible(one.branch), one.state, day(one.made_at)) for one in self.said)
        form = '<span>%s: <strong>%s</strong> <span class="soft">%s</span></span>'
        return mark_safe(", ".join(form % tuple(map(conditional_escape, row)) for row in rows))  # noqa: S308


@dataclass(frozen=True, slots=True)
class Statements:
    """Everything that the page shows of them; `form` is None for those who speak for no organisation. `earlier` counts
    those that the history leaves out.
    """

    lines: Sequence[Line]
    silent: int
    history: Sequence[Said]
    earlier: int
    form: StatementForm | None


def statements(request: HttpRequest, advisory: Advisory, surroundings: Surroundings) -> Statements | None:
    """None for everybody who does not share the advisory's room, also after its disclosure."""
    if not can_read_statements(request.user, advisory):
        return None
    history = _history(advisory)
    own, branches = _own(request, advisory), _names(surroundings.branches)
    said = _latest(history, branches)
    mine = {one.pk for one in own}
    lines = [
        Line(name, said.get(pk, ()), pk in mine) for pk, name in _organisations(history, surroundings.organisations)
    ]
    silent = sum(not line.said for line in lines)
    form = StatementForm(None, organisations=own, branches=branches) if own else None
    earlier = max(0, len(history) - MOST_HISTORY)
    lines.sort(key=lambda line: not line.own)
    return Statements(lines, silent, history[:MOST_HISTORY], earlier, form)


def _history(advisory: Advisory) -> list[Said]:
    """Everything that was said, latest first."""
    columns = ("organisation", "organisation__name", "made_by__username", "branch", "state", "made_at")
    rows = Statement.objects.filter(advisory=advisory).values_list(*columns)
    return [Said(pk, name, who, branch, _STATES[state], at) for pk, name, who, branch, state, at in rows]


def _organisations(history: Iterable[Said], there: Iterable[Organisation]) -> list[tuple[UUID, str]]:
    """Those on the list, and those that said something while they were, by name."""
    found = {row.organisation_id: row.organisation for row in history}
    found |= {one.pk: one.name for one in there if one.listed}
    return sorted(found.items(), key=lambda one: one[1])


def _latest(history: Iterable[Said], branches: Sequence[str]) -> dict[UUID, list[Said]]:
    """Of each organisation the latest of what it said for each branch, in the branches' order."""
    order = {name: position for position, name in enumerate(branches)}
    latest: dict[tuple[UUID, str], Said] = {}
    for row in history:
        latest.setdefault((row.organisation_id, row.branch), row)
    found: dict[UUID, list[Said]] = {}
    for row in sorted(latest.values(), key=lambda one: (order.get(one.branch, len(order)), one.branch)):
        found.setdefault(row.organisation_id, []).append(row)
    return found


def _own(request: HttpRequest, advisory: Advisory) -> list[Organisation]:
    rows = [one.organisation for one in memberships(request.user.pk)]
    return [one for one in rows if can_state(request.user, one, advisory)]


def _names(branches: Iterable[Branch]) -> list[str]:
    """The names of those that somebody keeps, newest first."""
    rows = [one for one in branches if not one.history_only and one.rank < STAGING_RANK]
    return list(dict.fromkeys(one.name for one in sorted(rows, key=lambda one: (-one.rank, one.name))))


@require_POST
def state(request: HttpRequest, number: int) -> HttpResponse:
    """Say how far one's own organisation is."""
    advisory = advisory_or_404(request, number)
    demand(can_read_statements(request.user, advisory))
    names = _names(branches_for(request.user))
    form = StatementForm(request.POST, organisations=Organisation.objects.all(), branches=names)
    if not form.is_valid():
        raise BadRequest("No such statement.")
    stating.state(actor(request), advisory=advisory, **form.cleaned_data)
    messages.success(request, "The others can read it now.")
    return redirect("advisory", number)
