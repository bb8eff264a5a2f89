"""What would make a stuck attempt's fix apply, as patches: with more commits, or without parts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from backports.export import mbox
from backports.models import Attempt
from backports.services.places import mirror_path, results_path

from . import downloads
from .asking import for_tokens
from .lookup import attempt_or_404

REVIEW = {
    "prerequisites": "PROPOSAL: with upstream commits that the fix builds on; a person must say whether to take them.",
    "drops": "PROPOSAL: without parts whose code was not found on this branch; a person must agree.",
}


@for_tokens
@require_safe
def explained(request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
    """The proposal `prerequisites` or `drops` as mail for `git am`."""
    attempt = attempt_or_404(request, pk, evidence=True)
    tip = tip_of(attempt.evidence, what)
    if not tip:
        raise Http404
    patches = mbox.series(_result(attempt, what, tip))
    name = f"xsa{attempt.advisory.number}-{attempt.branch.name}-{what}.patch"
    return downloads.deliver(mbox.as_mbox(patches), name, secrets=downloads.secrets_in([attempt]))


def tip_of(evidence: dict[str, Any], what: str) -> str:
    """The last commit of a proposal, or "" when there is no such proposal."""
    found = {"prerequisites": evidence.get("prerequisite_sets") or [{}], "drops": [evidence.get("drops") or {}]}
    return str(found.get(what, [{}])[0].get("result", ""))


def _result(attempt: Attempt, what: str, tip: str) -> mbox.Result:
    name = attempt.branch.repository.name
    return mbox.Result(
        name=downloads.stem(attempt),
        repository=results_path(name, attempt.advisory.number),
        mirror=mirror_path(name),
        base=attempt.tip,
        tip=tip,
        notes=(*downloads.embargoed_parts(attempt), REVIEW[what]),
    )
