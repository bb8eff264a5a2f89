"""Known answers to an attempt's conflicts, for its page and as a patch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from backports.export import mbox
from backports.models import Attempt, Resolution
from backports.services.evidence import text
from backports.services.resolutions import Offered, Offers, offers_for
from xsa.visibility import Reader

from . import downloads
from .asking import for_tokens
from .lookup import attempt_or_404

MOST_LINES = 2_000
REVIEW = "PROPOSAL: it holds answers that people gave on other branches; review each of their places."
Piece = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer beside the branch's own lines; the pieces are lines as the page's tags take them."""

    row: Resolution
    path: str
    line: int
    exact: bool
    rivals: int
    ours: Piece
    theirs: Piece
    answer: Piece


@dataclass(frozen=True, slots=True)
class Known:
    """All known answers of an attempt; `proposal` is the whole result as a hunk of lines, or None."""

    answers: Sequence[Shown]
    asked: int
    proposal: Piece | None
    cut: bool = False


def known(reader: Reader, attempt: Attempt) -> Known | None:
    """What the page shows of the answers that `reader` may see; None when there is none."""
    offers = offers_for(reader, attempt)
    if not offers.offered:
        return None
    return Known([_shown(one) for one in offers.offered], offers.asked, *_proposal(offers))


def _shown(one: Offered) -> Shown:
    chunk, answer = one.conflict.chunk, one.answer.lines
    return Shown(
        row=one.row,
        path=text(one.conflict.path),
        line=one.line,
        exact=one.answer.exact,
        rivals=one.answer.rivals,
        ours=_piece(chunk.ours, chunk.base, one.line),
        theirs=_piece(chunk.theirs, chunk.base, one.line),
        answer=_piece(answer, chunk.ours, one.line),
    )


def _piece(lines: Sequence[bytes], other: Sequence[bytes], line: int) -> Piece:
    """Lines of one side numbered from `line`, those that the other side lacks marked."""
    there = set(other)
    return {"line": line, "lines": [[one not in there, text(one).rstrip("\n")] for one in lines]}


def _proposal(offers: Offers) -> tuple[Piece | None, bool]:
    if not offers.proposal:
        return None, False
    lines = text(offers.proposal).rstrip("\n").split("\n")
    return {"lines": list(_rows(lines[:MOST_LINES])), "placement": None}, len(lines) > MOST_LINES


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """Tag and text of a patch's lines; those of a file's head have no tag."""
    head = True
    for line in lines:
        head = line.startswith("diff --git ") or (head and not line.startswith("@@"))
        yield ["", line] if head or line[:1] not in "+- " else [line[:1], line[1:]]


@for_tokens
@require_safe
def proposal(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The result with all known answers in place, as one patch on the attempt's commit."""
    attempt = attempt_or_404(request, pk, evidence=True)
    found = offers_for(request.user, attempt)
    if not found.proposal:
        raise Http404
    secrets = downloads.secrets_in([attempt])
    notes = (*downloads.embargoed_parts(attempt), REVIEW)
    name = f"xsa{attempt.advisory.number}-{attempt.branch.name}-proposal.patch"
    return downloads.deliver(mbox.with_notes(found.proposal, notes), name, secrets=secrets)
