"""In whose name the database is asked, so that its own policies (`xsa.rls`) can tell what may be seen.

Every transaction begins by telling PostgreSQL the identity of this thread (`xsa.backend` does it), for as long as
that transaction lasts. Where nobody was named, nothing embargoed is visible.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import connections

log = logging.getLogger(__name__)

# Who may see everything, by name; each is a service that works for all readers at once.
SERVICES = frozenset(
    {
        "attempts",  # workers that try, explain and compile what is embargoed too
        "repositories",  # planning cells after a fetch
        "disclose",  # opening one
        "audit",  # appending a record behind the last one, whoever's that is
        "events",  # appending one behind the last one, whoever's that is
        "claims",  # ending those that are over, whoever's they are
        "webhooks",  # looking which addresses are to be told
        "mail",  # sending what waits to be sent, whoever's that is
        "members",  # leaving ends what hangs on embargoed rows
        "mail-in",  # keeping mail that came, and finding whose it is
        "command",  # an operator's shell
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A reader by id, or the name of a service that sees everything; `only` are the advisories a token is good for.

    `speaker` is the person whose own organisations' things are shown: the reader, or whoever a token for nothing
    embargoed speaks for; a token speaks for one `organisation` alone.
    """

    reader: str = ""
    everything: str = ""
    only: str = ""
    speaker: str = ""
    organisation: str = ""


NOBODY = Identity()
_identity: ContextVar[Identity] = ContextVar("identity", default=NOBODY)


_noticed: ContextVar[set[str] | None] = ContextVar("noticed", default=None)


@contextmanager
def noticing() -> Iterator[set[str]]:
    """The names of the services that saw everything inside the block, so that a person's doing can be recorded."""
    names: set[str] = set()
    token = _noticed.set(names)
    try:
        yield names
    finally:
        _noticed.reset(token)


def current() -> Identity:
    """The identity of this thread."""
    return _identity.get()


@contextmanager
def _acting(identity: Identity) -> Iterator[None]:
    token = _identity.set(identity)
    _tell(identity)
    try:
        yield
    finally:
        _identity.reset(token)
        _tell(_identity.get())


def _tell(identity: Identity) -> None:
    """Transactions that are open already are told at once; one that failed is rolled back to where it knew better."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block and hasattr(connection, "identify"):
            connection.identify(identity)


def is_cleared(user: Any) -> bool:
    """Whether this is an active person who proved a second factor; nobody else is shown anything embargoed."""
    return bool(user.is_authenticated and user.is_active and user.cleared)


def is_speaking(user: Any) -> bool:
    """Whether this is shown what its own organisation keeps to itself: somebody cleared, or a token for it."""
    return is_cleared(user) or bool(user.is_authenticated and user.is_active and user.speaks_for)


@contextmanager
def reading(user: Any, *, only: tuple[int, ...] = ()) -> Iterator[None]:
    """Ask in the name of `user` inside the block, whoever asked before; nobody's when they proved no second factor.

    `only` limits what is embargoed to these advisories, by number; so does `user.only`, which a token sets.
    """
    reader = str(user.pk) if is_cleared(user) else ""
    numbers = only or getattr(user, "only", ())
    speaker = str(user.pk) if is_speaking(user) else ""
    own = str(user.speaks_for) if speaker and user.speaks_for else ""
    with _acting(Identity(reader, "", ",".join(map(str, numbers)), speaker, own)):
        yield


@contextmanager
def everything(service: str) -> Iterator[None]:
    """See all rows inside the block, as one of SERVICES; what was before holds again after it."""
    if service not in SERVICES:
        raise ValueError(f"{service!r} is no service that may see everything; name it in xsa.identity.SERVICES.")
    names = _noticed.get()
    if names is not None and service not in ("audit", "events"):
        names.add(service)
    with _acting(Identity(everything=service)):
        yield
