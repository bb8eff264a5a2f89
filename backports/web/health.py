"""`/healthz`."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from backports.runtime import health
from xsa import rls


@require_safe
@transaction.non_atomic_requests  # it answers when there is no database, too
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 when every part is up, else 503; names of parts and `ok` or `fail`, nothing more."""
    status, body = health.report({"policies": lambda: rls.unprotected() == []})
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
