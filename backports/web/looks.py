"""How an attempt looks in a cell, a strip or a list."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Protocol
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from backports.engine.result import Confidence, Outcome

from .stamp import stamp
from .words import CONFIDENCES, OUTCOMES, RUNGS, STATES, Word

Look = tuple[tuple[str, object], ...]
COLUMNS = ("state", "outcome", "rung", "confidence", "hunks_landed", "hunks_total")


class Looked(Protocol):
    """The columns of an attempt that its look depends on."""

    state: str
    outcome: str
    rung: str
    confidence: str
    hunks_landed: int
    hunks_total: int


def word_of(attempt: Looked) -> Word:
    """The word for an attempt's state, or for its outcome once it is done."""
    if attempt.state != "done":
        return STATES[attempt.state]
    return outcome_word(attempt.outcome, attempt.confidence)


def outcome_word(outcome: str, confidence: str) -> Word:
    """The word for an outcome; what a person must look at has another look."""
    word = OUTCOMES[outcome]
    if outcome != Outcome.APPLIED or confidence != Confidence.REVIEW:
        return word
    shape = CONFIDENCES[Confidence.REVIEW]
    return Word(word.value, word.name, word.short, shape.symbol, shape.tone, word.sentence)


@lru_cache(maxsize=4096)
def look(state: str, outcome: str, rung: str, confidence: str, landed: int, total: int) -> Look:
    """What `parts/_cell.html` shows: tone, symbol, short word and the full one."""
    word = STATES[state] if state != "done" else outcome_word(outcome, confidence)
    short, full = word.short, word.name
    if word.value == Outcome.APPLIED and rung in RUNGS:
        short = RUNGS[rung].short
        full = f"applied: {RUNGS[rung].name}, {confidence}"
    elif word.value == Outcome.PARTLY_APPLIED:
        short = f"{landed}/{total}"
        full = f"partly applied: {landed} of {total} hunks"
    return (("tone", word.tone), ("symbol", word.symbol), ("short", short), ("full", full))


def look_of(attempt: Looked) -> Look:
    """The look of a row."""
    return look(
        attempt.state,
        attempt.outcome,
        attempt.rung,
        attempt.confidence,
        attempt.hunks_landed,
        attempt.hunks_total,
    )


def cell(pk: UUID, shape: Look) -> SafeString:
    """A cell's link to its attempt."""
    return mark_safe(stamp("parts/_cell.html", shape, path=attempt_path(pk)))  # noqa: S308


def attempt_path(pk: UUID) -> str:
    """An attempt's address; asking the router a thousand times for a page would take longer than its queries."""
    before, after = _around_attempt()
    return f"{before}{pk}{after}"


@cache
def _around_attempt() -> tuple[str, str]:
    nobody = UUID(int=0)
    before, _, after = reverse("attempt", args=[nobody]).partition(str(nobody))
    return before, after
