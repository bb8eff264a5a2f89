"""Requests to addresses that people name: to no machine inside, by TLS alone, and nowhere further."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlsplit

from .errors import NotDone

SECONDS = 10
# Addresses that stand for others, which may be inside.
_GATEWAYS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Unreachable(Exception):
    """Nothing was delivered; `code` says why, without the address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_url(url: str) -> SplitResult:
    """The parts of an address that may be asked, as far as its text can tell. Raises NotDone."""
    try:
        parts = urlsplit(url)
        bad = parts.scheme != "https" or not parts.hostname or parts.port == 0
    except ValueError:
        bad = True
    if bad or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise NotDone("bad-address", "An address begins with https:// and a host name.", "url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise NotDone("bad-address", "An address has no password and no fragment in it.", "url")
    return parts


def check_outside(url: str, *, allowed: Iterable[Network] = ()) -> None:
    """The same, and where it has an IP address in place of a name, that it is none inside. Raises NotDone.

    A name may lead elsewhere each time: where it leads is looked at when it is asked.
    """
    host = check_url(url).hostname or ""
    try:
        inside = not is_outside(host, allowed)
    except ValueError:
        return
    if inside:
        raise NotDone(
            "bad-address", "An address is one of the public internet, or in a network of the operator's.", "url"
        )


def is_outside(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether a request may go to this IP address: one of the public internet, or in a network that is `allowed`."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if any(found.version == one.version and found in one for one in allowed):
        return True
    if any(found.version == one.version and found in one for one in _GATEWAYS):
        return False
    return found.is_global and not found.is_multicast


def post(url: str, body: bytes, headers: Mapping[str, str], *, allowed: Iterable[Network] = ()) -> int:
    """The status that the address answers with; where it leads on to is not followed. Raises Unreachable.

    The name is looked up once, every address of it is checked, and the one that was checked is asked.
    """
    parts = check_url(url)
    host, port = parts.hostname or "", parts.port or 443
    connection = _Pinned(host, port, _address(host, port, tuple(allowed)))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, {**headers, "User-Agent": "xsa-backports", "Connection": "close"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        code = "certificate" if isinstance(error, ssl.SSLCertVerificationError) else "no-answer"
        raise Unreachable(code) from None
    finally:
        connection.close()


def _address(host: str, port: int, allowed: tuple[Network, ...]) -> str:
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise Unreachable("no-such-host") from None
    if not found or not all(is_outside(one, allowed) for one in found):
        raise Unreachable("inside")
    return found[0]


class _Pinned(http.client.HTTPSConnection):
    """A connection to one IP address, which must prove that it is the host of that name."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, port, timeout=SECONDS, context=self._tls)
        self.address = address

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), SECONDS)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
