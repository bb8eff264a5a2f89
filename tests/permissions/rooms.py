"""The room of these tests in databases of its own, made once: with the disclosed advisory alone, and with both.

Whoever enters one finds it as it was made: what is done inside is rolled back, and the git repositories are copies.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from django.db import connection, transaction
from django.test import override_settings

from backports.models import Repository
from backports.runtime import embedded
from backports.services import attempts, explaining, repositories
from tests.backports.conftest import Workshop
from tests.backports.toy import Toy
from tests.permissions.actors import admit_guest, settle
from tests.permissions.world import KNOWN, Names, hide, live_in, names_of, publish, settle_room
from xsa.identity import everything
from xsa.models import Advisory

_LATER = 1_400_000_000
_ANY = {"read": 10**9, "change": 10**9}  # a matrix is asked faster than a program may ask


@dataclass(frozen=True)
class Room:
    """One database and the folder of its git repositories; `names` are those of its advisories, by number."""

    database: str
    git: Path
    toy: Path
    names: dict[int, Names]

    def workshop(self, sent: list[str]) -> Workshop:
        """The services around it, once it is entered."""
        toy = Toy(self.toy, moment=_LATER)
        return Workshop(toy, Repository.objects.get(name="toy"), sent)


class Rooms:
    """Both of them. `folder` is theirs, `toy` the original of the project, `server` where the databases are."""

    def __init__(self, server: dict[str, str], folder: Path, toy: Path) -> None:
        self.server = server
        self.without = Room("room_without", folder / "without", toy, {})
        self.both = Room("room_with", folder / "with", toy, {})

    def make(self) -> None:
        """The second is a copy of the first, so that they differ by the secret alone."""
        self._copy(embedded.DATABASE, self.without.database)
        with self._inside(self.without) as workshop:
            settle()
            settle_room()
            self._name(self.without, publish(workshop))
        self._copy(self.without.database, self.both.database)
        shutil.copytree(self.without.git, self.both.git, symlinks=True)
        with self._inside(self.both) as workshop:
            secret = hide(workshop)
            with transaction.atomic():
                live_in(secret)
            admit_guest(secret)
            self._name(self.both, Advisory.objects.get(number=KNOWN), secret)
        connection.close()

    def names(self, number: int) -> Names:
        """What has an address in them, also where it is not there."""
        return self.both.names[number]

    @contextmanager
    def _inside(self, room: Room) -> Iterator[Workshop]:
        inside = override_settings(GIT_ROOT=room.git)
        with _switched(room.database), _nothing_sent() as sent, inside, everything("tests"):
            if room is self.without:
                repositories.add_repository(None, name="toy", url=str(room.toy))
            yield room.workshop(sent)

    @staticmethod
    def _name(room: Room, *rows: Advisory) -> None:
        room.names.update({row.number: names_of(row) for row in rows})

    def _copy(self, source: str, target: str) -> None:
        """By the superuser: no role of the product may make a database."""
        connection.close()
        place = {"host": self.server["HOST"], "port": self.server["PORT"]}
        superuser = psycopg2.connect(user="postgres", dbname="postgres", **place)
        superuser.autocommit = True
        with superuser.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {target} TEMPLATE {source} OWNER {embedded.OWNER}")
        superuser.close()


@contextmanager
def entered(room: Room, git: Path) -> Iterator[list[str]]:
    """Be in that room, with its repositories copied to `git`; gives the messages that no worker gets."""
    shutil.copytree(room.git, git, symlinks=True)
    inside = override_settings(GIT_ROOT=git, API_RATES=_ANY)
    with _switched(room.database), _nothing_sent() as sent, inside, transaction.atomic():
        yield sent
        transaction.set_rollback(True)


@contextmanager
def _switched(database: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def _nothing_sent() -> Iterator[list[str]]:
    sent: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attempts, "message", lambda *pks, **_: sent.extend(map(str, pks)))
        patch.setattr(explaining, "message", lambda pk, **_: sent.append(f"explain {pk}"))
        yield sent
