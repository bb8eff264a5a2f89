"""The audit's pages: all of it for the security team, an organisation's own for its people, and what is given away."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xsa.audit import MACHINE
from xsa.models import AuditRecord, Organisation
from xsa.permissions import can_export_audit, can_read_audit, can_read_own_audit, demand
from xsa.services.exports import export_audit
from xsa.visibility import visible_advisories, visible_records

from . import downloads
from .actor import actor
from .factor import fresh_factor_required
from .lookup import advisory_or_404
from .pager import Page, page_of
from .seen import note

PAGE = 100
LAST = 10**9


class AuditFilter(forms.Form):
    """What the reader looks for. All fields are optional."""

    advisory = forms.IntegerField(required=False, min_value=1, max_value=LAST, label="Advisory's number")
    organisation = forms.CharField(required=False, max_length=200, label="Organisation")
    person = forms.CharField(required=False, max_length=200, label="Person")
    verb = forms.CharField(required=False, max_length=40, label="Verb")
    since = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label="to", widget=forms.DateInput(attrs={"type": "date"}))

    def wanted(self) -> dict[str, Any]:
        """What was filled in and could be understood."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


def _narrow(rows: QuerySet[AuditRecord], wanted: dict[str, Any]) -> QuerySet[AuditRecord]:
    lookups = {
        "organisation": "organisation__icontains",
        "person": "actor_name__iexact",
        "verb": "verb",
        "since": "at__date__gte",
        "until": "at__date__lte",
    }
    if "advisory" in wanted:
        rows = rows.filter(advisories__contains=[wanted["advisory"]])
    return rows.filter(**{lookups[name]: value for name, value in wanted.items() if name in lookups})


def _page(records: QuerySet[AuditRecord], query: QueryDict) -> Page[AuditRecord]:
    """By a record's random id in addresses: its position would tell how many records there are."""
    return page_of(records, query, PAGE, order="position", cursor="pk", find=partial(_position, records))


def _position(records: QuerySet[AuditRecord], name: str | None) -> int | None:
    try:
        return records.filter(pk=name).values_list("position", flat=True).first() if name else None
    except ValidationError:
        return None


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Everything that was recorded, for the security team."""
    demand(can_read_audit(request.user))
    form = AuditFilter(request.GET, auto_id="filter-%s")
    wanted = form.wanted()
    page = _page(_narrow(visible_records(request.user), wanted), request.GET)
    note(request, [number for row in page.rows for number in row.advisories], secret=True)
    context = {"page": page, "rows": [_shown(row, named=True) for row in page.rows], "form": form, "wanted": wanted}
    return render(request, "audit/list.html", {**context, "export": _export(request, wanted)})


def _export(request: HttpRequest, wanted: dict[str, Any]) -> dict[str, Any]:
    """Whether the chosen advisory's records can be taken away, and why not."""
    row = visible_advisories(request.user).filter(number=wanted.get("advisory", 0)).first()
    return {"advisory": row, "answer": can_export_audit(actor(request), row)} if row else {}


@require_safe
@login_required
def own(request: HttpRequest) -> HttpResponse:
    """What the reader's own organisations did, or had done to them, as far as the reader may see the advisories."""
    demand(can_read_own_audit(request.user))
    rows = Organisation.objects.filter(memberships__user=actor(request))
    mine = dict(rows.values_list("pk", "name"))
    records = visible_records(request.user).filter(organisations__overlap=list(mine))
    page = _page(records, request.GET)
    note(request, [number for row in page.rows for number in row.advisories], secret=True)
    shown = [_shown(row, named=bool(set(row.organisation.split("; ")) & {*mine.values()})) for row in page.rows]
    return render(request, "audit/own.html", {"page": page, "rows": shown, "names": sorted(mine.values())})


def _shown(row: AuditRecord, *, named: bool) -> dict[str, Any]:
    """A record as a row of the table; people of other organisations stay unnamed, and so do their addresses."""
    return {
        "record": row,
        "who": row.actor_name if named else "",
        "nobody": "the machine" if row.address in ("", MACHINE) else "nobody known",
        "address": row.address if named or not row.actor else "",
        "detail": ", ".join(f"{name}: {_word(value)}" for name, value in sorted(row.detail.items())),
    }


def _word(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@require_safe
@fresh_factor_required
def export(request: HttpRequest) -> HttpResponse:
    """The records of one disclosed advisory as JSON lines, without people."""
    demand(can_read_audit(request.user))
    number = request.GET.get("advisory", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Http404
    advisory = advisory_or_404(request, int(number))
    data = export_audit(actor(request), advisory=advisory)
    name = f"xsa{advisory.number}-audit.jsonl"
    return downloads.attachment(data, name, embargoed=True, kind="application/x-ndjson")
