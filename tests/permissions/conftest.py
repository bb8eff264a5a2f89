"""The world of these tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.backports.conftest import Workshop, toy_original
from tests.permissions.looks import Looks
from tests.permissions.rooms import Rooms, entered
from tests.permissions.world import KNOWN, SECRET
from xsa.models import Advisory

__all__ = ["toy_original"]


@pytest.fixture(scope="session")
def rooms(
    django_db_setup: None,
    django_db_blocker: Any,
    database_server: dict[str, str],
    toy_original: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Rooms:
    made = Rooms(database_server, tmp_path_factory.mktemp("rooms"), toy_original)
    with django_db_blocker.unblock():
        made.make()
    return made


@pytest.fixture(scope="session")
def every_look(rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> Looks:
    return Looks(rooms, tmp_path_factory.mktemp("looks"))


@pytest.fixture
def looks(every_look: Looks, django_db_blocker: Any) -> Iterator[Looks]:
    """For tests that look at what was answered, and ask for nothing themselves."""
    with django_db_blocker.unblock():
        yield every_look


@pytest.fixture
def workshop(
    request: pytest.FixtureRequest, rooms: Rooms, tmp_path: Path, django_db_blocker: Any
) -> Iterator[Workshop]:
    """Inside the room that the test names: the one with the secret, or the one without."""
    room = rooms.both if "secret" in request.fixturenames else rooms.without
    with django_db_blocker.unblock(), entered(room, tmp_path / "git") as sent:
        yield room.workshop(sent)


@pytest.fixture
def known(workshop: Workshop) -> Advisory:
    """The disclosed advisory."""
    return Advisory.objects.get(number=KNOWN)


@pytest.fixture
def secret(workshop: Workshop) -> Advisory:
    """The embargoed one beside it."""
    return Advisory.objects.get(number=SECRET)


@pytest.fixture
def at_one_moment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`at_one_moment(work, ...)` does the work while the clock stands, at the same moment each time."""
    moment = timezone.now() + timedelta(minutes=1)

    def stopped(work: Callable[..., Any], *args: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: moment)
            return work(*args)

    return stopped
