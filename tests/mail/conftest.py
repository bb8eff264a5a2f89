"""Readers who have keys, and a room that has one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backports.pgp import RoomKey, make_room_key
from tests.pgp.keys import Correspondent
from xsa.models import Organisation, PgpKey, User


@pytest.fixture(scope="session")
def a_room_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RoomKey]:
    path: Path = tmp_path_factory.mktemp("room") / "room-key.asc"
    return path, make_room_key(path, name="Example Room", address="room@example.org")


@pytest.fixture
def room(a_room_key: tuple[Path, RoomKey], settings: Any) -> Iterator[RoomKey]:
    """The room's key, where the settings say."""
    settings.ROOM_KEY = a_room_key[0]
    settings.DEFAULT_FROM_EMAIL = "Example Room <room@example.org>"
    settings.PUBLIC_URL = "https://room.example"
    yield a_room_key[1]


def give_key(holder: Organisation | User, reader: Correspondent | None = None, **columns: Any) -> PgpKey:
    """A pinned key, without the proof: the reader's, or the one that the columns say."""
    now = timezone.now()
    whose = {"organisation": holder} if isinstance(holder, Organisation) else {"person": holder}
    values = {"state": "usable", "checked_at": now, "added_at": now}
    values |= {"armoured": reader.public, "fingerprint": reader.fingerprint} if reader else {}
    by = holder if isinstance(holder, User) else User.objects.filter(memberships__organisation=holder).first()
    return PgpKey.objects.create(added_by=by, **whose, **(values | columns))
