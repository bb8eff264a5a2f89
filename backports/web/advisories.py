"""The advisories: the list of all, and one with everything about it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from backports.export import mbox
from backports.models import Branch, UpstreamFix
from backports.services.looking import unseen
from backports.services.places import mirror_path
from xsa.models import Advisory, AdvisoryVersion, Announcement, Fix, FixPatch, PatchFile
from xsa.permissions import can_read_rehearsal
from xsa.visibility import in_room, visible_advisories, visible_to

from . import comments, downloads, reviews, words
from .asking import for_tokens
from .claims import claims
from .filters import number_in, search
from .lookup import advisory_or_404, attempts_for, in_branches
from .pager import page_of
from .room import room
from .seen import note
from .statements import statements
from .surroundings import surroundings

PAGE = 100


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All advisories that the reader may see, also those that no repository here has a cell for."""
    sought = request.GET.get("text", "").replace("\0", "").strip()[:100]
    visible = visible_advisories(request.user)
    tried = Exists(attempts_for(request).filter(advisory=OuterRef("pk"), current=True))
    found = search(visible, sought) if sought else visible
    rows = found.annotate(tried=tried).only("number", "disclosed_at", "planned_disclosure_at", *_LISTED)
    page = page_of(rows, request.GET, PAGE)
    note(request, page.rows)
    context = {"page": page, "count": rows.count(), "text": sought, "announced": _announced(request, sought)}
    return render(request, "advisories/list.html", context)


_LISTED = ("current__title", "current__cves", "current__number")


def _announced(request: HttpRequest, sought: str) -> list[Announcement]:
    """What is announced and the reader sees no more of, on the first page; found by nothing but the number."""
    if request.GET.get("before") or request.GET.get("after"):
        return []
    rows = Announcement.objects.exclude(number__in=visible_advisories(request.user).values("number"))
    number = number_in(sought)
    return list(rows if not sought else rows.filter(number=number) if number is not None else ())


@for_tokens
@require_safe
def upstream_fix(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A fix that was found in a repository: its commits as mail for `git am`."""
    rows = visible_to(request.user, Fix.objects.filter(patches__file=None))
    rows = in_branches(request.user, rows, "branch").select_related("version__advisory").distinct()
    fix = get_object_or_404(rows, pk=pk)
    note(request, [fix.version.advisory], thing=fix)
    patches = fix.patches.exclude(commit="").order_by("position")
    if not patches:
        raise Http404
    advisory = fix.version.advisory
    notes = downloads.embargo_notes(advisory)
    mails = [mail for row in patches for mail in mbox.commits(mirror_path(row.repository), [row.commit], notes)]
    name = f"xsa{advisory.number}-{fix.branch}.patch"
    return downloads.deliver(mbox.as_mbox(mails), name, secrets=[advisory] if advisory.embargoed else [])


@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """One advisory: its versions, text, fixes, files, and how it stands on every branch.

    Of one that the reader does not see, what is announced of it to everyone.
    """
    try:
        advisory = advisory_or_404(request, number)
    except Http404:
        return _announcement(request, number)
    current = advisory.current
    around = surroundings(request, advisory)
    strips = _strips(request, advisory, around.branches)
    versions = _versions(advisory)
    context = {
        "advisory": advisory,
        "current": current,
        "versions": versions,
        "fixes": _fixes(advisory, versions),
        "files": _files(advisory),
        "strips": strips,
        "deployment": words.deployment(advisory) if current and current.number else "",
        "statements": statements(request, advisory, around),
        "claims": claims(request, advisory, strips, around),
        "news": unseen(request.user, advisory),
        "room": room(request, around.backports),
        "quorum": reviews.quorum(request, advisory) if in_room(request.user, advisory) else None,
        "talk": comments.of_advisory(request, advisory),
        "say_at": reverse("say", args=[number]),
        "may_disclose": can_read_rehearsal(request.user),
        "signature": words.SIGNATURES.get(current.signature, "") if current else "",
        "words": words,
    }
    return render(request, "advisories/detail.html", context)


def _announcement(request: HttpRequest, number: int) -> HttpResponse:
    """The same for a number whose content is here as for one whose content is not."""
    row = get_object_or_404(Announcement, number=number)
    return render(request, "advisories/announced.html", {"announcement": row})


@for_tokens
@require_safe
def bundle(request: HttpRequest, number: int) -> HttpResponse:
    """All files of the current version as they came in, in a tar; while embargoed after a notice."""
    advisory = advisory_or_404(request, number)
    if getattr(request.user, "branches", ()):
        raise Http404  # a token for some branches takes the files of those, one by one
    rows = PatchFile.objects.filter(version=advisory.current).exclude(version=None).order_by("name", "pk")
    files: dict[str, bytes] = {}
    for row in rows:
        name = f"xsa{number}/{downloads.safe_path(row.name)}"
        files[f"{name}.{row.sha256[:8]}" if name in files else name] = bytes(row.data)
    if not files:
        raise Http404
    data = mbox.as_bundle(files.items(), downloads.embargo_notes(advisory))
    secrets = [advisory] if advisory.embargoed else []
    return downloads.deliver(data, f"xsa{number}.tar", secrets=secrets, kind="application/x-tar")


def _versions(advisory: Advisory) -> list[AdvisoryVersion]:
    return list(advisory.versions.defer("sections").order_by("-number"))


def _fixes(advisory: Advisory, versions: Iterable[AdvisoryVersion]) -> list[Fix]:
    """The fixes of the current version and those of the repository itself, newest branch first.

    Fixes with the same patches become one, whose `branches` names all that they are for.
    """
    patches = Prefetch("patches", FixPatch.objects.select_related("file").defer("file__data"))
    mined = [one.pk for one in versions if one.number == 0]
    rows = Fix.objects.filter(version__in=[advisory.current_id, *mined]).select_related("version")
    found = list(rows.prefetch_related(patches))
    for fix in found:
        fix.mined = any(patch.commit for patch in fix.patches.all())  # type: ignore[attr-defined]
    grouped: dict[tuple[object, ...], Any] = {}
    for fix in sorted(found, key=lambda fix: (fix.tree != "xen", fix.tree, _version_key(fix.branch))):
        first: Any = grouped.setdefault((fix.tree, fix.origin, fix.digest, *fix.prerequisites), fix)
        first.branches = [*getattr(first, "branches", []), fix.branch]
    return list(grouped.values())


def _version_key(branch: str) -> tuple[int, ...]:
    parts = branch.split(".")
    return tuple(-int(part) for part in parts) if all(part.isdigit() for part in parts) else (-(10**6),)


def _files(advisory: Advisory) -> list[PatchFile]:
    rows = PatchFile.objects.filter(version__advisory=advisory).defer("data").select_related("version")
    return list(rows.order_by("-version__number", "name"))


def _strips(request: HttpRequest, advisory: Advisory, branches: Iterable[Branch]) -> list[dict[str, Any]]:
    """Each repository's branches, newest first, with their current attempt; none where one holds the upstream fix."""
    cells = attempts_for(request).filter(advisory=advisory, current=True)
    attempts = {row.branch_id: row for row in cells}
    held = UpstreamFix.objects.filter(advisory=advisory).order_by()
    there = attempts.keys() | set(held.values_list("branch_id", flat=True))
    shown = [one for one in branches if one.pk in there]
    return [
        {
            "repository": repository,
            "branches": [{"branch": one, "attempt": attempts.get(one.pk)} for one in rows],
        }
        for repository, rows in groupby(shown, key=lambda one: one.repository)
    ]
