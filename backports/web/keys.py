"""OpenPGP keys of an organisation, and one's own: which there are, how they stand, and adding one with proof."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from backports.services import keys
from backports.services.errors import NotDone
from xsa.models import Organisation, PgpKey, User
from xsa.permissions import Answer, can_keep_keys, can_keep_own, demand

from .actor import actor
from .people import visible_organisations


class NewKey(forms.Form):
    """A public key and the proof that it is held."""

    armoured = forms.CharField(
        label="Public key",
        max_length=keys.LONGEST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="As gpg --armor --export prints it.",
    )
    proof = forms.CharField(
        label="The text above, signed with it",
        max_length=keys.LONGEST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="As gpg --clearsign prints it, with its first and last line.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def of_organisation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An organisation's keys; its admins add one."""
    row = get_object_or_404(visible_organisations(request), pk=pk)
    return _page(request, row, can_keep_keys(request.user, row), reverse("organisation_keys", args=[row.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def own(request: HttpRequest) -> HttpResponse:
    """One's own keys, for digests to one's own address."""
    return _page(request, actor(request), can_keep_own(request.user), reverse("own_keys"))


def _page(request: HttpRequest, holder: Organisation | User, may: Answer, address: str) -> HttpResponse:
    form = NewKey(request.POST or None)
    if request.method == "POST":
        demand(may)
        if form.is_valid() and _is_added(request, holder, form):
            return redirect(address)
    now = timezone.now()
    context = {
        "holder": holder,
        "organisation": holder if isinstance(holder, Organisation) else None,
        "rows": [(row, keys.state_now(row, now)) for row in keys.pinned(holder)],
        "standing": keys.standing(holder, now=now),
        "form": form,
        "may": may,
        "challenge": keys.challenge(actor(request), holder) if may else "",
    }
    return render(request, "mail/keys.html", context, status=422 if request.method == "POST" else 200)


def _is_added(request: HttpRequest, holder: Organisation | User, form: NewKey) -> bool:
    try:
        keys.add(actor(request), holder=holder, **form.cleaned_data)
    except NotDone as refusal:
        form.add_error(refusal.field or None, refusal.sentence)
        return False
    messages.success(request, "The key is pinned: mail is encrypted to it from now on.")
    return True


@require_POST
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a key at once."""
    row = get_object_or_404(PgpKey.objects.select_related("organisation"), pk=pk, ended_at=None)
    if row.organisation is None:
        get_object_or_404(PgpKey, pk=pk, person=request.user.pk)
        demand(can_keep_own(request.user))
        keys.end(actor(request), key=row)
        return redirect("own_keys")
    organisation = get_object_or_404(visible_organisations(request), pk=row.organisation_id)
    demand(can_keep_keys(request.user, organisation))
    keys.end(actor(request), key=row)
    return redirect("organisation_keys", organisation.pk)
