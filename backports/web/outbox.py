"""Mail that went out or will: to whom, when, and what became of it. What it says is for its reader alone."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from backports.models import OutboxMail
from backports.services import sending
from xsa.permissions import can_list_organisations, can_read_outbox, demand
from xsa.visibility import own_organisations

from .actor import actor
from .pager import page_of

PAGE = 50


def _mine(request: HttpRequest) -> QuerySet[OutboxMail]:
    """Mail whose content is for this person: their own, and their organisations'."""
    rows = OutboxMail.objects.select_related("organisation", "person")
    return rows.filter(Q(person=actor(request).pk) | Q(organisation__in=own_organisations(request.user)))


@require_safe
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """One's own mail and one's organisations'; the security team sees everybody's, without what it says."""
    demand(can_read_outbox(request.user))
    runs = can_list_organisations(request.user)
    rows = OutboxMail.objects.select_related("organisation", "person") if runs else _mine(request)
    page = page_of(rows, request.GET, PAGE, order="made_at", cursor="pk", find=partial(_moment, rows))
    mine = set(_mine(request).filter(pk__in=[row.pk for row in page.rows]).values_list("pk", flat=True))
    return render(request, "mail/outbox.html", {"page": page, "mine": mine, "runs": runs})


def _moment(rows: QuerySet[OutboxMail], name: str | None) -> datetime | None:
    """When the mail that an address names was made."""
    try:
        return rows.filter(pk=name).values_list("made_at", flat=True).first() if name else None
    except ValidationError:
        return None


@require_safe
@login_required
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a mail says, as far as its reader may see it now."""
    demand(can_read_outbox(request.user))
    row = get_object_or_404(_mine(request), pk=pk)
    letter = sending.letter_of(row, eyes=actor(request))
    return render(request, "mail/mail.html", {"row": row, "letter": letter})
