"""What the sender of a mail is told of its end."""

from __future__ import annotations

from backports.models import InboundMail


def answer(row: InboundMail) -> None:
    """Have the sender told, where it is known who that is."""


def text_of(row: InboundMail) -> str:
    """The receipt: the verdict, or what was wrong and how to send it right."""
    notes = "".join(f"\n\n{note}" for note in row.facts.get("notes", ()))
    return f"{row.sentence}{notes}\n"
