"""Everything that a branch lacks to take away, in order, as one file; and the manifest that says what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backports.git.errors import GitError
from backports.models import Branch, Review
from backports.services.lacking import Lacked, lacked_on
from backports.services.taking import SUFFIXES, Taken
from backports.services.taking_all import take_all
from xsa.models import Advisory
from xsa.visibility import visible_to

from . import downloads
from .asking import for_tokens
from .lookup import attempts_for, backports_for, branch_or_404
from .seen import note
from .version_files import TITLES, TYPES, Offer

KINDS = [
    *(Offer(kind, *TITLES[kind]) for kind in ("mbox", "quilt", "p0")),
    Offer("raw", "raw patch", "bare diffs, for patch -p1"),
]


@for_tokens
@require_safe
def file(request: HttpRequest, repository: str, branch: str, kind: str) -> HttpResponse:
    """The series of every advisory that goes there, on top of one another."""
    return _answer(request, branch_or_404(request, repository, branch), kind, manifest=False)


@for_tokens
@require_safe
def manifest(request: HttpRequest, repository: str, branch: str, kind: str) -> HttpResponse:
    """What is in that file, whence, and what was left out of it and why."""
    return _answer(request, branch_or_404(request, repository, branch), kind, manifest=True)


def _answer(request: HttpRequest, branch: Branch, kind: str, *, manifest: bool) -> HttpResponse:
    if kind not in SUFFIXES:
        raise Http404
    lacked = lacked_for(request, branch)
    note(request, shown_of(lacked), thing=branch)
    secrets = secrets_of(lacked)
    try:
        taken = take_all(branch, lacked, kind, notes_of(secrets))
    except GitError as error:
        return render(request, "branches/not_given.html", {"problem": error, "branch": branch}, status=409)
    if taken is None:
        raise Http404
    return delivered(taken, kind, secrets, manifest=manifest)


def delivered(taken: Taken, kind: str, secrets: Sequence[Advisory], *, manifest: bool) -> HttpResponse:
    """The file, or what goes with it."""
    if manifest:
        return downloads.deliver(taken.manifest, f"{taken.name}.json", secrets=secrets, kind="application/json")
    return downloads.deliver(taken.data, taken.name, secrets=secrets, kind=TYPES.get(kind, "text/plain; charset=utf-8"))


def lacked_for(request: HttpRequest, branch: Branch) -> list[Lacked]:
    """What the branch lacks of what the reader may see."""
    return lacked_on(
        branch,
        attempts=attempts_for(request),
        backports=backports_for(request),
        reviews=visible_to(request.user, Review.objects.all()),
    )


def counted(request: HttpRequest, branch: Branch) -> dict[str, int] | None:
    """How many advisories the branch lacks and how many of them can be taken away; None when none can."""
    lacked = lacked_for(request, branch)
    best = [one.ways[0] for one in lacked if one.ways]
    shared = sum(way.version is not None for way in best)
    note(request, shown_of(lacked))
    return {"lacked": len(lacked), "ways": len(best), "shared": shared, "tried": len(best) - shared} if best else None


def shown_of(lacked: Iterable[Lacked]) -> set[int]:
    """The advisories of which the file or its manifest tells."""
    return {number for one in lacked for number in (one.advisory.number, *(n for way in one.ways for n in way.needs))}


def secrets_of(lacked: Iterable[Lacked]) -> list[Advisory]:
    """Those of them that are embargoed."""
    rows = Advisory.objects.filter(number__in=shown_of(lacked), disclosed_at=None).select_related("current")
    return list(rows.order_by("number"))


def notes_of(secrets: Iterable[Advisory]) -> Mapping[int, Sequence[str]]:
    """What whoever reads their patches must know, by number."""
    return {one.number: downloads.embargo_notes(one) for one in secrets}
