"""Mail that came in: all of it with its ends, one with what was found of it, and what a person says of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe

from backports.mail.reading import Unreadable, read
from backports.models import InboundMail
from backports.services.errors import NotDone
from backports.services.inbound import deciding
from backports.services.inbound.senders import organisations_of, person_of
from xsa.permissions import can_decide_mail, can_read_mail_in, demand
from xsa.visibility import visible_to

from . import downloads
from .actor import actor
from .disclosure import DateForm
from .factor import ask_again, fresh_factor
from .seen import note

MOST = 200
LONGEST = 20_000  # characters of a mail's text that are shown


class AcceptForm(forms.Form):
    """For which of the sender's organisations."""

    organisation = forms.UUIDField(required=False)


class ReasonForm(forms.Form):
    """Why it is refused."""

    reason = forms.CharField(max_length=1_000, label="Why it is refused")


def _mails(request: HttpRequest) -> QuerySet[InboundMail]:
    rows = visible_to(request.user, InboundMail.objects.defer("raw"))
    return rows.select_related("organisation", "sender", "advisory", "decided_by", "version__backport")


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Every mail, the latest first, or those of one end."""
    demand(can_read_mail_in(request.user))
    rows = _mails(request)
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    chosen = request.GET.get("state", "")
    if chosen in InboundMail.State.values:
        rows = rows.filter(state=chosen)
    found = list(rows.order_by("-received_at", "pk")[:MOST])
    note(request, [one.advisory for one in found if one.advisory], secret=True)
    states = [(value, label, counts.get(value, 0)) for value, label in InboundMail.State.choices]
    context = {"mails": found, "states": states, "chosen": chosen, "count": sum(counts.values())}
    return render(request, "inbound/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One mail: who it says it is from, what its signature proves, its end and why; and the decisions."""
    mail = get_object_or_404(_mails(request), pk=pk)
    demand(can_read_mail_in(request.user))
    if request.method != "POST":
        return _page(request, mail)
    demand(can_decide_mail(request.user))
    if not fresh_factor(request):
        return ask_again(request)
    step = STEPS.get(request.POST.get("step", ""))
    if step is None:
        raise BadRequest("No such step.")
    try:
        step(request, mail)
    except NotDone as error:
        return _page(request, mail, wrong=str(error))
    return redirect("inbound_mail", mail.pk)


def _accept(request: HttpRequest, mail: InboundMail) -> None:
    form = AcceptForm(request.POST)
    chosen = form.cleaned_data["organisation"] if form.is_valid() else None
    row = deciding.accept(actor(request), mail=mail, organisation=chosen)
    messages.success(request, f"It was accepted: {row.sentence}")


def _refuse(request: HttpRequest, mail: InboundMail) -> None:
    deciding.turn_away(actor(request), mail=mail, reason=request.POST.get("reason", ""))
    messages.success(request, "It was refused.")


def _confirm(request: HttpRequest, mail: InboundMail) -> None:
    form = DateForm(request.POST)
    if not form.is_valid():
        raise NotDone("bad-date", "Give the date and time in UTC, as 2026-12-01 12:00.", "at")
    deciding.confirm_date(actor(request), mail=mail, at=form.cleaned_data["at"])
    messages.success(request, "The planned date is set.")


STEPS = {"accept": _accept, "refuse": _refuse, "confirm-date": _confirm}


def _page(request: HttpRequest, mail: InboundMail, wrong: str = "") -> HttpResponse:
    note(request, [mail.advisory] if mail.advisory else [], thing=mail, secret=True)
    planned = parse_datetime(mail.proposal.get("planned", ""))
    text, address = _text(mail)
    person = person_of(address)
    context: dict[str, Any] = {
        "mail": mail,
        "waits": mail.state == InboundMail.State.QUARANTINED and mail.code != "series-incomplete",
        "person": person,
        "organisations": organisations_of(person),
        "text": text,
        "date": DateForm(initial={"at": planned}, auto_id="date-%s") if _asks_for_date(mail) else None,
        "reason": ReasonForm(auto_id="refuse-%s"),
        "wrong": wrong,
        "may": can_decide_mail(request.user),
    }
    return render(request, "inbound/detail.html", context, status=400 if wrong else 200)


def _asks_for_date(mail: InboundMail) -> bool:
    acted = mail.state == InboundMail.State.ACTED and mail.advisory is not None and mail.advisory.embargoed
    return acted and "planned" in mail.proposal and "confirmed" not in mail.proposal


def _text(mail: InboundMail) -> tuple[str, str]:
    """What of it can be read without opening it, and the address that it says it is from."""
    try:
        letter = read(bytes(mail.raw))
    except Unreadable:
        return "", ""
    return letter.text[:LONGEST], letter.head.address


@require_safe
def raw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The bytes as they came."""
    mail = get_object_or_404(visible_to(request.user, InboundMail.objects.select_related("advisory")), pk=pk)
    demand(can_read_mail_in(request.user))
    note(request, [mail.advisory] if mail.advisory else [], thing=mail, secret=True)
    name, secret = f"{mail.pk}.eml", mail.advisory if mail.advisory and mail.advisory.embargoed else None
    if secret is None:
        return downloads.deliver_unplaced(bytes(mail.raw), name)
    return downloads.deliver(bytes(mail.raw), name, secrets=[secret])
