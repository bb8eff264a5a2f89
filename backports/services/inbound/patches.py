"""Backports that come by mail: the mails of a series brought together, and a version made of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from backports.mail.reading.series import Piece, Tag, mailbox, missing, ordered, series_key
from backports.models import BackportVersion, Branch, InboundMail
from backports.models.upload import CameBy
from backports.services import receiving, sharing
from backports.services.errors import NotDone
from xsa.identity import reading
from xsa.models import Advisory
from xsa.permissions import can_share
from xsa.visibility import visible_advisories, visible_to

from .ends import End, State, acted, quarantined, refused, write_all
from .gathering import Believed, believe
from .senders import Sender

HOW = "Write the subject as [PATCH XSA-500 4.8 v2 1/3] says it: the advisory, the branch, the version, the place."
INCOMPLETE = "series-incomplete"


def take(row: InboundMail, mail: Believed, sender: Sender) -> End:
    """A version of the sender's backport, once all the mails of its series are here."""
    if mail.tag.is_cover and not mail.pieces:
        return acted("cover-letter", "It is the letter before a series; the patches count.", answers=False)
    if mail.tag.total == 1 or len(mail.pieces) > 1:
        return submit(mail.tag, ordered(mail.pieces), sender)
    row.series = series_key(mail.head, mail.tag)
    _one_at_a_time(row.series)
    others = _others(row, sender)
    tags = [mail.tag, *(Tag(place=one.facts["place"], total=mail.tag.total) for one in others)]
    if lacking := list(missing(tags)):
        return quarantined(INCOMPLETE, _waiting_for(mail.tag, lacking))
    whole = {one.facts["place"]: piece for one in others for piece in believe(one).pieces}
    end = submit(mail.tag, [piece for _, piece in sorted({**whole, mail.tag.place: mail.pieces[0]}.items())], sender)
    write_all(others, end)
    return end


def _one_at_a_time(series: str) -> None:
    """Of two mails of one series that are looked at at once, one waits until the other has its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext('inbound-series'))", [series])


def _others(row: InboundMail, sender: Sender) -> list[InboundMail]:
    rows = InboundMail.objects.filter(series=row.series, state=State.QUARANTINED, code=INCOMPLETE)
    return list(rows.filter(sender=sender.person, organisation=sender.organisation).order_by("received_at"))


def _waiting_for(tag: Tag, lacking: Sequence[int]) -> str:
    few = ", ".join(map(str, lacking[:10]))
    return f"It is patch {tag.place} of {tag.total}; a version is made once the others are here too. Missing: {few}."


def submit(tag: Tag, found: Sequence[Piece], sender: Sender) -> End:
    """What is said of it is said as the sender: what they may not see does not exist for them."""
    named = next((one.tag for one in found if one.tag.number and not tag.number), tag)
    with reading(sender.person):
        advisory = visible_advisories(sender.person).filter(number=named.number).first()
        if advisory is None:
            told = f"There is no XSA-{named.number} that you can see." if named.number else "It names no advisory."
            return refused("no-advisory", f"{told} {HOW}")
        branches = _branches(named, sender)
        if len(branches) != 1:
            return refused("no-branch", _which(named, branches))
        return _submitted(named, mailbox(found), sender, advisory, branches[0])


def _submitted(tag: Tag, data: bytes, sender: Sender, advisory: Advisory, branch: Branch) -> End:
    received = receiving.submit(
        sender.person,
        organisation=sender.organisation,
        name=f"xsa{advisory.number}-{branch.name}.mbox",
        data=data,
        advisory=advisory,
        branch=branch,
        came_by=CameBy.MAIL,
    )
    if received.version is None:
        return refused(received.upload.problem_code, received.upload.problem, advisory=advisory)
    if not received.created:
        sentence = f"Version {received.version.number} holds the same patches already."
        return acted("same-again", sentence, advisory=advisory, version=received.version)
    notes = [*_shared(received.version, sender), *_told(received.version, tag)]
    return _made(received.version, advisory, notes)


def _branches(tag: Tag, sender: Sender) -> list[Branch]:
    """Those that a tag may mean: upstream's, unless it names the repository."""
    rows = visible_to(sender.person, Branch.objects.filter(name=tag.branch, gone=False, history_only=False))
    rows = rows.filter(repository__name=tag.repository) if tag.repository else rows
    found = list(rows.select_related("repository").order_by("repository__name"))
    return found if tag.repository else [one for one in found if one.repository.organisation_id is None] or found


def _which(tag: Tag, branches: Sequence[Branch]) -> str:
    if not branches:
        named = "/".join(part for part in (tag.repository, tag.branch) if part)
        return f"There is no branch {named} that you can see. {HOW}" if named else f"It names no branch. {HOW}"
    several = ", ".join(f"{one.repository.name}/{one.name}" for one in branches[:10])
    return f"Several branches have that name; say which: {several}. {HOW}"


def _shared(version: BackportVersion, sender: Sender) -> list[str]:
    """What is sent to the room is the room's; a draft that was begun otherwise stays one."""
    backport = version.backport
    if backport.shared_at is not None:
        return []
    if version.number > 1 or not can_share(sender.person, sender.organisation):
        return ["The backport is a draft, which only your organisation sees. Share it on its page."]
    try:
        sharing.share(sender.person, backport=backport)
    except NotDone as error:
        return [f"It is a draft, which only your organisation sees: {error}"]
    return []


def _told(version: BackportVersion, tag: Tag) -> list[str]:
    notes = [str(one["sentence"]) for one in version.notes]
    if tag.version != version.number:
        notes.append(f"Its subject says v{tag.version}; here it is version {version.number}.")
    return notes


def _made(version: BackportVersion, advisory: Advisory, notes: Sequence[str]) -> End:
    branch = version.backport.branch
    where = f"XSA-{advisory.number} on {branch.repository.name} {branch.name}"
    done = f"{version.hunks_landed} of {version.hunks_total} hunks landed"
    sentence = f"It is version {version.number} of your backport of {where}. Verdict: {version.outcome}, {done}."
    more = [version.problem] if version.problem else []
    return acted("backport", sentence, notes=(*more, *notes), advisory=advisory, version=version)
