"""An embargoed advisory with a member's shared backport, and the people who work on it."""

from __future__ import annotations

from dataclasses import dataclass

from backports.models import BackportVersion, Branch
from backports.services import receiving, sharing
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits
from xsa.models import Advisory, Organisation, User

NUMBER = 500
LIMIT = "    unsigned int table_pick_limit = toy->table_pick_count;\n\n"
PUSH = "    spin_lock(&toy->queue_push_lock);\n"
CHECK = "    if ( toy_check(table_pick_index) )\n        return -1;\n\n"
OTHER_CHECK = CHECK.replace("-1", "-EINVAL")
BARRIER = "    barrier();\n"


@dataclass
class Room:
    """`author` and `reviewer` are of two organisations, `third` of another; `team` is the security team's."""

    workshop: Workshop
    advisory: Advisory
    author: User
    reviewer: User
    third: User
    team: User

    def upload(
        self, check: str = CHECK, push: str = BARRIER, by: User | None = None, on: str = "4.1"
    ) -> BackportVersion:
        """A version of the author's backport on 4.1, or another branch: a check in one file, a barrier in the other."""
        edits: Edits = {"common/table.c": [(LIMIT, LIMIT + check)]}
        if push:
            edits["common/queue.c"] = [(PUSH, PUSH + push)]
        person = by or self.author
        received = receiving.submit(
            person,
            organisation=own(person),
            name=f"xsa500-{on}.patch",
            data=self.workshop.toy.patch(on, edits, "table: check what is picked"),
            advisory=self.advisory,
            branch=Branch.objects.get(name=on, repository__name="toy"),
        )
        assert received.version is not None
        return received.version

    def shared(self) -> BackportVersion:
        """The first version, in the room."""
        version = self.upload()
        sharing.share(self.author, backport=version.backport)
        return fresh(version)


def own(person: User) -> Organisation:
    """The organisation of somebody who belongs to one."""
    return Organisation.objects.get(memberships__user=person)


def fresh(version: BackportVersion) -> BackportVersion:
    """The version as it is now."""
    rows = BackportVersion.objects.select_related("backport__advisory", "backport__branch__repository")
    return rows.get(pk=version.pk)


def room_in(workshop: Workshop) -> Room:
    """The advisory is taken in, its official fix for master too."""
    patch = workshop.toy.patch("master", {"common/table.c": [(LIMIT, LIMIT + CHECK)]}, "table: check what is picked")
    return Room(
        workshop,
        workshop.take(NUMBER, {"xsa500.patch": patch}),
        author=factories.person("author", listed=True),
        reviewer=factories.person("reviewer", listed=True),
        third=factories.person("third", listed=True),
        team=factories.person("team", security_team=True),
    )
