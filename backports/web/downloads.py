"""Files for download: names that cannot hurt, headers that keep them files, notes for what is embargoed."""

from __future__ import annotations

import re

from django.http import HttpResponse

from backports.engine.result import Outcome
from backports.export import mbox
from backports.models import Attempt, UpstreamFix
from backports.services.places import mirror_path, results_path
from xsa.models import Advisory

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
PARTIAL = (Outcome.PARTLY_APPLIED, Outcome.CONFLICT)


def safe_name(name: str) -> str:
    """The last part of a path from outside, in characters that no shell, browser or file system takes for more."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _UNSAFE.sub("_", last).lstrip(".")[-120:] or "file"


def attachment(data: bytes, name: str, *, embargoed: bool, kind: str = "text/plain; charset=utf-8") -> HttpResponse:
    """`data` as a file that the browser saves and does not show."""
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{safe_name(name)}"'
    response["X-Content-Type-Options"] = "nosniff"
    if embargoed:
        response["Cache-Control"] = "no-store"
    return response


def offered(attempt: Attempt) -> bool:
    """Whether there is anything to download: a result of ours, or the upstream fix."""
    return attempt.state == Attempt.State.DONE and bool(attempt.result)


def is_partial(attempt: Attempt) -> bool:
    """Whether the result is only what landed; a fix that needs commits which nobody put in is tried without them."""
    needs_commits = attempt.outcome == Outcome.NEEDS_PREREQUISITE and not attempt.prerequisites
    return attempt.outcome in PARTIAL or needs_commits


def stem(attempt: Attempt) -> str:
    """The name of a result's file without its suffix: `xsa456-4.11`."""
    partial = "-partial" if is_partial(attempt) else ""
    return f"xsa{attempt.advisory.number}-{attempt.branch.name}{partial}"


def embargo_notes(advisory: Advisory) -> tuple[str, ...]:
    """What stands in every patch of an advisory that is not disclosed."""
    if not advisory.embargoed:
        return ()
    return (f"EMBARGOED: XSA-{advisory.number} is not disclosed. Predisclosure list members only.",)


def notes(attempt: Attempt) -> tuple[str, ...]:
    """What whoever reads the patch must know."""
    found = [*embargo_notes(attempt.advisory)]
    if is_partial(attempt):
        found.append(f"PARTIAL RESULT: {attempt.hunks_landed} of {attempt.hunks_total} hunks landed.")
    return tuple(found)


def result_of(attempt: Attempt) -> mbox.Result:
    """Where the attempt's result is."""
    name = attempt.branch.repository.name
    return mbox.Result(
        name=stem(attempt),
        repository=results_path(name, attempt.advisory.number),
        mirror=mirror_path(name),
        base=attempt.tip,
        tip=attempt.result,
        notes=notes(attempt),
    )


def patches_of(attempt: Attempt) -> list[bytes]:
    """The patches that the attempt offers. Raises GitError."""
    if attempt.outcome != Outcome.FIXED_UPSTREAM:
        return mbox.series(result_of(attempt))
    fix = UpstreamFix.objects.filter(advisory=attempt.advisory_id, branch=attempt.branch_id).first()
    return mbox.commits(
        mirror_path(attempt.branch.repository.name), fix.commits if fix else [attempt.result], notes(attempt)
    )
