"""Who is on an advisory on which branches: a part of its page for those who share its room, and the forms there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from backports.models import Branch, Claim
from backports.services import claiming
from backports.services.errors import NotDone
from xsa.models import Advisory, Organisation, User
from xsa.permissions import can_claim, can_read_statements, demand
from xsa.visibility import speaking_for, visible_to

from . import words
from .actor import actor
from .choices import Select, settle
from .lookup import advisory_or_404, branches_for
from .surroundings import Surroundings

FEW = 3  # branches in a row that are told as a range


class ClaimForm(forms.Form):
    """From which branch to which, until when, and for whom."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), empty_label=None)
    first = forms.ModelChoiceField(Branch.objects.none(), empty_label=None, label="From", widget=Select)
    last = forms.ModelChoiceField(Branch.objects.none(), empty_label=None, label="To", widget=Select)
    until = forms.DateTimeField(
        label="Until, UTC", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    also = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any,
        *,
        organisations: Sequence[Organisation],
        branches: Sequence[Branch],
        gap: Sequence[Branch] = (),
    ) -> None:
        initial = {"first": gap[0].pk, "last": gap[-1].pk} if gap else None
        super().__init__(data, auto_id="claim-%s", initial=initial)
        fields: dict[str, Any] = self.fields
        fields["organisation"].queryset = Organisation.objects.filter(pk__in=[one.pk for one in organisations])
        settle(fields["organisation"], organisations)
        for end in ("first", "last"):
            rows = Branch.objects.select_related("repository")
            fields[end].queryset = rows.filter(pk__in=[one.pk for one in branches])
            settle(fields[end], branches, _named)


def _named(branch: Branch) -> str:
    return f"{branch.repository.name} {branch.name}"


@dataclass(frozen=True, slots=True)
class Group:
    """An organisation's claims of one repository with one end; `offer` says what the reader may do about it."""

    organisation: Organisation
    repository: str
    told: str
    until: datetime
    claims: Sequence[Claim]
    own: bool
    offered_to: Organisation | None
    offered_to_own: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything that the page shows of them; `form` is None for who may claim nothing."""

    groups: Sequence[Group]
    gaps: Sequence[tuple[str, str]]
    form: ClaimForm | None
    heirs: Sequence[Organisation]


def claims(
    request: HttpRequest, advisory: Advisory, strips: Iterable[dict[str, Any]], surroundings: Surroundings
) -> Claims | None:
    """None for everybody who does not share the advisory's room; `strips` are the branches as the page shows them."""
    if not can_read_statements(request.user, advisory):
        return None
    rows = list(visible_to(request.user, claiming.open_claims().filter(advisory=advisory)))
    cells = [one for strip in strips for one in strip["branches"]]
    order = [one["branch"] for one in cells]
    left = [one["branch"] for one in cells if one["attempt"] and one["attempt"].outcome not in words.SETTLED]
    gaps = claiming.gaps(left, claims=rows, backports=surroundings.backports)
    own = [one for one in speaking_for(request.user) if can_claim(request.user, one, advisory)]
    maintained = [one for one in surroundings.branches if not one.history_only]
    gap = next(iter(_runs([one for one in gaps if one.repository_id == gaps[0].repository_id], order)), [])
    form = ClaimForm(None, organisations=own, branches=maintained, gap=gap) if own else None
    heirs = [one for one in surroundings.organisations if one not in own]
    return Claims(_groups(rows, {one.pk for one in own}, order), _told(gaps, order), form, heirs)


def _branches(request: HttpRequest) -> QuerySet[Branch]:
    return branches_for(request.user).filter(history_only=False)


def _groups(rows: Iterable[Claim], own: set[Any], order: Sequence[Branch]) -> list[Group]:
    ordered = sorted(rows, key=lambda one: (*_key(one)[:3], str(one.offered_to_id), one.branch.rank))
    return [_group(list(found), own, order) for _, found in groupby(ordered, key=_key)]


def _key(row: Claim) -> tuple[str, str, datetime, Any]:
    return row.organisation.name, row.branch.repository.name, row.until, row.offered_to_id


def _group(rows: list[Claim], own: set[Any], order: Sequence[Branch]) -> Group:
    first = rows[0]
    return Group(
        first.organisation,
        first.branch.repository.name,
        stretches([row.branch for row in rows], order),
        first.until,
        rows,
        first.organisation_id in own,
        first.offered_to,
        first.offered_to_id in own,
    )


