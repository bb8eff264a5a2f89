"""How views find things: what a reader may not see answers exactly as what does not exist."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import F, Model, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from backports.models import Attempt, Backport, BackportVersion, Branch, Repository
from xsa.models import Advisory
from xsa.visibility import Reader, visible_advisories, visible_to

from .seen import note

T = TypeVar("T", bound=Model)
DEFAULT = "xen"


def in_branches(user: Reader, rows: QuerySet[T], path: str) -> QuerySet[T]:
    """The part of `rows` that is on the branches that a token is limited to; `path` leads to a branch's name."""
    names = getattr(user, "branches", ())
    return rows.filter(**{f"{path}__in": names}) if names else rows


def attempts_for(request: HttpRequest) -> QuerySet[Attempt]:
    """The attempts that the reader may see, without the evidence, which only one page needs."""
    return _visible(request, Attempt.objects.defer("evidence", "paths"))


def _visible(request: HttpRequest, rows: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """A result holds the patches of what it builds on, which may be disclosed later than its own advisory."""
    return visible_to(request.user, in_branches(request.user, rows, "branch__name"))


def attempt_or_404(request: HttpRequest, pk: UUID, *, evidence: bool = False) -> Attempt:
    """One visible attempt with its advisory, branch and source; that it was read is recorded."""
    rows = _visible(request, Attempt.objects.all()) if evidence else attempts_for(request)
    related = ("advisory__current", "branch__repository", "source")
    found = get_object_or_404(rows.select_related(*related), pk=pk)
    note(request, [found.advisory, *found.prerequisites], thing=found)
    return found


def backports_for(request: HttpRequest) -> QuerySet[Backport]:
    """The members' backports that the reader may see."""
    return visible_to(request.user, in_branches(request.user, Backport.objects.all(), "branch__name"))


def versions_for(request: HttpRequest) -> QuerySet[BackportVersion]:
    """The versions of backports that the reader may see, without what only one page needs of each."""
    rows = BackportVersion.objects.defer("evidence", "compared", "hunk_keys")
    return visible_to(request.user, in_branches(request.user, rows, "backport__branch__name"))


def backport_or_404(request: HttpRequest, pk: UUID) -> Backport:
    """One visible backport with its advisory, branch and organisation; that it was read is recorded."""
    related = ("advisory__current", "branch__repository", "organisation", "superseded_by__organisation")
    found = get_object_or_404(backports_for(request).select_related(*related), pk=pk)
    note(request, [found.advisory, *found.prerequisites], thing=found)
    return found


def version_or_404(request: HttpRequest, pk: UUID) -> BackportVersion:
    """One visible version with all that it says and its backport; that it was read is recorded."""
    related = ("backport__advisory__current", "backport__branch__repository", "backport__organisation")
    rows = versions_for(request).defer(None).select_related(*related)
    found = get_object_or_404(rows, pk=pk)
    note(request, [found.backport.advisory, *found.backport.prerequisites], thing=found)
    return found


def advisory_or_404(request: HttpRequest, number: int) -> Advisory:
    """One visible advisory with its current version; that it was read is recorded."""
    found = get_object_or_404(visible_advisories(request.user), number=number)
    note(request, [found], thing=found)
    return found


def branch_or_404(request: HttpRequest, repository: str, name: str) -> Branch:
    """One visible branch with its repository."""
    rows = visible_to(request.user, Branch.objects.select_related("repository"))
    return get_object_or_404(rows, repository__name=repository, name=name)


def repositories(user: Reader) -> list[Repository]:
    """Every mirror that the reader may see, upstream's first, by name."""
    return list(visible_to(user, Repository.objects.order_by(F("organisation").asc(nulls_first=True), "name")))


def branches_for(user: Reader) -> QuerySet[Branch]:
    """The branches that are there and the reader may see, with their repositories: upstream's first, newest first."""
    rows = visible_to(user, Branch.objects.filter(gone=False).select_related("repository"))
    return rows.order_by(F("repository__organisation").asc(nulls_first=True), "repository__name", "-rank", "name")


def pick(rows: list[Repository], name: str) -> Repository:
    """The repository called `name`; for "" Xen's, or else the first. Raises Http404."""
    for row in rows:
        if row.name == (name or DEFAULT):
            return row
    if name or not rows:
        raise Http404
    return rows[0]
