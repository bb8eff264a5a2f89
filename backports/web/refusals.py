"""Refusals as programs read them (RFC 9457), for what is refused before any view is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

MEDIA_TYPE = "application/problem+json"
NOT_FOUND = ("not-found", "There is no such thing, or it is not for you to see.")


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, by the address."""
    return request.path.startswith("/api/")


def is_git(request: HttpRequest) -> bool:
    """Whether git itself asks, by the address."""
    return request.path.startswith("/git/")


def document(status: int, code: str, detail: str, *, field: str = "") -> dict[str, Any]:
    """The problem; nothing of it depends on what was asked for but what the words say."""
    found = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return found | ({"field": field} if field else {})


def problem_response(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The problem as an answer, in the bytes that the API's own renderer gives."""
    body = json.dumps(document(status, code, detail), ensure_ascii=False, separators=(",", ":")).encode()
    return HttpResponse(body, content_type=MEDIA_TYPE, status=status, headers=dict(headers or {}))
