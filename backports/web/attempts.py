"""One attempt: its verdict, the evidence for it, its result, and trying again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from backports.engine.result import Confidence, Outcome
from backports.export import mbox
from backports.models import Attempt, UpstreamFix
from backports.services.attempts import requeue
from xsa.permissions import can_upload

from . import downloads, findings, looks, resolutions, words
from .actor import actor
from .asking import for_tokens
from .lookup import attempt_or_404, attempts_for
from .offered import offered

HISTORY = 20


@require_safe
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What an attempt found, file by file and hunk by hunk."""
    attempt = attempt_or_404(request, pk, evidence=True)
    context = {
        "attempt": attempt,
        "advisory": attempt.advisory,
        "branch": attempt.branch,
        "repository": attempt.branch.repository,
        "word": looks.word_of(attempt),
        "sentence": sentence(attempt),
        "confidence": words.CONFIDENCES.get(attempt.confidence),
        "rung": words.RUNGS.get(attempt.rung),
        "known": resolutions.known(request.user, attempt),
        "because": words.BECAUSE.get(attempt.because, attempt.because),
        "commits": _upstream(attempt),
        "offered": downloads.offered(attempt),
        "partial": downloads.is_partial(attempt),
        "history": _history(request, attempt),
        "may_begin": can_upload(request.user),
        "open": bool(attempt.evidence.get("conflicts")),
        "offered_here": offered(request, attempt.advisory, attempt.branch, attempt.outcome),
        **_told_by(attempt),
    }
    return render(request, "attempts/detail.html", context)


def _told_by(attempt: Attempt) -> dict[str, Any]:
    """What the evidence tells; old evidence has less of it."""
    evidence = attempt.evidence
    return {
        "likely": None if evidence.get("flags") else attempt.probability,
        "grounds": evidence.get("grounds", ""),
        "findings": findings.to_look_at(evidence),
        "reasons": findings.other_reasons(attempt.reasons, evidence),
        "compared": findings.compared(evidence),
        "presence": _presence(attempt),
        "sources": [_source(one) for one in evidence.get("sources", [])],
        "patches": evidence.get("patches", []),
        "cut": evidence.get("cut", False),
    }


def _presence(attempt: Attempt) -> str:
    """What is known of the code that the fix repairs, unless the outcome or the reasons say it already."""
    found = attempt.evidence.get("presence", {})
    told = found.get("state") in ("there", "fixed") or found.get("sentence") in attempt.reasons
    return "" if told else found.get("sentence", "")


def _source(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "origin": words.ORIGINS.get(row["origin"], row["origin"]), "beside": _beside(row.get("differs_in"))}


def _beside(paths: list[str] | None) -> str:
    """Whether another source comes to the same, comments and white space aside; "" where that is no question."""
    if paths is None:
        return ""
    return f"Its result differs in {', '.join(paths)}." if paths else "It comes to the same result."


def _history(request: HttpRequest, attempt: Attempt) -> list[Attempt]:
    """The latest attempts of the same cell."""
    rows = attempts_for(request).filter(advisory=attempt.advisory_id, branch=attempt.branch_id)
    return list(rows.select_related("source")[:HISTORY])


def _upstream(attempt: Attempt) -> list[str]:
    if attempt.outcome != Outcome.FIXED_UPSTREAM:
        return []
    row = UpstreamFix.objects.filter(advisory=attempt.advisory_id, branch=attempt.branch_id).first()
    return list(row.commits) if row else [attempt.result]


def sentence(attempt: Attempt) -> str:
    """The verdict in a sentence."""
    if attempt.state != Attempt.State.DONE:
        return words.STATES[attempt.state].sentence
    if attempt.outcome == Outcome.APPLIED:
        return _applied(attempt)
    if attempt.outcome == Outcome.PARTLY_APPLIED:
        return f"{attempt.hunks_landed} of {attempt.hunks_total} hunks landed; a person must place the rest."
    if attempt.outcome == Outcome.NEEDS_PREREQUISITE and attempt.prerequisites:
        return f"The fix applies on {attempt.branch.name} on top of our results for {_numbers(attempt)}."
    if attempt.outcome == Outcome.NEEDS_PREREQUISITE:
        return f"The fix applies on {attempt.branch.name} once the commits named below are in the branch."
    if attempt.outcome == Outcome.FIXED_UPSTREAM and attempt.branch.repository.of_packages:
        return words.BY_SOURCE
    return words.OUTCOMES[attempt.outcome].sentence


def _applied(attempt: Attempt) -> str:
    hunks = f"All {attempt.hunks_total} hunks" if attempt.hunks_total != 1 else "The only hunk"
    if attempt.confidence == Confidence.HIGH:
        return f"{hunks} of the fix landed; the patch may be used after a normal review."
    return f"{hunks} of the fix landed, but a person must look at the places named below."


def _numbers(attempt: Attempt) -> str:
    return ", ".join(f"XSA-{number}" for number in attempt.prerequisites)


@for_tokens
@require_safe
def result(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The result as mail for `git am`: the finished patch, or what landed of it."""
    attempt = attempt_or_404(request, pk)
    if not downloads.offered(attempt):
        raise Http404
    patches = downloads.patches_of(attempt)
    name = f"{downloads.stem(attempt)}.patch"
    return downloads.deliver(mbox.as_mbox(patches), name, secrets=downloads.secrets_in([attempt]))


@require_POST
@login_required
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Try the cell again."""
    attempt = attempt_or_404(request, pk)
    if requeue(actor(request), attempts=[attempt]):
        messages.success(request, "Queued again.")
    else:
        messages.info(request, "A newer attempt of this cell exists already.")
    newest = attempts_for(request).filter(advisory=attempt.advisory_id, branch=attempt.branch_id, current=True).first()
    return redirect("attempt", newest.pk if newest else attempt.pk)
