"""What goes on record of logging in, and of what people change about their own accounts."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from xsa import audit
from xsa.authentication import find_person
from xsa.models import User

View = Callable[..., HttpResponse]


def proving(view: View) -> View:
    """For a view where a password, a code or a key is proved: each one that was wrong is recorded.

    Not those that were not even looked at, since there were too many before.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and response.status_code in (200, 403):
            match = request.resolver_match
            audit.record("login-failed", actor=_known(request), thing=_about(request), route=match and match.url_name)
        return response

    return answer


def changing(verb: str, view: View, *, done_at: str = "") -> View:
    """For a view where people change their own account: records `verb` when it was done.

    `done_at` is the route that it then leads to, where it leads to another one when it refuses.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and _leads_on(response, done_at):
            audit.record(verb, actor=_known(request))
        return response

    return answer


def _leads_on(response: HttpResponse, done_at: str) -> bool:
    """Not to proving again who one is, before anything was done."""
    target = response.get("Location", "") if response.status_code == 302 else "/login/"
    return target == reverse(done_at) if done_at else not target.startswith("/login/")


def _known(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _about(request: HttpRequest) -> User | None:
    """Whose login it was to be: one question for a name, whether there is one or not."""
    stage = getattr(request, "_login_stage", None)
    if stage is not None:
        found: User = stage.login.user
        return found
    return _known(request) or find_person(request.POST.get("login", "").replace("\0", "")[:254])
