"""Members' backports with their versions and what is said of them, made of rows alone, in the room of `bench.room`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from backports.models import Backport, BackportVersion, Branch, Claim, Comment, Event, Review, VersionPatch
from backports.services import events
from xsa.models import Advisory, Membership, User

from .long_diff import long_diff
from .room import DAY, OID, make_room

ANSWERS = 3  # to each first comment of a thread
CELLS = 40
SPEAKING = 10  # organisations that said on every branch how far they are
CLAIMS = 20
PATCH = b"--- a/xen/common/a.c\n+++ b/xen/common/a.c\n@@ -1,3 +1,4 @@\n a\n+b\n c\n d\n"
WORDS = "What about the second hunk here?\n\n```\n    if ( page_get_owner(page) != d )\n        return -EINVAL;\n```\n"


@dataclass(frozen=True, slots=True)
class FullRoom:
    """The advisory, one of its readers, and the backport that most is said of."""

    advisory: Advisory
    reader: User
    backport: Backport


def make_full_room(backports: int, versions: int, comments: int) -> FullRoom:
    """So many shared backports with so many versions each and a review of each version, so many comments on the
    advisory and as many again on the backports, the first of which has most, and claims.
    """
    advisory, _, _ = make_room(attempts=CELLS, speaking=SPEAKING)
    members = _members()
    rows = add_backports(advisory, backports, versions)
    _claims(advisory, _branches(), members)
    Comment.objects.bulk_create(_said(advisory, None, members, comments))
    for row in rows:
        part = 2 if row is rows[0] else 2 * len(rows)
        Comment.objects.bulk_create(_said(advisory, row, members, comments // part))
    members[0].user.cleared = True
    return FullRoom(advisory, members[0].user, rows[0])


def add_backports(advisory: Advisory, count: int, versions: int) -> list[Backport]:
    """So many more in the room."""
    there, members, branches = Backport.objects.filter(advisory=advisory).count(), _members(), _branches()
    rows = [_backport(advisory, branches, members, turn) for turn in range(there, there + count)]
    Backport.objects.bulk_create(rows)
    _versions(rows, versions, members)
    return rows


def add_long_backport(advisory: Advisory, lines: int) -> Backport:
    """One more, whose patch has so many lines."""
    (row,) = add_backports(advisory, 1, 1)
    VersionPatch.objects.filter(version=row.current).update(data=long_diff(lines))
    return row


def _branches() -> list[Branch]:
    return list(Branch.objects.order_by("rank"))


def _members() -> list[Membership]:
    """A contact of each listed organisation."""
    contacts = Membership.objects.filter(organisation__listed=True, contact=True)
    return list(contacts.select_related("user", "organisation").order_by("user__username"))


def _backport(advisory: Advisory, branches: Sequence[Branch], members: Sequence[Membership], turn: int) -> Backport:
    who = members[turn % len(members)]
    branch = branches[(turn % len(members) + turn // len(members)) % len(branches)]
    values = {"started_by": who.user, "started_at": DAY, "life": Backport.Life.SHARED, "shared_at": DAY}
    return Backport(advisory=advisory, branch=branch, organisation=who.organisation, **values)


def _versions(backports: Sequence[Backport], count: int, members: Sequence[Membership]) -> None:
    made = [_version(row, number) for row in backports for number in range(1, count + 1)]
    BackportVersion.objects.bulk_create(made)
    VersionPatch.objects.bulk_create(VersionPatch(version=row, position=0, name="a.patch", data=PATCH) for row in made)
    for backport, row in zip(backports, made[count - 1 :: count], strict=True):
        backport.current = row
    Backport.objects.bulk_update(backports, ["current"])
    Review.objects.bulk_create(_review(row, members[at % len(members)]) for at, row in enumerate(made, 1))
    last = Event.objects.order_by("-position").values_list("position", flat=True).first() or 0
    Event.objects.bulk_create(_event(row, last + at) for at, row in enumerate(made, 1))


def _version(backport: Backport, number: int) -> BackportVersion:
    return BackportVersion(
        backport=backport,
        number=number,
        digest=hashlib.sha256(b"%d" % number).hexdigest(),
        made_by=backport.started_by,
        made_at=DAY + timedelta(hours=number),
        came_by="browser",
        base=OID,
        outcome="applied",
        rung="offset",
        confidence="high",
        hunks_landed=3,
        hunks_total=3,
    )


def _review(row: BackportVersion, who: Membership) -> Review:
    said = {"verdict": "approve", "made_by": who.user, "made_at": row.made_at}
    return Review(version=row, organisation=who.organisation, **said)


def _event(row: BackportVersion, position: int) -> Event:
    of = row.backport
    place = {"advisory": of.advisory, "branch": of.branch, "organisation": of.organisation}
    when = {"at": row.made_at, "shared_at": row.made_at, "position": position}
    return Event(kind=events.BACKPORT_VERSION, thing=row.pk, **place, **when)


def _claims(advisory: Advisory, branches: Sequence[Branch], members: Sequence[Membership]) -> None:
    now = timezone.now()
    until = now + timedelta(days=3)
    Claim.objects.bulk_create(
        Claim(
            advisory=advisory,
            branch=branch,
            organisation=members[at % len(members)].organisation,
            made_by=members[at % len(members)].user,
            made_at=now,
            until=until + timedelta(hours=at % len(members)),
        )
        for at, branch in enumerate(branches[:CLAIMS])
    )


def _said(advisory: Advisory, backport: Backport | None, members: Sequence[Membership], count: int) -> list[Comment]:
    """Threads of a first comment with `ANSWERS` answers; the first ones come before what names them."""
    firsts: list[UUID] = []
    found = []
    for at in range(count):
        who = members[at % len(members)]
        thread = None if at % (ANSWERS + 1) == 0 else firsts[-1]
        row = Comment(
            advisory=advisory,
            backport=backport,
            thread_id=thread,
            organisation=who.organisation,
            made_by=who.user,
            made_at=DAY + timedelta(minutes=at),
            shared_at=DAY,
            text=WORDS,
        )
        firsts += [row.pk] if thread is None else []
        found.append(row)
    return sorted(found, key=lambda one: one.thread_id is not None)
