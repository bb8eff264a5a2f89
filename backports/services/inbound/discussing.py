"""Answers to what the room sent: they are said of the backport that they quote, or in one advisory's discussion."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import Resolver404, resolve

from backports.mail.reading.replies import Remark, Reply
from backports.models import Backport, OutboxMail
from backports.services import commenting, sending, threads
from xsa.models import Advisory
from xsa.visibility import visible_advisories, visible_to

from .ends import End, acted, refused
from .senders import Sender

QUOTED = 3  # lines of a quotation that stay above what is said of it
HOW = "To say something of one backport, quote the line with its address above it, or answer its patch's own mail."
NO_PLACE = (
    "It answers news about several advisories. Quote the line with the backport's address above each remark, or answer "
    "a mail about one advisory alone."
)
_PAGES = ("backport", "backport_version", "advisory")
_NEEDED = ("advisory", "branch", "organisation", "current__backport")


def advisory_of(thread: Sequence[str], sender: Sender) -> Advisory | None:
    """The one advisory that our mails in this thread are about; None where the sender may not see it.

    Asked in the sender's name. The nearest mail counts; mail programs keep its thread's name, or at least its own.
    """
    numbers = visible_advisories(sender.person).order_by("number").values_list("number", flat=True)
    named = {threads.address(threads.about(number)): number for number in numbers}
    number = next((named[one] for one in (*thread, *_of_mails(thread, sender)) if one in named), None)
    return visible_advisories(sender.person).filter(number=number).first() if number is not None else None


def _of_mails(thread: Sequence[str], sender: Sender) -> Iterator[str]:
    """The threads of those of our mails that went to the sender, their organisation or the list, as they read now."""
    for row in _rows(thread, sender):
        letter = sending.letter_of(row, eyes=sender.person)
        if letter is not None:
            yield threads.address(letter.thread)


def _rows(thread: Sequence[str], sender: Sender) -> Iterator[OutboxMail]:
    """Those mails of ours, the nearest first."""
    mine = Q(person=sender.person) | Q(organisation=sender.organisation) | Q(organisation=None, person=None)
    rows = OutboxMail.objects.filter(mine, message_id__in=thread).select_related("organisation", "person")
    found: Mapping[str, OutboxMail] = {row.message_id: row for row in rows}
    yield from (found[one] for one in thread if one in found)


def is_ours(thread: Sequence[str], sender: Sender) -> bool:
    """Whether what is answered came from the room: one of our mails to them, or the thread that digests have."""
    holders = (sender.organisation.pk, sender.person.pk, "list")
    digests = {threads.address(f"digests {holder}") for holder in holders}
    return not digests.isdisjoint(thread) or any(_rows(thread, sender))


def take(reply: Reply, advisory: Advisory | None, sender: Sender) -> End:
    """Say each remark where it belongs: of the backport whose address stands in what it quotes, or in the discussion of
    the mail's advisory, as one comment. Without an advisory (None) what quotes no backport is refused, and all with it.
    """
    notes = tuple(f"{one.what.title()}-by does not count here: answer the patch's own mail." for one in reply.trailers)
    if not reply.remarks:
        return refused("no-patch", " ".join(notes), advisory=advisory)
    placed = [(one, _backport_of(one, sender)) for one in reply.remarks]
    rest = [one for one, backport in placed if backport is None]
    if rest and advisory is None:
        return refused("no-thread", NO_PLACE)
    told = [_of_backport(one, backport, sender) for one, backport in placed if backport is not None]
    if rest and advisory is not None:
        told.append(_in_discussion(rest, advisory, sender))
        notes += (HOW,)
    found = [backport for _, backport in placed if backport is not None]
    version = found[0].current if found and len({one.pk for one in found}) == 1 and not rest else None
    about = advisory or found[0].advisory
    return acted("discussion", " ".join(dict.fromkeys(told)), notes=notes, advisory=about, version=version)


def _backport_of(one: Remark, sender: Sender) -> Backport | None:
    """The nearest backport whose address is quoted above a remark, if the sender may see it.

    An advisory's address that is nearer says that the remark is about that.
    """
    for line in reversed(one.quoted):
        kind, named = _named(line)
        if kind:
            if named is None or "backport" not in kind:
                return None
            return visible_to(sender.person, Backport.objects.filter(pk=named)).select_related(*_NEEDED).first()
    return None


def _named(line: str) -> tuple[str, UUID | None]:
    """The kind of page that a quoted line has the address of, and its key; "" for none of ours."""
    found = re.search(rf"{re.escape(settings.PUBLIC_URL)}(/[^\s>?#]*)", line)
    try:
        match = resolve(found[1]) if found else None
    except Resolver404:
        return "", None
    return (match.url_name, match.kwargs.get("pk")) if match and match.url_name in _PAGES else ("", None)


def _of_backport(one: Remark, backport: Backport, sender: Sender) -> str:
    number = backport.advisory.number
    commenting.say(
        sender.person,
        organisation=sender.organisation,
        advisory=backport.advisory,
        backport=backport,
        text=_said(one),
    )
    return f"It was said of the backport of XSA-{number} to {backport.branch.name} by {backport.organisation.name}."


def _in_discussion(remarks: Sequence[Remark], advisory: Advisory, sender: Sender) -> str:
    text = "\n\n".join(map(_said, remarks))
    commenting.say(sender.person, organisation=sender.organisation, advisory=advisory, text=text)
    return f"It was said in the discussion of XSA-{advisory.number}."


def _said(one: Remark) -> str:
    """What was said, below the last lines that it answers."""
    quoted = [line.rstrip() for line in one.quoted if line.strip()][-QUOTED:]
    return "\n".join([*(f"> {line}" for line in quoted), *([""] if quoted else []), one.text])
