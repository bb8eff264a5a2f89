"""From where somebody asks: forwarded headers count only where a named proxy wrote them."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from backports import env
from backports.web.proxies import TrustedProxies

PROXY, INNER = "192.0.2.1", "10.1.2.3"


def asked(**meta: str) -> HttpRequest:
    """The request as it comes behind the middleware."""
    seen: list[HttpRequest] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    TrustedProxies(answer)(RequestFactory().get("/", **meta))
    return seen[0]


@pytest.fixture(autouse=True)
def trusted(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(PROXY), ipaddress.ip_network("10.0.0.0/8")]


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        (PROXY, "203.0.113.5", "203.0.113.5"),
        (PROXY, "198.51.100.9, 203.0.113.5", "203.0.113.5"),
        (PROXY, f"198.51.100.9, 203.0.113.5, {INNER}", "203.0.113.5"),
        (PROXY, f"{INNER}", INNER),
        (PROXY, "", PROXY),
        (PROXY, "nonsense", PROXY),
        (PROXY, "203.0.113.5, <script>", PROXY),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        ("203.0.113.66", "198.51.100.9", "203.0.113.66"),
        ("", "198.51.100.9", ""),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy(peer: str, header: str, client: str) -> None:
    assert asked(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=header).META["REMOTE_ADDR"] == client


def test_headers_of_everybody_else_are_dropped(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    forged = {
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_FOR": "198.51.100.9",
        "HTTP_FORWARDED": "for=198.51.100.9",
    }
    stranger = asked(REMOTE_ADDR="203.0.113.66", **forged)
    assert not stranger.is_secure()
    assert not set(forged) & set(stranger.META)
    assert asked(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_PROTO="https").is_secure()


def test_proxies_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "192.0.2.7, 2001:db8::/64")
    assert [str(one) for one in env.networks("TRUSTED_PROXIES")] == ["192.0.2.7/32", "2001:db8::/64"]
    monkeypatch.setenv("TRUSTED_PROXIES", "proxy.example")
    with pytest.raises(env.BadSetting, match="TRUSTED_PROXIES"):
        env.networks("TRUSTED_PROXIES")
