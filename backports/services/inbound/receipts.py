"""What the sender of a mail is told of its end; encrypted, or not at all."""

from __future__ import annotations

import textwrap

from django.conf import settings
from django.urls import reverse

from backports.models import InboundMail, OutboxMail
from backports.services import keys, outbox

COLUMNS = 72


def answer(row: InboundMail) -> OutboxMail | None:
    """Put the receipt into the outbox, to the sender's own key or else their organisation's; None where it is not
    proved who sent the mail.
    """
    if row.sender is None or row.organisation is None:
        return None
    to_person = keys.standing(row.sender).usable
    reader = {"person": row.sender} if to_person else {"organisation": row.organisation}
    written = outbox.Written(
        subject=f"Re: {row.facts.get('subject', '')}"[:200],
        body=text_of(row),
        advisory=row.advisory,
        organisation=row.organisation,
        answers=row.message_id,
    )
    return outbox.queue("receipt", event=f"receipt {row.pk}", written=written, **reader)


def text_of(row: InboundMail) -> str:
    """The verdict, or what was wrong and how to send it right."""
    told = {"acted": "Your mail was acted on.", "refused": "Your mail was not acted on."}
    parts = [told.get(row.state, "Your mail waits for a person."), row.sentence, *row.facts.get("notes", ())]
    if not row.encrypted:
        parts.append("It came in clear. Encrypt what is embargoed to the room's key.")
    lines = [textwrap.fill(part, COLUMNS, break_long_words=False, break_on_hyphens=False) for part in parts]
    return "\n\n".join([*lines, *_link(row)]) + "\n"


def _link(row: InboundMail) -> list[str]:
    if row.version is not None:
        return [settings.PUBLIC_URL + reverse("backport_version", args=[row.version.backport_id, row.version.number])]
    if row.state == InboundMail.State.ACTED and row.advisory is not None:
        return [settings.PUBLIC_URL + reverse("advisory", args=[row.advisory.number])]
    return []
