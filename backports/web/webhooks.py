"""Webhooks of one token: where its events are told, how that went last, and a new one with its secret."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from backports.models import Webhook
from backports.services import webhooks
from backports.services.errors import NotDone
from xsa.models import ApiToken
from xsa.permissions import Answer, Denied, can_add_webhook, can_end_token, demand
from xsa.services.tokens import tokens_of

from .actor import actor
from .factor import ask_again, fresh_factor
from .tokens import advisories_of, embargo_is_over

MOST_ENDED = 10
OVER = "The token ended with the embargo, and its webhooks with it."


class NewWebhook(forms.Form):
    """Where to."""

    url = forms.CharField(
        max_length=500,
        label="Address",
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.example.org/xen"}),
        help_text="https alone, and no machine inside. It is told ids, and asks with the token for the rest.",
    )


def _token_or_404(request: HttpRequest, pk: UUID) -> ApiToken:
    """One that the tokens' page shows; the others do not exist."""
    found = next((one for one in tokens_of(actor(request)) if one.pk == pk), None)
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def listing(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The webhooks; a new one's secret is in the answer to the form that adds it, and nowhere else on the pages."""
    token = _token_or_404(request, pk)
    form = NewWebhook(request.POST if request.method == "POST" else None, auto_id="webhook-%s")
    if request.method != "POST":
        return _page(request, token, form)
    demand(_may_add(request, token))
    if not fresh_factor(request):
        return ask_again(request)
    made = _added(request, token, form) if form.is_valid() else None
    return _page(request, token, form if made is None else NewWebhook(auto_id="webhook-%s"), made)


def _is_over(request: HttpRequest, token: ApiToken) -> bool:
    if token.ended_at is not None or token.expires_at <= timezone.now():
        return True
    return embargo_is_over(request, token, advisories_of(request, [token]))


def _may_add(request: HttpRequest, token: ApiToken) -> Answer:
    may = can_add_webhook(request.user, token)
    return Denied(OVER) if may and _is_over(request, token) else may


def _added(request: HttpRequest, token: ApiToken, form: NewWebhook) -> Webhook | None:
    """The webhook; None, with what is wrong in the form, when there cannot be one."""
    try:
        return webhooks.add(actor(request), token=token, url=form.cleaned_data["url"])
    except NotDone as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None


def _page(request: HttpRequest, token: ApiToken, form: NewWebhook, made: Webhook | None = None) -> HttpResponse:
    rows, may = Webhook.objects.filter(token=token), _may_add(request, token)
    context: dict[str, Any] = {
        "token": token,
        "live": not _is_over(request, token),
        "rows": [*rows.filter(ended_at=None), *rows.exclude(ended_at=None)[:MOST_ENDED]],
        "form": form,
        "may": may,
        "may_end": can_end_token(actor(request), token),
        "made": made,
        "secret": webhooks.secret_of(made) if made else "",
        "tries": len(webhooks.AGAIN) + 1,
    }
    return render(request, "tokens/webhooks.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Tell an address nothing any more."""
    shown = [one.pk for one in tokens_of(actor(request))]
    row = get_object_or_404(Webhook.objects.select_related("token__organisation"), pk=pk, token__in=shown)
    demand(can_end_token(actor(request), row.token))
    webhooks.end(actor(request), webhook=row)
    messages.success(request, "That address is told nothing any more.")
    return redirect("webhooks", row.token_id)
