"""Opening an advisory: the rehearsal, and the forms of the people who decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backports.services import disclosing as opening
from backports.services.rehearsal import rehearse
from xsa.models import Advisory, Announcement, DisclosureRequest
from xsa.permissions import Answer, can_confirm_disclosure, can_disclose, can_read_rehearsal, demand
from xsa.services import disclosing, plans

from .actor import actor
from .factor import ask_again, fresh_factor
from .lookup import advisory_or_404


class ReasonForm(forms.Form):
    """Why an advisory is opened; kept with it."""

    reason = forms.CharField(max_length=200, label="Reason", strip=True)


class DateForm(forms.Form):
    """A planned date, in UTC."""

    at = forms.DateTimeField(
        label="Planned date and time, UTC",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def disclosure(request: HttpRequest, number: int) -> HttpResponse:
    """What would become public, and the steps to it, each with its reason where it is not open to the reader."""
    advisory = advisory_or_404(request, number)
    demand(can_read_rehearsal(request.user))
    if request.method != "POST":
        return _page(request, advisory)
    if not fresh_factor(request):
        return ask_again(request)
    step = STEPS.get(request.POST.get("step", ""))
    if step is None:
        raise BadRequest("No such step.")
    wrong = step(request, advisory)
    return _page(request, advisory, wrong) if wrong else redirect("disclosure", number)


def _page(request: HttpRequest, advisory: Advisory, wrong: forms.Form | None = None) -> HttpResponse:
    context = {
        "advisory": advisory,
        "asked": _open_request(advisory),
        "requests": advisory.disclosure_requests.select_related("asked_by", "confirmed_by"),
        "dates": advisory.planned_dates.select_related("set_by"),
        "announced": Announcement.objects.filter(number=advisory.number).first(),
        **(_deciding(request, advisory) if advisory.embargoed else {}),
        **({"wrong": wrong} if wrong else {}),
    }
    return render(request, "advisories/disclosure.html", context, status=400 if wrong else 200)


def _deciding(request: HttpRequest, advisory: Advisory) -> dict[str, Any]:
    now = timezone.now()
    found = _open_request(advisory)
    held = plans.why_held(advisory)
    planned = None if held else advisory.planned_disclosure_at
    return {
        "rehearsal": rehearse(advisory),
        "held": held,
        "may_open": can_disclose(request.user, advisory, planned=planned, now=now, already_public=False),
        "may_confirm": _may_confirm(request, found) if found else None,
        "due": planned is not None and planned <= now,
    }


def _may_confirm(request: HttpRequest, found: DisclosureRequest) -> Answer:
    return can_confirm_disclosure(request.user, found, now=timezone.now())


def _open_request(advisory: Advisory) -> DisclosureRequest | None:
    rows = advisory.disclosure_requests.filter(closed_at=None).select_related("asked_by", "advisory")
    found = rows.first()
    return found if found is not None and found.is_open(timezone.now()) else None


def _ask(request: HttpRequest, advisory: Advisory) -> forms.Form | None:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return form
    disclosing.ask(actor(request), advisory=advisory, reason=form.cleaned_data["reason"])
    messages.info(request, "Asked. Another person of the security team must confirm within 24 hours.")
    return None


def _confirm(request: HttpRequest, advisory: Advisory) -> forms.Form | None:
    found = _asked(request, advisory)
    opening.confirm(actor(request), request=found)
    messages.success(request, f"XSA-{advisory.number} is disclosed.")
    return None


def _withdraw(request: HttpRequest, advisory: Advisory) -> forms.Form | None:
    disclosing.withdraw(actor(request), request=_asked(request, advisory))
    messages.info(request, "The request is withdrawn; nothing was opened.")
    return None


def _asked(request: HttpRequest, advisory: Advisory) -> DisclosureRequest:
    """The very request that the page showed: what was asked anew meanwhile is another decision."""
    rows = advisory.disclosure_requests.select_related("advisory")
    found = next((row for row in rows if str(row.pk) == request.POST.get("request")), None)
    if found is None:
        raise Http404
    return found


def _open(request: HttpRequest, advisory: Advisory) -> forms.Form | None:
    return _disclose(request, advisory, already_public=False)


def _open_public(request: HttpRequest, advisory: Advisory) -> forms.Form | None:
    return _disclose(request, advisory, already_public=True)


def _disclose(request: HttpRequest, advisory: Advisory, *, already_public: bool) -> forms.Form | None:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return form
    reason = form.cleaned_data["reason"]
    opening.disclose_alone(actor(request), advisory=advisory, reason=reason, already_public=already_public)
    messages.success(request, f"XSA-{advisory.number} is disclosed.")
    return None


def _plan(request: HttpRequest, advisory: Advisory) -> forms.Form | None:
    form = DateForm(request.POST)
    if not form.is_valid():
        return form
    row = opening.plan_disclosure(actor(request), advisory=advisory, at=form.cleaned_data["at"])
    messages.success(request, "The date is moved." if row.moved else "The date is kept.")
    return None


def _announce(request: HttpRequest, advisory: Advisory) -> forms.Form | None:
    plans.announce(actor(request), number=advisory.number, planned=advisory.planned_disclosure_at)
    messages.success(request, f"Everyone can read now that XSA-{advisory.number} exists, and its planned date.")
    return None


STEPS: dict[str, Callable[[HttpRequest, Advisory], forms.Form | None]] = {
    "ask": _ask,
    "confirm": _confirm,
    "withdraw": _withdraw,
    "open": _open,
    "open-public": _open_public,
    "plan": _plan,
    "announce": _announce,
}