def _told(branches: Sequence[Branch], order: Sequence[Branch]) -> list[tuple[str, str]]:
    """Each repository with its branches in words."""
    by_repository = groupby(branches, key=lambda one: one.repository.name)
    return [(name, stretches(list(rows), order)) for name, rows in by_repository]


def stretches(branches: Sequence[Branch], order: Sequence[Branch]) -> str:
    """Branches of one repository in words, those that follow each other in `order` as a range: "4.6 to 4.9, 4.11"."""
    return ", ".join(_run(run) for run in _runs(branches, order))


def _runs(branches: Sequence[Branch], order: Sequence[Branch]) -> list[list[Branch]]:
    """Those that follow each other in `order` together, the oldest first."""
    place = {one.pk: at for at, one in enumerate(sorted(order, key=lambda one: (one.rank, one.name)))}
    rows = sorted(branches, key=lambda one: (one.rank, one.name))
    runs: list[list[Branch]] = []
    for one in rows:
        at = place.get(one.pk, -2)
        if runs and at >= 0 and place.get(runs[-1][-1].pk, -9) == at - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _run(run: Sequence[Branch]) -> str:
    return f"{run[0].name} to {run[-1].name}" if len(run) >= FEW else ", ".join(one.name for one in run)


@require_POST
def claim(request: HttpRequest, number: int) -> HttpResponse:
    """Say that one's organisation is on some branches; where others are, they are named before it is done."""
    advisory = advisory_or_404(request, number)
    demand(can_read_statements(request.user, advisory))
    form = ClaimForm(request.POST, organisations=list(Organisation.objects.all()), branches=list(_branches(request)))
    if not form.is_valid():
        return _refused(request, advisory, form, "Say from which branch to which, and until when.")
    wanted = form.cleaned_data
    try:
        made = claiming.claim(
            actor(request),
            organisation=wanted["organisation"],
            advisory=advisory,
            branches=claiming.stretch(_branches(request).order_by(), wanted["first"], wanted["last"]),
            until=wanted["until"],
            also=wanted["also"],
        )
    except NotDone as error:
        return _refused(request, advisory, form, str(error), taken=isinstance(error, claiming.Claimed))
    messages.success(request, f"The others see it now: {stretches([one.branch for one in made], [])}.")
    return redirect("advisory", number)


def _refused(
    request: HttpRequest, advisory: Advisory, form: ClaimForm, sentence: str, *, taken: bool = False
) -> HttpResponse:
    context = {"advisory": advisory, "form": form, "sentence": sentence, "taken": taken}
    return render(request, "claims/refused.html", context, status=409 if taken else 400)


def _release(user: User, rows: list[Claim], _: str) -> str:
    claiming.release(user, claims=rows)
    return "The branches are open to others again."


def _offer(user: User, rows: list[Claim], to: str) -> str:
    heir = next((one for one in Organisation.objects.all() if str(one.pk) == to), None)
    if heir is None:
        raise NotDone("no-organisation", "There is no such organisation.", "to")
    claiming.offer(user, claims=rows, to=heir)
    return f"Offered to {heir.name}. Until they take it over it stays yours."


def _take_back(user: User, rows: list[Claim], _: str) -> str:
    claiming.offer(user, claims=rows, to=None)
    return "The offer is taken back."


def _accept(user: User, rows: list[Claim], _: str) -> str:
    claiming.answer(user, claims=rows, accept=True)
    return "It is yours now."


def _decline(user: User, rows: list[Claim], _: str) -> str:
    claiming.answer(user, claims=rows, accept=False)
    return "It stays with them."


STEPS: dict[str, Callable[[User, list[Claim], str], str]] = {
    "release": _release,
    "offer": _offer,
    "take-back": _take_back,
    "accept": _accept,
    "decline": _decline,
}


@require_POST
def change(request: HttpRequest, number: int) -> HttpResponse:
    """End claims, or hand them on; those that ended meanwhile are left alone."""
    advisory = advisory_or_404(request, number)
    demand(can_read_statements(request.user, advisory))
    step = STEPS.get(request.POST.get("step", ""))
    if step is None:
        raise BadRequest("No such step.")
    wanted = set(request.POST.getlist("claim"))
    open_now = visible_to(request.user, claiming.open_claims(timezone.now()).filter(advisory=advisory))
    rows = [one for one in open_now if str(one.pk) in wanted]
    if not rows:
        messages.info(request, "It has ended meanwhile.")
        return redirect("advisory", number)
    try:
        messages.success(request, step(actor(request), rows, request.POST.get("to", "")))
    except NotDone as error:
        messages.error(request, str(error))
    return redirect("advisory", number)
