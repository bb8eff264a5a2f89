"""Organisations: their public names, and for those who belong to one its people and invitations."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backports.services import accounts
from xsa.identity import is_cleared
from xsa.models import Invitation, Membership, Organisation
from xsa.permissions import can_administer, can_list_organisations, demand
from xsa.services import invitations, members

from .account_forms import Details, Invite, Member, NewOrganisation
from .accounts import log_out
from .actor import actor


def visible_organisations(request: HttpRequest) -> QuerySet[Organisation]:
    """Whose people the reader may see: their own organisations', or, for the security team, all."""
    if not request.user.is_authenticated or not is_cleared(request.user):
        return Organisation.objects.none()
    if can_list_organisations(request.user):
        return Organisation.objects.all()
    return Organisation.objects.filter(memberships__user=actor(request)).distinct()


@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """The public names; the security team adds an organisation here."""
    form = NewOrganisation(request.POST or None)
    if request.method == "POST":
        demand(can_list_organisations(request.user))
        if form.is_valid():
            row = members.create_organisation(actor(request), **form.cleaned_data)
            return redirect("organisation_people", row.pk)
    context = {
        "organisations": Organisation.objects.filter(left_at=None, security_team=False),
        "teams": Organisation.objects.filter(left_at=None, security_team=True),
        "mine": set(visible_organisations(request).values_list("pk", flat=True)),
        "runs": can_list_organisations(request.user),
        "form": form,
    }
    return render(request, "organisations/list.html", context)


@require_safe
@login_required
def own(request: HttpRequest) -> HttpResponse:
    """The organisation that one belongs to; a choice where there are more, or none."""
    rows = list(Organisation.objects.filter(memberships__user=actor(request)).distinct())
    if len(rows) == 1 and is_cleared(request.user):
        return redirect("organisation_people", rows[0].pk)
    return render(request, "organisations/own.html", {"organisations": rows, "cleared": is_cleared(request.user)})


@require_safe
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Its people, what they are, and who is invited."""
    return _page(request, _found(request, pk))


def _found(request: HttpRequest, pk: UUID) -> Organisation:
    return get_object_or_404(visible_organisations(request), pk=pk)


def _page(
    request: HttpRequest, organisation: Organisation, form: Form | None = None, details: Form | None = None
) -> HttpResponse:
    rows = organisation.memberships.select_related("user").order_by("user__username")
    may = can_administer(request.user, organisation)
    context = {
        "organisation": organisation,
        "rows": [(row, Member(initial={"role": row.role, "contact": row.contact}, prefix=str(row.pk))) for row in rows],
        "invitations": organisation.invitations.filter(used_at=None, revoked_at=None) if may else (),
        "may": may,
        "runs": can_list_organisations(request.user),
        "form": form or Invite(),
        "details": details or _details(organisation),
    }
    return render(request, "organisations/people.html", context)


def _details(organisation: Organisation) -> Details:
    values = {"role_address": organisation.role_address, "domains": ", ".join(organisation.domains)}
    return Details(initial=values)


@require_POST
def set_details(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How the organisation is reached."""
    organisation = _found(request, pk)
    demand(can_administer(request.user, organisation))
    form = Details(request.POST)
    if not form.is_valid():
        return _page(request, organisation, details=form)
    members.set_details(actor(request), organisation=organisation, **form.cleaned_data)
    messages.success(request, "The organisation's details are set.")
    return redirect("organisation_people", organisation.pk)


@require_POST
def invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Invite somebody; the answer is the same whether the address is known here or not."""
    organisation = _found(request, pk)
    demand(can_administer(request.user, organisation))
    form = Invite(request.POST, domains=organisation.domains)
    if not form.is_valid():
        return _page(request, organisation, form)
    accounts.invite(actor(request), organisation=organisation, **form.cleaned_data)
    messages.success(request, f"An invitation goes to {form.cleaned_data['email']}.")
    return redirect("organisation_people", organisation.pk)


@require_POST
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End an open invitation."""
    row = _invitation(request, pk)
    invitations.revoke(actor(request), invitation=row)
    messages.success(request, "The invitation was ended.")
    return redirect("organisation_people", row.organisation_id)


@require_POST
def send_again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new invitation to the same address, for another week; the old link ends."""
    row = _invitation(request, pk)
    accounts.invite(actor(request), organisation=row.organisation, email=row.email, role=row.role, contact=row.contact)
    messages.success(request, f"A new invitation goes to {row.email}.")
    return redirect("organisation_people", row.organisation_id)


def _invitation(request: HttpRequest, pk: UUID) -> Invitation:
    """An open invitation of an organisation that one runs."""
    rows = Invitation.objects.filter(used_at=None, revoked_at=None).select_related("organisation")
    row = get_object_or_404(rows, pk=pk, organisation__in=visible_organisations(request))
    demand(can_administer(request.user, row.organisation))
    return row


def _membership(request: HttpRequest, pk: UUID) -> Membership:
    rows = Membership.objects.select_related("organisation", "user")
    row = get_object_or_404(rows, pk=pk, organisation__in=visible_organisations(request))
    demand(can_administer(request.user, row.organisation))
    return row


@require_POST
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a member is."""
    row = _membership(request, pk)
    form = Member(request.POST, prefix=str(row.pk))
    if not form.is_valid():
        raise Http404
    try:
        members.set_membership(actor(request), membership=row, **form.cleaned_data)
    except members.LastOfTheTeam as refusal:
        messages.error(request, refusal.sentence)
    return redirect("organisation_people", row.organisation_id)


@require_POST
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Remove somebody from the organisation, at once and with everything that the membership gave."""
    row = _membership(request, pk)
    try:
        members.remove_person(actor(request), membership=row)
    except members.LastOfTheTeam as refusal:
        messages.error(request, refusal.sentence)
    else:
        if row.user_id == actor(request).pk:
            return log_out(request)
        messages.success(request, f"{row.user.get_username()} was removed, and is logged out everywhere.")
    return redirect("organisation_people", row.organisation_id)


@require_POST
def list_organisation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put an organisation on the predisclosure list, take it off, or remove it whole."""
    organisation = _found(request, pk)
    demand(can_list_organisations(request.user))
    what = request.POST.get("what")
    if what == "list":
        members.set_listed(actor(request), organisation=organisation)
    elif what in ("unlist", "remove"):
        try:
            members.remove_organisation(actor(request), organisation=organisation, whole=what == "remove")
        except members.LastOfTheTeam as refusal:
            messages.error(request, refusal.sentence)
    if not request.session.exists(request.session.session_key or ""):
        return log_out(request)
    return redirect("organisation_people", organisation.pk)
