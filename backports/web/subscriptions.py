"""When somebody gets digests: a person's own wish, an organisation's, and the link in each mail that ends it."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from backports.models import Subscription
from backports.services import keys, subscriptions
from xsa.models import Organisation, User
from xsa.permissions import Answer, can_administer, can_keep_own, demand

from .actor import actor
from .people import visible_organisations

_HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
_DAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))


class Wish(forms.Form):
    """When digests come."""

    cadence = forms.ChoiceField(label="Digests", choices=Subscription.Cadence.choices)
    time_zone = forms.CharField(label="Time zone", max_length=50, help_text="As in Europe/Berlin; hours are of it.")
    hour = forms.TypedChoiceField(label="Hour of daily and weekly ones", choices=_HOURS, coerce=int)
    weekday = forms.TypedChoiceField(label="Day of weekly ones", choices=_DAYS, coerce=int)
    quiet_from = forms.TypedChoiceField(label="Nothing from", choices=_HOURS, coerce=int)
    quiet_until = forms.TypedChoiceField(
        label="Until", choices=_HOURS, coerce=int, help_text="Both the same: there are no quiet hours."
    )

    def clean_time_zone(self) -> str:
        """A name of the time zone database."""
        name = str(self.cleaned_data["time_zone"])
        if name not in available_timezones():
            raise ValidationError("There is no such time zone. Name one as in Europe/Berlin, or UTC.")
        return name


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def own(request: HttpRequest) -> HttpResponse:
    """One's own digests, to one's own address."""
    return _page(request, actor(request), can_keep_own(request.user))


@require_http_methods(["GET", "HEAD", "POST"])
def of_organisation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An organisation's, to its role address."""
    row = get_object_or_404(visible_organisations(request), pk=pk)
    return _page(request, row, can_administer(request.user, row))


def _page(request: HttpRequest, holder: Organisation | User, may: Answer) -> HttpResponse:
    whose: dict[str, Any] = {"organisation": holder} if isinstance(holder, Organisation) else {"person": holder}
    row = subscriptions.of(whose.get("organisation"), whose.get("person"))
    before = row or Subscription()
    initial = {name: getattr(before, name) for name in Wish.base_fields}
    form = Wish(request.POST or None, initial=initial)
    if request.method == "POST":
        demand(may)
        if form.is_valid():
            subscriptions.set_wish(actor(request), **whose, **form.cleaned_data)
            messages.success(request, "Digests come as you said.")
            return redirect(request.path)
    address = holder.role_address if isinstance(holder, Organisation) else holder.email
    context = {"form": form, "may": may, "address": address, "standing": keys.standing(holder), **whose}
    return render(request, "mail/digests.html", context, status=422 if request.method == "POST" else 200)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, name: str) -> HttpResponse:
    """The link in a mail's header: a POST ends the digests at once (RFC 8058), reading it changes nothing."""
    row = subscriptions.by_name(name)
    if row is None:
        raise Http404
    if request.method == "POST":
        subscriptions.unsubscribe(row)
    return render(request, "mail/unsubscribe.html", {"done": request.method == "POST"})
