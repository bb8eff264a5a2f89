"""Logins of organisations' own, as the settings need them: OpenID Connect, one server for one organisation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backports.env import BadSetting

Providers = Mapping[str, Mapping[str, Any]]


def applications(providers: Providers) -> list[dict[str, Any]]:
    """What allauth wants to know of each server. Raises BadSetting for one that is not described whole."""
    return [_application(name, one) for name, one in providers.items()]


def _application(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    for needed in ("server", "client_id", "secret_file"):
        if not one.get(needed):
            raise BadSetting(f"OIDC_PROVIDERS, [{name}] must have {needed}.")
    return {
        "provider_id": name,
        "name": one["organisation"],
        "client_id": one["client_id"],
        "secret": _secret(name, one["secret_file"]),
        "settings": {"server_url": one["server"], "oauth_pkce_enabled": True},
    }


def _secret(name: str, file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise BadSetting(f"OIDC_PROVIDERS, [{name}]: secret_file cannot be read: {error}") from None


def form_hosts(providers: Providers) -> list[str]:
    """Where a form may lead a browser to: each server, and further hosts that it sends people on to."""
    found = {host for one in providers.values() for host in one.get("form_hosts", ())}
    for one in providers.values():
        parts = urlsplit(one.get("server", ""))
        found.add(f"{parts.scheme}://{parts.netloc}")
    return sorted(found)
