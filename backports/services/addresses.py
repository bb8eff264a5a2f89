"""Where an organisation's repository may be fetched from.

Its admins are no operators: an address of theirs must not make the server read its own files, or ask machines that only
it can reach.
"""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from backports.models import Repository
from xsa.models import Organisation

from .errors import NotDone
from .outside import is_outside

_SCHEMES = {"https": 443, "git": 9418}
_UNREADABLE = "The host or the port of the address cannot be read; check both."


def check(repository: Repository) -> str:
    """Refuse the address of an organisation's repository as it is now: names and links may lead elsewhere since it was
    added. Raises NotDone.

    Answers `host:port:addresses`, of the machines that were looked at, for an https:// address, so that no others are
    asked (`git.mirror`); else "".
    """
    if repository.organisation is None or not repository.url:
        return ""
    scheme, host, port = _read(allowed(repository.organisation, repository.url))
    if scheme != "https" or ":" in host:  # which is no name
        return ""
    port = port or _SCHEMES[scheme]
    found = (f"[{one}]" if ":" in one else one for one in sorted(_public(host, port)))
    return f"{host}:{port}:{','.join(found)}"


def allowed(organisation: Organisation, url: str) -> str:
    """The address, when an organisation may have it fetched. Raises NotDone `bad-address`, `private-address`."""
    address = url.strip()
    if not address.isascii() or not address.isprintable() or "\\" in address:
        raise NotDone("bad-address", "An address has printable ASCII characters alone, and no backslash.", "url")
    scheme, host, port = _read(address)
    if not scheme:
        return _below_own_folder(organisation, address)
    if scheme not in _SCHEMES or not host:
        raise _no_address()
    _public(host, port or _SCHEMES[scheme])
    return address


def shown(repository: Repository) -> str:
    """The address of an organisation's repository for its people: a path as they gave it, below their own folder."""
    own = _own_folder(repository.organisation_id)
    path = Path(repository.url)
    return str(path.relative_to(own)) if own and path.is_relative_to(own) else repository.url


def _no_address() -> NotDone:
    return NotDone("bad-address", "Give an https:// or git:// address.", "url")


def _read(address: str) -> tuple[str, str, int]:
    """Scheme, host and port, "" and 0 where there is none. Raises NotDone `bad-address`."""
    try:
        parts = urlsplit(address)
        found = parts.scheme, parts.hostname or "", parts.port or 0
    except ValueError as error:
        raise NotDone("bad-address", _UNREADABLE, "url") from error
    if parts.username is not None or parts.password is not None:
        raise NotDone("bad-address", "Give an address without a name or password: it would be shown.", "url")
    if parts.port == 0 or " " in parts.netloc or found[1].endswith("."):
        raise NotDone("bad-address", _UNREADABLE, "url")
    return found


def _below_own_folder(organisation: Organisation, path: str) -> str:
    """A path counts from the folder that the operator keeps for the organisation, and stays in it."""
    own = _own_folder(organisation.pk)
    try:
        found = (own / path).resolve() if own else None
        inside = own is not None and found is not None and own in found.parents and found.is_dir()
    except (OSError, RuntimeError):  # a name that is too long, links in a circle
        inside = False
    if not inside:
        raise _no_address()
    return str(found)


def _own_folder(pk: UUID | None) -> Path | None:
    root = settings.ORGANISATION_GIT
    return Path(root).resolve() / str(pk) if root and pk else None


def _public(host: str, port: int) -> set[str]:
    """The addresses of the host, all of the public network. Raises NotDone `unreachable`, `private-address`."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise NotDone("unreachable", "No machine has that name; check it for a slip of the pen.", "url") from error
    if not all(is_outside(one) for one in found):
        raise NotDone("private-address", "That machine is not on the public network.", "url")
    return found
