"""A version's series to take away: as it came, for git am, as a quilt tar, for patch -p0, each with its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backports.git.errors import GitError
from backports.models import BackportVersion, Review
from backports.services.taking import Taken, can_give, take
from xsa.models import Advisory
from xsa.visibility import visible_to

from . import downloads
from .asking import for_tokens
from .lookup import version_or_404

TITLES = {
    "mbox": ("mbox", "for git am"),
    "quilt": ("quilt tar", "with DEP-3 headers, for quilt push -a"),
    "p0": ("-p0 patch", "for patch -p0"),
    "raw": ("as it came", "the patches in the bytes that came in"),
}
TYPES = {"quilt": "application/x-tar"}


@dataclass(frozen=True, slots=True)
class Offer:
    """One way of taking a version away."""

    kind: str
    title: str
    told: str


def offers(version: BackportVersion) -> Sequence[Offer]:
    """What the page offers of a version."""
    return [Offer(kind, *words) for kind, words in TITLES.items() if can_give(version, kind)]


@for_tokens
@require_safe
def file(request: HttpRequest, pk: UUID, kind: str) -> HttpResponse:
    """The series as one file."""
    version = _found(request, pk, kind)
    secrets = secrets_in(version)
    try:
        taken = _taken(request, version, kind, secrets)
    except GitError as error:
        return render(request, "backport/not_given.html", {"problem": error, "version": version}, status=409)
    return downloads.deliver(taken.data, taken.name, secrets=secrets, kind=TYPES.get(kind, "text/plain; charset=utf-8"))


@for_tokens
@require_safe
def manifest(request: HttpRequest, pk: UUID, kind: str) -> HttpResponse:
    """What goes with that file: hashes, base, verdict."""
    version = _found(request, pk, kind)
    secrets = secrets_in(version)
    try:
        taken = _taken(request, version, kind, secrets)
    except GitError as error:
        return render(request, "backport/not_given.html", {"problem": error, "version": version}, status=409)
    return downloads.deliver(taken.manifest, f"{taken.name}.json", secrets=secrets, kind="application/json")


def _found(request: HttpRequest, pk: UUID, kind: str) -> BackportVersion:
    version = version_or_404(request, pk)
    if not can_give(version, kind):
        raise Http404
    return version


def _taken(request: HttpRequest, version: BackportVersion, kind: str, secrets: Sequence[Advisory]) -> Taken:
    reviews = visible_to(request.user, Review.objects.filter(version__backport=version.backport_id))
    reviews = reviews.select_related("organisation", "version")
    return take(version, kind, [note for one in secrets for note in downloads.embargo_notes(one)], reviews)


def secrets_in(version: BackportVersion) -> list[Advisory]:
    """The embargoed advisories whose content is in it."""
    backport = version.backport
    numbers = {backport.advisory.number, *backport.prerequisites}
    rows = Advisory.objects.filter(number__in=numbers, disclosed_at=None).select_related("current")
    return list(rows.order_by("number"))
