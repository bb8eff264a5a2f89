"""Answers to what the room sent about one advisory: they are said in that advisory's discussion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.db.models import Q

from backports.mail.reading.replies import Remark, Reply
from backports.models import OutboxMail
from backports.services import commenting, sending, threads
from xsa.models import Advisory
from xsa.visibility import visible_advisories

from .ends import End, acted, refused
from .senders import Sender

QUOTED = 3  # lines of a quotation that stay above what is said of it


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
    mine = Q(person=sender.person) | Q(organisation=sender.organisation) | Q(organisation=None, person=None)
    rows = OutboxMail.objects.filter(mine, message_id__in=thread).select_related("organisation", "person")
    found: Mapping[str, OutboxMail] = {row.message_id: row for row in rows}
    for row in (found[one] for one in thread if one in found):
        letter = sending.letter_of(row, eyes=sender.person)
        if letter is not None:
            yield threads.address(letter.thread)


def take(reply: Reply, advisory: Advisory, sender: Sender) -> End:
    """Say it in the discussion, as one comment."""
    notes = tuple(f"{one.what.title()}-by does not count here: answer the patch's own mail." for one in reply.trailers)
    if not reply.remarks:
        return refused("no-patch", " ".join(notes), advisory=advisory)
    text = "\n\n".join(map(_said, reply.remarks))
    commenting.say(sender.person, organisation=sender.organisation, advisory=advisory, text=text)
    sentence = f"It was said in the discussion of XSA-{advisory.number}."
    return acted("discussion", sentence, notes=notes, advisory=advisory)


def _said(one: Remark) -> str:
    """What was said, below the last lines that it answers."""
    quoted = [line.rstrip() for line in one.quoted if line.strip()][-QUOTED:]
    return "\n".join([*(f"> {line}" for line in quoted), *([""] if quoted else []), one.text])
