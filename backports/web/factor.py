"""The second factor of the session that asks: whether it was proved, and how long ago."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

View = TypeVar("View", bound=Callable[..., HttpResponse])


def _proofs(request: HttpRequest) -> list[float]:
    """When this session's person proved a second factor, in seconds since 1970."""
    if not request.user.is_authenticated:
        return []
    records = get_authentication_records(request, request.user)
    return [float(one.get("at", 0)) for one in records if one.get("method") == "mfa"]


def proved_second_factor(request: HttpRequest) -> bool:
    """Whether the person proved a second factor in this session."""
    return bool(_proofs(request))


def fresh_factor(request: HttpRequest) -> bool:
    """Whether that was within the last twelve hours; a token's own lifetime stands for it."""
    if getattr(request, "token", None) is not None:
        return True
    return any(time.time() - at < settings.FRESH_FACTOR_SECONDS for at in _proofs(request))


def ask_again(request: HttpRequest) -> HttpResponse:
    """Send the person to prove a second factor, and from there back to this address."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    address = methods[0]["url"] if methods else settings.LOGIN_URL
    if request.method not in ("GET", "HEAD"):
        messages.info(request, "Nothing was done yet. Prove your second factor, then press the button again.")
    return HttpResponseRedirect(f"{address}?{urlencode({'next': request.get_full_path()})}")


def fresh_factor_required(view: View) -> View:
    """For a view of what is embargoed to take away or to change; its address must answer GET."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if fresh_factor(request) else ask_again(request)

    return cast("View", asked)
