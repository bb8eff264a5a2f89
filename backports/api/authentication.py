"""Who asks: a token, which the middleware `backports.web.asking.WhoAsks` has proved, or a person's own session."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token …`. A bad one never comes here: it was refused before the address was looked at."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        token = getattr(request._request, "token", None)
        return None if token is None else (request._request.user, token)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return "Token"


class OwnSession(SessionAuthentication):
    """A browser's session, with the check against forgery on everything that changes something."""


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema tells of tokens."""

    target_class = "backports.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        text = "`Authorization: Token xbt_…`. What it opens is what it was made for, and no more."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": text}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema tells of sessions."""

    target_class = "backports.api.authentication.OwnSession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        text = "A browser's session; a change needs its form token in X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": text}
