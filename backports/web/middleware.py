"""What every answer goes through."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backports.engine.errors import EngineError
from backports.git.errors import GitError
from xsa.belonging import remembering
from xsa.identity import reading

from .factor import proved_second_factor

log = logging.getLogger(__name__)


class ReadAsYourself:
    """The database is asked in the name of the person who asks, once a second factor was proved in this session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and not hasattr(request, "token"):
            request.user.cleared = proved_second_factor(request)
        asked_once = remembering() if request.method in ("GET", "HEAD") else nullcontext()
        with reading(request.user), asked_once:
            return self.get_response(request)


class NoStore:
    """No cache keeps what a logged-in reader was shown."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What went wrong around us, told with its code and sentence."""
        if not isinstance(exception, EngineError | GitError):
            return None
        log.warning("answer failed code=%s", exception.code)
        return render(request, "503.html", {"trouble": exception}, status=503)
