"""What an actor is answered everywhere in a room, asked once and looked at by many tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from tests.permissions.actors import client_of
from tests.permissions.crawl import crawl
from tests.permissions.rooms import Room, Rooms, entered
from tests.permissions.world import KNOWN, SECRET
from xsa.identity import everything
from xsa.models import AuditRecord

# What looking leaves behind on purpose: that somebody looked, how often, and their session.
_LEFT = {"xsa_auditrecord", "xsa_session", "backports_ratewindow"}
# Those who follow links as well; of the others only the known addresses are asked.
FOLLOWING = ("anonymous", "contact")
Counted = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Look:
    """Answers by address; rows of each table before and after; messages that were sent; records that were left."""

    answers: Mapping[str, Any]
    before: Counted
    after: Counted
    sent: list[str]
    records: list[AuditRecord]


@dataclass
class Looks:
    """Every actor's look at each room; the clock stands at one moment for all of them."""

    rooms: Rooms
    folder: Path
    moment: Any = field(default_factory=lambda: timezone.now() + timedelta(minutes=1))
    kept: dict[tuple[str, str], Look] = field(default_factory=dict)

    def at(self, room: Room, actor: str) -> Look:
        """The addresses of both advisories are asked for in either room."""
        key = (room.database, actor)
        if key not in self.kept:
            with pytest.MonkeyPatch.context() as patch, everything("tests"):
                patch.setattr(timezone, "now", lambda: self.moment)
                with entered(room, self.folder / "-".join(key)) as sent:
                    self.kept[key] = self._look(actor, sent)
        return self.kept[key]

    def _look(self, actor: str, sent: list[str]) -> Look:
        client, told = client_of(actor), AuditRecord.objects.count()
        client.get("/")
        before = counted()
        answers = crawl(client, self.rooms.names(KNOWN), self.rooms.names(SECRET), follow=actor in FOLLOWING)
        return Look(answers, before, counted(), sent, list(AuditRecord.objects.order_by("position")[told:]))


def counted() -> Counted:
    """Rows of each table, and a sum of what they hold."""
    tables = {model._meta.db_table for model in apps.get_models() if model._meta.managed} - _LEFT
    with connection.cursor() as cursor:
        found = {}
        for table in sorted(tables):
            cursor.execute(f"SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM {table} t")  # noqa: S608
            found[table] = cursor.fetchone()
    return found


LookAt = Callable[[str], Look]
