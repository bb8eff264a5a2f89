"""Where an organisation's repository may be fetched from.

Its admins are no operators: an address of theirs must not make the server read its own files, or ask machines that only
it can reach.
"""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from backports.models import Repository
from xsa.models import Organisation

from .errors import NotDone

_SCHEMES = ("https", "git")


def check(repository: Repository) -> None:
    """Refuse the address of an organisation's repository as it is now: names and links may lead elsewhere since it was
    added. Raises NotDone.
    """
    if repository.organisation is not None and repository.url:
        allowed(repository.organisation, repository.url)


def allowed(organisation: Organisation, url: str) -> str:
    """The address, when an organisation may have it fetched. Raises NotDone `bad-address`, `private-address`."""
    parts = urlsplit(url.strip())
    if not parts.scheme:
        return _below_own_folder(organisation, url.strip())
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise NotDone("bad-address", "Give an https:// or git:// address.", "url")
    if parts.username or parts.password:
        raise NotDone("bad-address", "Give an address without a name or password: it would be shown.", "url")
    _refuse_private(parts.hostname, parts.port or 443)
    return url.strip()


def _below_own_folder(organisation: Organisation, path: str) -> str:
    """A path counts from the folder that the operator keeps for the organisation, and stays in it."""
    root = settings.ORGANISATION_GIT
    own = Path(root).resolve() / str(organisation.pk) if root else None
    found = (own / path).resolve() if own else None
    if own is None or found is None or own not in found.parents or not found.is_dir():
        raise NotDone("bad-address", "Give an https:// or git:// address.", "url")
    return str(found)


def _refuse_private(host: str, port: int) -> None:
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise NotDone("unreachable", "No machine has that name; check it for a slip of the pen.", "url") from error
    if not all(ipaddress.ip_address(one.partition("%")[0]).is_global for one in found):
        raise NotDone("private-address", "That machine is not on the public network.", "url")
