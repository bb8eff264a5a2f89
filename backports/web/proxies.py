"""Who asks: the address that connects, or, behind a proxy that is named as trusted, the one that the proxy tells."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

FORWARDED = "HTTP_X_FORWARDED_"


class TrustedProxies:
    """First of all: sets REMOTE_ADDR right once, and drops every forwarded header that nobody trusted wrote."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_trusted(request.META.get("REMOTE_ADDR", "")):
            request.META["REMOTE_ADDR"] = _client(request)
        else:
            for name in [name for name in request.META if name.startswith(FORWARDED) or name == "HTTP_FORWARDED"]:
                del request.META[name]
        return self.get_response(request)


def _is_trusted(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in settings.TRUSTED_PROXIES)


def _client(request: HttpRequest) -> str:
    """The nearest address that is no trusted proxy; whatever stands before it, its sender may have made up."""
    peer: str = request.META["REMOTE_ADDR"]
    hops = [word.strip() for word in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if word.strip()]
    for hop in reversed(hops):
        if not _is_trusted(hop):
            return hop if _is_address(hop) else peer
    return str(hops[0]) if hops else peer


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
