"""The repositories that are mirrored."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from backports.models import Repository
from backports.services.repositories import ask_for_refresh
from xsa.permissions import can_fetch_repository, can_read_unplaced_files, can_see_source_addresses, demand
from xsa.visibility import visible_to

from .actor import actor


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Mirrors, when they were fetched last, and what went wrong."""
    rows = visible_to(request.user, Repository.objects.all()).annotate(
        stable=Count("branches", filter=Q(branches__gone=False, branches__history_only=False))
    )
    whole = can_see_source_addresses(request.user)
    shown = [{"repository": row, "origin": row.url if whole else public_address(row.url)} for row in rows]
    may_fetch = can_fetch_repository(request.user)
    may_read = can_read_unplaced_files(request.user)
    context = {"rows": shown, "whole": whole, "may_fetch": may_fetch, "may_read_files": may_read}
    return render(request, "repositories/list.html", context)


def public_address(url: str) -> str:
    """An address on the web without credentials; "" for a path or host that is nobody else's business."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "git") or not parts.hostname:
        return ""
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


@require_POST
def fetch(request: HttpRequest, name: str) -> HttpResponse:
    """Queue a fetch."""
    demand(can_fetch_repository(request.user))
    repository = get_object_or_404(visible_to(request.user, Repository.objects.all()), name=name)
    ask_for_refresh(actor(request), repository=repository)
    messages.success(request, f"{repository.name} will be fetched now.")
    return redirect("repositories")
