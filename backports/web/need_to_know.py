"""Who of an organisation sees what: its security contacts everything, other members what they were let into."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from xsa.models import Admission, Advisory, Membership, Organisation
from xsa.permissions import can_administer, demand
from xsa.services import rooms
from xsa.visibility import visible_advisories

from .actor import actor
from .factor import ask_again, fresh_factor
from .people import visible_organisations
from .seen import note


class AdmitForm(forms.Form):
    """Which member is let into which embargoed advisory; both among those that the reader sees."""

    membership = forms.ModelChoiceField(Membership.objects.none())
    advisory = forms.ModelChoiceField(Advisory.objects.none(), to_field_name="number")

    def __init__(self, data: Any, *, organisation: Organisation, request: HttpRequest) -> None:
        super().__init__(data)
        self.fields["membership"].queryset = _others(organisation)  # type: ignore[attr-defined]
        self.fields["advisory"].queryset = _embargoed(request)  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def need_to_know(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An organisation's contacts, and per embargoed advisory who else was let in."""
    organisation = get_object_or_404(visible_organisations(request), pk=pk)
    demand(can_administer(request.user, organisation))
    if request.method != "POST":
        return _page(request, organisation)
    if not fresh_factor(request):
        return ask_again(request)
    steps = {"admit": _admit, "unadmit": _unadmit}
    if (step := steps.get(request.POST.get("step", ""))) is None:
        raise BadRequest("No such step.")
    step(request, organisation)
    return redirect("need_to_know", pk)


def _embargoed(request: HttpRequest) -> Any:
    return visible_advisories(request.user).filter(disclosed_at=None)


def _others(organisation: Organisation) -> Any:
    """The members who see nothing embargoed by themselves."""
    rows = organisation.memberships.filter(contact=False, user__is_active=True)
    return rows.select_related("user", "organisation").order_by("user__username")


def _page(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    let_in = Admission.objects.filter(membership__organisation=organisation)
    people = let_in.select_related("membership__user", "admitted_by").order_by("membership__user__username")
    advisories = list(_embargoed(request).prefetch_related(Prefetch("admissions", people, to_attr="let_in")))
    note(request, advisories)
    contacts = organisation.memberships.filter(contact=True).select_related("user").order_by("user__username")
    context = {
        "organisation": organisation,
        "contacts": contacts,
        "others": _others(organisation),
        "advisories": advisories,
    }
    return render(request, "organisations/need_to_know.html", context)


def _admit(request: HttpRequest, organisation: Organisation) -> None:
    form = AdmitForm(request.POST, organisation=organisation, request=request)
    if not form.is_valid():
        raise Http404
    rooms.admit(actor(request), membership=form.cleaned_data["membership"], advisory=form.cleaned_data["advisory"])
    messages.success(request, "Let in.")


def _unadmit(request: HttpRequest, organisation: Organisation) -> None:
    rows = Admission.objects.filter(membership__organisation=organisation, advisory__in=_embargoed(request))
    row = next((one for one in rows if str(one.pk) == request.POST.get("admission")), None)
    if row is None:
        raise Http404
    rooms.unadmit(actor(request), admission=row)
    messages.success(request, "Not let in any longer.")
