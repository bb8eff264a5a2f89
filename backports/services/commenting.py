"""What people say to each other: about an advisory, about a backport, about a line of one of its versions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from backports.engine.diff import Patch
from backports.engine.follow import Follower, Spot, around, spot_at, spot_of
from backports.models import Backport, BackportVersion, Comment, CommentPlace
from xsa import audit
from xsa.models import Advisory, Organisation, User
from xsa.permissions import can_take_part, demand

from . import events, mentions
from .contents import patches_of
from .errors import NotDone
from .evidence import text as plain
from .turns import take_turn

log = logging.getLogger(__name__)
LONGEST = 50_000  # characters
WIDEST = 500  # characters of a quoted line


@dataclass(frozen=True, slots=True)
class Where:
    """A line of a version: its numbers of patch, file, hunk and line (`place`), or `path` and its number there.

    `old`: the number is of the file as it was before the patches.
    """

    place: tuple[int, ...] = ()
    path: str = ""
    line: int = 0
    old: bool = False


@transaction.atomic
def say(
    actor: User, *, organisation: Organisation, advisory: Advisory, backport: Backport | None = None, text: str
) -> Comment:
    """Begin a thread about an advisory, or about one of its backports. Raises PermissionDenied, NotDone."""
    demand(can_take_part(actor, organisation, advisory))
    row = _comment(actor, organisation, advisory, backport, text)
    row.save(force_insert=True)
    _tell(actor, row)
    return row


@transaction.atomic
def say_of_line(
    actor: User, *, organisation: Organisation, version: BackportVersion, where: Where, text: str
) -> Comment:
    """Begin a thread about a line of a version. Raises PermissionDenied, NotDone.

    Where newer versions are there already, it follows its line into them at once.
    """
    backport = version.backport
    demand(can_take_part(actor, organisation, backport.advisory))
    patches = patches_of(version)
    spot = _spot(patches, where)
    row = _comment(actor, organisation, backport.advisory, backport, text)
    lines, row.quoted_at = around(patches, spot)
    row.quoted = [[tag, plain(line).rstrip("\n")[:WIDEST]] for tag, line in lines]
    row.version, row.opens = version, row.shared_at is not None
    row.save(force_insert=True)
    take_turn()
    _place(row, version, spot.paths[0], spot)
    _follow(row, version, patches)
    _tell(actor, row)
    return row


def _spot(patches: Sequence[Patch], where: Where) -> Spot:
    spot = spot_at(patches, where.place) if where.place else spot_of(patches, where.path, where.line, old=where.old)
    if spot is None:
        sentence = "This line is not in the version's patches. Comment on a line that they show, or on the backport."
        raise NotDone("no-line", sentence, "line")
    return spot


@transaction.atomic
def answer(
    actor: User, *, organisation: Organisation, thread: Comment, text: str = "", kind: str = Comment.Kind.SAY
) -> Comment:
    """Answer the first comment of a thread, resolve it, or open it again. Raises PermissionDenied, NotDone."""
    demand(can_take_part(actor, organisation, thread.advisory))
    if kind not in Comment.Kind.values:
        raise NotDone("no-kind", "A thread is answered, resolved, or opened again.", "kind")
    row = _comment(actor, organisation, thread.advisory, thread.backport, text, kind=kind)
    row.thread, row.opens = thread, thread.opens
    if kind != Comment.Kind.SAY and is_resolved(thread) == (kind == Comment.Kind.RESOLVE):
        raise NotDone("as-it-is", "Somebody did that already: read the thread again.", "kind")
    row.save(force_insert=True)
    _tell(actor, row)
    return row


def is_resolved(thread: Comment) -> bool:
    """Whether the last word on it was that it is done."""
    steps = thread.answers.exclude(kind=Comment.Kind.SAY).order_by("-made_at", "-id")
    last = steps.values_list("kind", flat=True).first()
    return last == Comment.Kind.RESOLVE


def _comment(
    actor: User,
    organisation: Organisation,
    advisory: Advisory,
    backport: Backport | None,
    text: str,
    kind: str = Comment.Kind.SAY,
) -> Comment:
    said = plain(text.replace("\r\n", "\n")).strip("\n")
    if kind == Comment.Kind.SAY and not said.strip():
        raise NotDone("says-nothing", "Say something.", "text")
    if len(said) > LONGEST:
        raise NotDone("too-long", f"A comment has at most {LONGEST} characters.", "text")
    return Comment(
        advisory=advisory,
        backport=backport,
        organisation=organisation,
        made_by=actor,
        made_at=timezone.now(),
        kind=kind,
        text=said,
        mentions=mentions.resolve(actor, said, advisory=advisory, backport=backport),
        shared_at=timezone.now() if backport is None or backport.shared_at else None,
    )


def _tell(actor: User, row: Comment) -> None:
    backport = row.backport
    numbers = backport.prerequisites if backport else []
    log.info("commented comment=%s actor=%s", row.pk, actor.pk)
    whose = backport.organisation if backport else None
    audit.record(
        "commented",
        actor=actor,
        advisory=row.advisory,
        advisories=numbers,
        thing=row,
        organisation=whose,
        of=str(row.thread_id or ""),
        step=row.kind,
    )
    events.tell(
        events.COMMENT_MADE,
        advisory=row.advisory,
        branch=backport.branch if backport else None,
        thing=row.pk,
        builds_on=numbers,
        organisation=whose,
        shared=backport is None or events.is_shared(backport),
    )


def carry(version: BackportVersion, patches: Sequence[Patch]) -> None:
    """Find the lines that are commented on in the backport's newest version again, or say that they went away.

    Each is looked for where it stood last; one that went away and came back is found again from where it was.
    """
    places = CommentPlace.objects.filter(comment__backport=version.backport_id).exclude(line=0)
    last: dict[Any, CommentPlace] = {}
    for place in places.exclude(version=version).select_related("version").order_by("version__number"):
        last[place.comment_id] = place
    followers: dict[Any, Follower] = {}
    for place in last.values():
        if place.version_id not in followers:
            followers[place.version_id] = Follower(patches_of(place.version), patches)
        numbers = (place.patch, place.file, place.hunk, place.line)
        spot = followers[place.version_id].find(place.path, numbers)
        _place(place.comment, version, place.path, spot)


def _follow(row: Comment, version: BackportVersion, patches: Sequence[Patch]) -> None:
    """From the version that it was said of to each newer one."""
    place = row.places.get(version=version)
    for newer in BackportVersion.objects.filter(backport=version.backport_id, number__gt=version.number).order_by(
        "number"
    ):
        found = Follower(patches, patches_of(newer)).find(place.path, (place.patch, place.file, place.hunk, place.line))
        _place(row, newer, place.path, found)


def _place(row: Comment, version: BackportVersion, path: str, spot: Spot | None) -> CommentPlace:
    values: dict[str, Any] = {"path": path}
    if spot is not None:
        patch, file, hunk, line = spot.place
        old = not spot.new_line
        number = spot.old_line if old else spot.new_line
        values = {"path": spot.paths[0], "patch": patch, "file": file, "hunk": hunk, "line": line}
        values |= {"file_line": number, "old": old}
    return CommentPlace.objects.create(comment=row, version=version, **values)
