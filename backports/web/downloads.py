"""Files for download: names that cannot hurt, headers that keep them files, notes for what is embargoed.

Every file that is made here says at its top what its advisories' embargo means. Files as they came in are not
touched: the notes stand in the answer's header `X-Embargo`, and in the bundle that holds them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from backports.engine.result import Outcome
from backports.export import mbox
from backports.models import Attempt, UpstreamFix
from backports.services.places import mirror_path, results_path
from backports.services.upstream import mirror_of_fixes
from xsa.models import Advisory

from . import words

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
UNPLACED = "EMBARGOED until somebody tells which advisory this file is of. For the security team only."
PARTIAL = (Outcome.PARTLY_APPLIED, Outcome.CONFLICT)


def safe_name(name: str) -> str:
    """The last part of a path from outside, in characters that no shell, browser or file system takes for more."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _UNSAFE.sub("_", last).lstrip(".")[-120:] or "file"


def safe_path(name: str) -> str:
    """A relative path from outside, each part in such characters; it leads nowhere but down."""
    return "/".join(safe_name(part) for part in name.replace("\\", "/").split("/") if part.strip("./"))[-250:] or "file"


def attachment(data: bytes, name: str, *, embargoed: bool, kind: str = "text/plain; charset=utf-8") -> HttpResponse:
    """`data` as a file that the browser saves and does not show."""
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{safe_name(name)}"'
    response["X-Content-Type-Options"] = "nosniff"
    if embargoed:
        response["Cache-Control"] = "no-store"
    return response


def deliver(
    data: bytes, name: str, *, secrets: Sequence[Advisory], kind: str = "text/plain; charset=utf-8"
) -> HttpResponse:
    """`data` as a file; where it holds content of the embargoed `secrets`, the answer says what that means."""
    response = attachment(data, name, embargoed=bool(secrets), kind=kind)
    if secrets:
        response["X-Embargo"] = " ".join(note for one in secrets for note in embargo_notes(one))
    return response


def deliver_unplaced(data: bytes, name: str) -> HttpResponse:
    """A file that nobody could tell the advisory of: it may hold anything, so it is taken for embargoed."""
    response = attachment(data, name, embargoed=True)
    response["X-Embargo"] = UNPLACED
    return response


def secrets_in(attempts: Iterable[Attempt]) -> list[Advisory]:
    """The embargoed advisories whose content the results of `attempts` hold, those that they build on among them."""
    rows = list(attempts)
    own = {row.advisory.number: row.advisory for row in rows if row.advisory.embargoed}
    others = {number for row in rows for number in row.prerequisites} - own.keys()
    if others:
        found = Advisory.objects.filter(number__in=others, disclosed_at=None).select_related("current")
        own |= {one.number: one for one in found}
    return [own[number] for number in sorted(own)]


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
    """What stands in every patch of an advisory that is not disclosed: that it is so, and what may be deployed."""
    if not advisory.embargoed:
        return ()
    planned = advisory.planned_disclosure_at
    when = f"Planned disclosure: {planned:%Y-%m-%d %H:%M} UTC." if planned else "No disclosure is planned yet."
    return (
        f"EMBARGOED: XSA-{advisory.number} is not disclosed. Predisclosure list members only. {when}",
        words.deployment(advisory),
        words.DIFFERENT_PATCHES,
    )


def embargoed_parts(attempt: Attempt) -> tuple[str, ...]:
    """The notes of every embargoed advisory whose content an attempt's result holds."""
    return tuple(note for one in secrets_in([attempt]) for note in embargo_notes(one))


def notes(attempt: Attempt) -> tuple[str, ...]:
    """What whoever reads the patch must know."""
    found = [*embargoed_parts(attempt)]
    if is_partial(attempt):
        found.append(f"PARTIAL RESULT: {attempt.hunks_landed} of {attempt.hunks_total} hunks landed.")
    return tuple(found)


def result_of(attempt: Attempt, *, noted: bool = True) -> mbox.Result:
    """Where the attempt's result is; not `noted`, without the words for whoever reads the patch."""
    name = attempt.branch.repository.name
    return mbox.Result(
        name=stem(attempt),
        repository=results_path(name, attempt.advisory.number),
        mirror=mirror_path(name),
        base=attempt.tip,
        tip=attempt.result,
        notes=notes(attempt) if noted else (),
    )


def patches_of(attempt: Attempt) -> list[bytes]:
    """The patches that the attempt offers. Raises GitError."""
    if attempt.outcome != Outcome.FIXED_UPSTREAM:
        return mbox.series(result_of(attempt))
    fix = UpstreamFix.objects.filter(advisory=attempt.advisory_id, branch=attempt.branch_id).first()
    mirror = mirror_of_fixes(attempt.branch.repository)
    return mbox.commits(mirror, fix.commits if fix else [attempt.result], notes(attempt))
