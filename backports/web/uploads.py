"""Patches that come in by the browser: sent, shown with what they may be for, confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from backports.export import mbox
from backports.models import Attempt, BackportVersion, Upload
from backports.services import receiving
from backports.services.errors import NotDone
from xsa.models import Organisation
from xsa.permissions import can_backport, can_upload, demand
from xsa.visibility import visible_to

from . import downloads, words
from .actor import actor
from .held import holding_files
from .lookup import attempts_for, versions_for
from .seen import note
from .upload_forms import ConfirmForm, SendForm, speaking_for

OPEN = 20
HINTS = ("from_attempt", "from_version", "advisory", "branch")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@holding_files
def uploads(request: HttpRequest) -> HttpResponse:
    """The form for files and pasted text, and what was sent and is not placed yet."""
    demand(can_upload(request.user))
    if _begins_with(request):
        return _sent(request, *_content_of(request), _speaker(request))
    form = SendForm(request.POST or None, request.FILES or None, reader=request.user)
    if request.method == "POST" and form.is_valid():
        return _sent(request, *form.sent, form.cleaned_data["organisation"])
    waiting = _open(request)
    note(request, secret=bool(waiting))
    context = {"form": form, "open": waiting, "hints": _hints(request)}
    return render(request, "uploads/new.html", context)


def _begins_with(request: HttpRequest) -> bool:
    """Whether the form is a button beside an attempt or a version, whose patches are where it begins."""
    return request.method == "POST" and bool(request.POST.get("from_attempt") or request.POST.get("from_version"))


def _content_of(request: HttpRequest) -> tuple[str, bytes]:
    """Name and bytes of the patches to begin with. Raises Http404."""
    attempt, version = _origin(request, request.POST)
    if attempt is not None and downloads.offered(attempt):
        patches = mbox.series(downloads.result_of(attempt, noted=False))
        note(request, [attempt.advisory, *attempt.prerequisites], thing=attempt)
        return f"{downloads.stem(attempt)}.patch", mbox.as_mbox(patches)
    if version is not None:
        backport = version.backport
        note(request, [backport.advisory, *backport.prerequisites], thing=version)
        data = mbox.as_mbox(bytes(one.data) for one in version.patches.order_by("position"))
        return f"xsa{backport.advisory.number}-{backport.branch.name}.patch", data
    raise Http404


def _speaker(request: HttpRequest) -> Organisation:
    """The organisation that the button names, or the only one. Raises Http404."""
    rows = speaking_for(request.user)
    chosen = request.POST.get("organisation")
    found = [one for one in rows if chosen in (None, "", str(one.pk))]
    if not found:
        raise Http404
    return found[0]


def _sent(request: HttpRequest, name: str, data: bytes, organisation: Organisation) -> HttpResponse:
    row = receiving.receive(actor(request), organisation=organisation, name=name, data=data)
    query = urlencode(_hints(request))
    return redirect(reverse("upload", args=[row.pk]) + (f"?{query}" if query else ""))


def _hints(request: HttpRequest) -> dict[str, str]:
    """Where the person came from: goes along from form to form, and only ever chooses what is preselected."""
    given = request.POST if request.method == "POST" else request.GET
    return {key: given[key][:100] for key in HINTS if given.get(key)}


def _rows(request: HttpRequest) -> QuerySet[Upload]:
    return visible_to(request.user, Upload.objects.select_related("organisation", "advisory", "branch__repository"))


def _open(request: HttpRequest) -> list[Upload]:
    return list(_rows(request).filter(advisory=None, made_by=actor(request)).defer("data")[:OPEN])


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was sent, what it may be for and why; or why it cannot be read."""
    row = get_object_or_404(_rows(request), pk=pk)
    note(request, [row.advisory] if row.advisory else [], thing=row, secret=True)
    form = ConfirmForm(
        request.POST if request.method == "POST" else None, request=request, initial=_likeliest(request, row)
    )
    if request.method == "POST":
        demand(can_backport(request.user, row.organisation))
        if form.is_valid() and (answer := _confirmed(request, row, form)) is not None:
            return answer
    return render(request, "uploads/confirm.html", _context(request, row, form))


def _context(request: HttpRequest, row: Upload, form: ConfirmForm) -> dict[str, Any]:
    attempt, version = _origin(request, _hints(request))
    return {
        "upload": row,
        "form": form,
        "may": can_backport(request.user, row.organisation),
        "proposal": row.proposal,
        "hints": _hints(request),
        "attempt": attempt,
        "version": version,
        "made": _made(request, row),
        "came_by": words.CAME_BY.get(row.came_by, row.came_by),
    }


def _made(request: HttpRequest, row: Upload) -> BackportVersion | None:
    return versions_for(request).filter(upload=row).select_related("backport").first()


def _likeliest(request: HttpRequest, row: Upload) -> dict[str, Any]:
    """Where the person came from says what it is for; else the first proposal does."""
    hints = _hints(request)
    return {
        "advisory": hints.get("advisory") or _first(row.proposal.get("advisories", ()), "number"),
        "branch": hints.get("branch") or _first(row.proposal.get("branches", ()), "id"),
    }


def _first(rows: Iterable[dict[str, Any]], key: str) -> Any:
    return next((one[key] for one in rows), None)


def _confirmed(request: HttpRequest, row: Upload, form: ConfirmForm) -> HttpResponse | None:
    """To the version that was made, or was there; None when the form or the upload says why there is none."""
    attempt, version = _origin(request, request.POST)
    values = form.cleaned_data
    origin = receiving.Origin(version=version, attempt=attempt, note=values["note"])
    try:
        done = receiving.confirm(
            actor(request), upload=row, advisory=values["advisory"], branch=values["branch"], origin=origin
        )
    except NotDone as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None
    if done.version is None:
        return None
    told = "Kept as a draft of your organisation." if done.created else "The same content is here already; this is it."
    messages.success(request, told)
    return redirect("backport_version", done.version.backport_id, done.version.number)


def _origin(request: HttpRequest, given: Any) -> tuple[Attempt | None, BackportVersion | None]:
    """The attempt and the version that a form names, among those that the reader sees. Raises Http404."""
    attempts = attempts_for(request).select_related("advisory__current", "branch__repository")
    versions = versions_for(request).select_related("backport__advisory__current", "backport__branch__repository")
    return _named(attempts, given.get("from_attempt")), _named(versions, given.get("from_version"))


def _named(rows: QuerySet[Any], pk: str | None) -> Any:
    if not pk:
        return None
    try:
        return get_object_or_404(rows, pk=UUID(pk))
    except ValueError as error:
        raise Http404 from error
