"""The repositories that are mirrored."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from backports.models import Repository
from backports.services.repositories import refresh_repository
from xsa.visibility import in_security_team

WHY_NOT = "Only the security team may fetch on demand; every repository is fetched on schedule too."


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Mirrors, when they were fetched last, and what went wrong."""
    rows = Repository.objects.annotate(
        stable=Count("branches", filter=Q(branches__gone=False, branches__history_only=False))
    )
    team = in_security_team(request.user)
    shown = [{"repository": row, "origin": row.url if team else public_address(row.url)} for row in rows]
    return render(request, "repositories/list.html", {"rows": shown, "team": team, "why_not": WHY_NOT})


def public_address(url: str) -> str:
    """An address on the web without credentials; "" for a path or host that is nobody else's business."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "git") or not parts.hostname:
        return ""
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


@require_POST
def fetch(request: HttpRequest, name: str) -> HttpResponse:
    """Queue a fetch."""
    if not in_security_team(request.user):
        raise PermissionDenied(WHY_NOT)
    repository = get_object_or_404(Repository, name=name)
    transaction.on_commit(lambda: refresh_repository.delay(str(repository.pk)))
    messages.success(request, f"{repository.name} will be fetched now.")
    return redirect("repositories")
