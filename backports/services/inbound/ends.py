"""How a mail ends: one of three ways, with a code and a sentence that its sender may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from backports.models import BackportVersion, InboundMail
from xsa.models import Advisory

State = InboundMail.State


@dataclass(frozen=True, slots=True)
class End:
    """What became of a mail. `notes` are further sentences for its sender; `answers`: the sender is told of it.

    `proposal` is what a person is asked.
    """

    state: str
    code: str
    sentence: str
    notes: tuple[str, ...] = ()
    answers: bool = True
    advisory: Advisory | None = None
    version: BackportVersion | None = None
    proposal: dict[str, Any] | None = None


def acted(code: str, sentence: str, **more: Any) -> End:
    """It was done."""
    return End(State.ACTED, code, sentence, **more)


def quarantined(code: str, sentence: str, **more: Any) -> End:
    """A person must look at it; nobody is told, for nobody knows who it is from."""
    return End(State.QUARANTINED, code, sentence, **{"answers": False, **more})


def refused(code: str, sentence: str, **more: Any) -> End:
    """It was not done."""
    return End(State.REFUSED, code, sentence, **more)


def write(row: InboundMail, end: End) -> None:
    """Put the end into the mail's row."""
    row.state, row.code, row.sentence = end.state, end.code[:50], end.sentence
    row.handled_at = timezone.now()
    row.advisory = end.advisory or row.advisory
    row.version = end.version or row.version
    row.proposal = end.proposal or row.proposal
    row.facts = {**row.facts, "notes": list(end.notes)}
    row.save()


def write_all(rows: Sequence[InboundMail], end: End) -> None:
    """The same end for the mails of a series."""
    for row in rows:
        write(row, end)
