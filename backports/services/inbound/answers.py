"""Answers to patches: remarks become comments on the line that they quote, trailers become reviews."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backports.engine.diff import Patch
from backports.mail.reading.replies import Given, Remark, Reply, read_reply, spot_for
from backports.models import BackportVersion, InboundMail, ReviewDraft
from backports.models.review import Verdict
from backports.services import commenting, reviewing
from backports.services.commenting import Where
from backports.services.contents import patches_of
from backports.services.reviewing import Said
from xsa.identity import everything, reading
from xsa.models import Membership
from xsa.visibility import visible_to

from . import discussing
from .ends import End, acted, refused
from .gathering import Believed
from .senders import Sender, as_sender, person_of

NO_THREAD = (
    "It answers no mail of a backport, or about one advisory alone, that you can see. Answer the patch's own mail, and "
    "quote it."
)
VERDICTS = {"reviewed": Verdict.APPROVE, "acked": Verdict.APPROVE, "tested": Verdict.TESTED}


def take(mail: Believed, sender: Sender) -> End:
    """Say what the mail says: of the version that the answered mail made, or in its advisory's discussion."""
    target = answered(mail.head.thread)
    with reading(sender.person):
        version, reply = _version(target, sender), read_reply(mail.letter.text)
        advisory = version.backport.advisory if version else discussing.advisory_of(mail.head.thread, sender)
        if advisory is None and not discussing.is_ours(mail.head.thread, sender):
            return refused("no-thread", NO_THREAD)
        if not (reply.remarks or reply.trailers):
            return refused("says-nothing", "It quotes, and says nothing below.", advisory=advisory, version=version)
        if target is None or version is None:
            return discussing.take(reply, advisory, sender)
        done = [*_remarks(reply, version, _patch_of(target), sender), *_reviews(reply, version, sender)]
        counted, notes = [one for one, _ in done if one], tuple(note for _, note in done if note)
        if not counted:
            return refused("not-yours", " ".join(notes), version=version)
        sentence = f"Of version {version.number}: {', '.join(counted)}."
        return acted("answer", sentence, notes=notes, advisory=advisory, version=version)


def answered(thread: Sequence[str]) -> InboundMail | None:
    """The nearest mail of a thread that made a version, or is about one."""
    found = InboundMail.objects.filter(message_id__in=thread).exclude(version=None).defer("raw")
    rows = {row.message_id: row for row in found}
    return next((rows[one] for one in thread if one in rows), None)


def _version(target: InboundMail | None, sender: Sender) -> BackportVersion | None:
    if target is None or target.version_id is None:
        return None
    rows = visible_to(sender.person, BackportVersion.objects.filter(pk=target.version_id))
    return rows.select_related("backport__advisory", "backport__branch__repository", "backport__organisation").first()


def _patch_of(target: InboundMail) -> int:
    """The number of the patch that the answered mail held; 0 where it held several, or none."""
    place: int = target.facts.get("place", 0)
    return place if target.code in ("backport", "same-again") else 0


def _remarks(reply: Reply, version: BackportVersion, patch: int, sender: Sender) -> Iterator[tuple[str, str]]:
    patches = patches_of(version)
    lines = sum(_comment(one, version, patches, patch, sender) for one in reply.remarks)
    others = len(reply.remarks) - lines
    yield (f"{lines} comment{'s' * (lines != 1)} on lines" if lines else "", "")
    yield (f"{others} on the backport" if others else "", "")


def _comment(one: Remark, version: BackportVersion, patches: list[Patch], patch: int, sender: Sender) -> bool:
    """Whether it is on a line."""
    spot = spot_for(patches, one.quoted, patch) or spot_for(patches, one.quoted)
    who, place, backport = sender.person, sender.organisation, version.backport
    if spot is None:
        commenting.say(who, organisation=place, advisory=backport.advisory, backport=backport, text=one.text)
        return False
    where = Where(place=spot.place)
    commenting.say_of_line(who, organisation=place, version=version, where=where, text=one.text)
    return True


def _reviews(reply: Reply, version: BackportVersion, sender: Sender) -> Iterator[tuple[str, str]]:
    """What was counted, or why not, of each trailer."""
    for given in reply.trailers:
        reviewer = _reviewer(given, sender)
        if reviewer is None:
            yield (
                "",
                f"{given.what.title()}-by of {given.address} does not count: {sender.organisation.name} signed it.",
            )
            continue
        with reading(reviewer.person):
            row = reviewing.give(
                reviewer.person, version=version, organisation=reviewer.organisation, said=_said(given, version)
            )
        if isinstance(row, ReviewDraft):
            yield f"{given.what}, kept as a draft", "A newer version took its place meanwhile: review that one."
        else:
            yield given.what, ""


def _reviewer(given: Given, sender: Sender) -> Sender | None:
    """Somebody of the organisation that signed the mail; nobody else is spoken for."""
    if given.address == sender.person.email.lower():
        return sender
    person = person_of(given.address)
    if person is None or not Membership.objects.filter(user=person, organisation=sender.organisation).exists():
        return None
    with everything("mail-in"):
        return as_sender(person, sender.organisation)


def _said(given: Given, version: BackportVersion) -> Said:
    branch = version.backport.branch
    tested_on = (given.comment or f"{branch.name}; on which machine was not said") if given.what == "tested" else ""
    return Said(VERDICTS[given.what], tested_on=tested_on)
