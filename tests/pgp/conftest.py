"""The room's key, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from backports.pgp import RoomKey, make_room_key


@pytest.fixture(scope="session")
def room_key(tmp_path_factory: pytest.TempPathFactory) -> RoomKey:
    path: Path = tmp_path_factory.mktemp("room") / "room-key.asc"
    return make_room_key(path, name="Example Room", address="room@example.org")
