"""Files as they came in, byte for byte."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from xsa.models import FixPatch, PatchFile
from xsa.permissions import can_read_unplaced_files, demand
from xsa.visibility import visible_to

from . import downloads
from .asking import for_tokens
from .seen import note

MOST = 200


def _unread() -> QuerySet[PatchFile]:
    return PatchFile.objects.filter(version=None).exclude(kind=PatchFile.Kind.INDEX, problems=[])


@for_tokens
@require_safe
def raw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The bytes of a file of an advisory, or of one that could not be read, for the security team."""
    rows = visible_to(request.user, PatchFile.objects.exclude(version=None))
    if can_read_unplaced_files(request.user):
        rows = PatchFile.objects.all()
    if names := getattr(request.user, "branches", ()):
        rows = rows.filter(Exists(FixPatch.objects.filter(file=OuterRef("pk"), fix__branch__in=names)))
    row = get_object_or_404(rows.select_related("version__advisory__current"), pk=pk)
    note(request, [row.version.advisory] if row.version else [], thing=row, secret=row.version is None)
    if row.version is None:
        return downloads.deliver_unplaced(bytes(row.data), row.name)
    advisory = row.version.advisory
    return downloads.deliver(bytes(row.data), row.name, secrets=[advisory] if advisory.embargoed else [])


@require_safe
def unread(request: HttpRequest) -> HttpResponse:
    """What came in and could not be told which advisory it is of."""
    demand(can_read_unplaced_files(request.user))
    rows = _unread().defer("data").order_by("-received_at", "pk")
    note(request, secret=True)
    return render(request, "files/unread.html", {"files": rows[:MOST], "count": rows.count()})
