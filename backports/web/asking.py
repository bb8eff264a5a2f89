"""Who asks, and from where: an address for the audit, and programs that ask in a person's name by a token."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from xsa import audit
from xsa.models import ApiToken
from xsa.services.tokens import authenticate

from .refusals import is_api, is_git, problem_response

GUESSES, WITHIN = 20, 600  # wrong tokens from one address, in so many seconds
NOT_HERE = "API tokens open patches and other data, and no pages. Log in with a browser."
TOO_MANY = "Too many wrong tokens came from this address. Try again in ten minutes."
NO_GOOD = "This is no token that is good now."
NOT_READ = "This API token is not made for reading."
BASIC = 'Basic realm="Xen backports", charset="UTF-8"'
_TOKEN = re.compile(r"token +(\S+) *", re.IGNORECASE)
F = TypeVar("F", bound=Callable[..., HttpResponse])


def for_tokens(view: F) -> F:
    """Marks a view that serves data, which programs may ask for by a token."""
    view.serves_tokens = True  # type: ignore[attr-defined]
    return view


class WhoAsks:
    """Puts the person of a token in place of a session's, which the answer neither reads nor makes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = request.META.get("REMOTE_ADDR", "")
        with audit.coming_from(address):
            given = _given(request)
            if not given.lower().startswith("token"):
                return self.get_response(request)
            if (refusal := _identify(request, given)) is not None:
                return refusal
        with audit.coming_from(address, str(request.token.pk)):  # type: ignore[attr-defined]
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        """A token opens what is marked for it, and nothing else."""
        token: ApiToken | None = getattr(request, "token", None)
        if token is None or getattr(view, "checks_verbs", False):
            return
        if not getattr(view, "serves_tokens", False) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied(NOT_HERE)
        if ApiToken.Verb.READ not in token.verbs:
            raise PermissionDenied(NOT_READ)


def _given(request: HttpRequest) -> str:
    """What the request says of who asks; git knows names and passwords alone, and a password there is a token."""
    given = request.headers.get("Authorization", "")
    scheme, _, value = given.partition(" ")
    if not is_git(request) or scheme.lower() != "basic":
        return given
    try:
        _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        password = ""
    return f"Token {password}"


def _identify(request: HttpRequest, given: str) -> HttpResponse | None:
    """Who the token stands for; else the one answer to all that is no good, or to too many of them."""
    key = _guesses(request.META.get("REMOTE_ADDR", ""))
    if (wrong := cache.get(key, 0)) >= GUESSES:
        return _refusal(request, 429, "too-many-guesses", TOO_MANY)
    found = _TOKEN.fullmatch(given)
    answer = authenticate(found[1] if found else "")
    if answer is None:
        cache.set(key, wrong + 1, WITHIN)
        audit.record("token-refused", actor=None)
        return _refusal(request, 401, "bad-token", NO_GOOD)
    request.user, request.token = answer  # type: ignore[attr-defined]
    return None


def _guesses(address: str) -> str:
    """Where the wrong ones are counted; all of somebody's IPv6 addresses are one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "token-guesses:-"
    where = ipaddress.ip_network((found, 64), strict=False) if found.version == 6 else found
    return f"token-guesses:{where}:{time.time() // WITHIN:.0f}".replace("/", "-")


def _refusal(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    scheme = BASIC if is_git(request) else "Token"
    headers = {"WWW-Authenticate": scheme, "Cache-Control": "no-store"}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(_until_forgotten())
    if is_api(request):
        return problem_response(status, code, sentence, headers=headers)
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status, headers=headers)


def _until_forgotten() -> int:
    """Seconds until wrong tokens are counted anew; at least one."""
    return WITHIN - int(time.time()) % WITHIN
