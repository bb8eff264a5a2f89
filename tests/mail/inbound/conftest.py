"""A room with an advisory, members with keys, and a worker that looks at mail at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backports.bench import letters
from backports.models import InboundMail
from backports.pgp import RoomKey, make_room_key
from backports.services.inbound import handling
from backports.services.inbound.door import receive
from tests import factories
from tests.backports.conftest import *  # noqa: F403 - the workshop
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits
from tests.mail.letters import mail
from xsa.formats.keys import read_key
from xsa.formats.signature import make_demo_key
from xsa.models import Advisory, Organisation, User

NUMBER = 500


@pytest.fixture(scope="session")
def room_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RoomKey]:
    """The room's key, made once."""
    path = tmp_path_factory.mktemp("room") / "key.asc"
    return path, make_room_key(path, name="Room", address="room@backports.example")


@pytest.fixture
def room(room_key: tuple[Path, RoomKey], settings: Any) -> RoomKey:
    """The room has its key."""
    settings.ROOM_KEY = room_key[0]
    settings.DEFAULT_FROM_EMAIL = "Room <room@backports.example>"
    return room_key[1]


_KEYS: dict[str, tuple[bytes, bytes]] = {}


@dataclass
class Member:
    """Somebody with an address, whose organisation has a key."""

    user: User
    organisation: Organisation
    secret: bytes
    room: RoomKey

    @property
    def address(self) -> str:
        return self.user.email

    def write(self, text: str = "Something.\n", **told: Any) -> bytes:
        """A mail of theirs, unsigned, of just now."""
        when = told.pop("date", timezone.now())
        told.setdefault("sender", f"{self.user.username} <{self.address}>")
        return mail(text, date=when, **told)

    def sign(self, raw: bytes, **told: Any) -> bytes:
        return letters.signed(raw, self.secret, **told)

    def encrypt(self, raw: bytes, **told: Any) -> bytes:
        return letters.encrypted(raw, self.secret, self.room.public.encode(), **told)


def make_member(name: str, room: RoomKey) -> Member:
    """A listed organisation with one person, and a key."""
    if name not in _KEYS:
        _KEYS[name] = make_demo_key(f"Example {name}", f"{name}@{name}.example")
    secret, public = _KEYS[name]
    user = factories.person(name, listed=True)
    user.email = f"{name}@{name}.example"
    user.save()
    organisation = user.memberships.get().organisation
    key = read_key(public.decode(), now=timezone.now())
    organisation.pgp_key, organisation.pgp_fingerprint = key.armoured, key.fingerprint
    organisation.save()
    return Member(user, organisation, secret, room)


@pytest.fixture
def member(db: None, room: RoomKey) -> Member:
    return make_member("engineer", room)


@pytest.fixture
def reviewer(db: None, room: RoomKey) -> Member:
    return make_member("reviewer", room)


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No worker: messages stay here."""
    sent: list[str] = []
    monkeypatch.setattr(handling.handle_mail, "delay", sent.append)
    return sent


Take = Callable[[bytes], InboundMail]


@pytest.fixture
def take(db: None) -> Iterator[Take]:
    """`take(raw)`: it comes in, a worker looks at it, and this is its row."""

    def taken(raw: bytes) -> InboundMail:
        row = receive(raw, via="pipe")
        handling.handle_mail(str(row.pk))
        row.refresh_from_db()
        return row

    yield taken


@pytest.fixture
def advisory(workshop: Workshop) -> Advisory:
    """An embargoed advisory, tried on the toy's branches."""
    row = workshop.take(NUMBER, {f"xsa{NUMBER}.patch": fix(workshop)})
    workshop.work()
    return row


def fix(workshop: Workshop, check: str = "toy_check", subject: str = "table: check what is picked") -> bytes:
    """A patch that applies to every branch of the toy project."""
    limit = "    unsigned int table_pick_limit = toy->table_pick_count;\n\n"
    edits: Edits = {"common/table.c": [(limit, f"{limit}    if ( {check}(table_pick_index) )\n        return -1;\n\n")]}
    return workshop.toy.patch("master", edits, subject)


def body_of(patch: bytes) -> str:
    """A patch's message and diff, as a mail's text."""
    return patch.decode().partition("\n\n")[2]


LATE = timedelta(days=30)
