"""The server that mail goes out by, from one address: `smtp://user:password@host:587?tls=1`."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from backports.env import BadSetting


def mail_server(url: str) -> dict[str, Any]:
    """Django's settings for it: `?tls=1` asks for STARTTLS, `smtps` for TLS from the start. Raises BadSetting."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise BadSetting("EMAIL_URL must be smtp://user:password@host:port?tls=1, or smtps://….")
    implicit = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if implicit else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": implicit,
        "EMAIL_USE_TLS": not implicit and parse_qs(parts.query).get("tls") == ["1"],
    }
