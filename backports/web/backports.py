"""A member's backport: its newest version, or any other, with the verdict, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from backports.engine.result import Outcome
from backports.models import Backport, BackportVersion
from backports.services import sharing
from backports.services.errors import NotDone
from xsa.permissions import Answer, Denied, can_backport, can_share, can_upload, demand

from . import comments, comparisons, diffs, findings, lineage, looks, reviews, words
from .actor import actor
from .checks import checks
from .lookup import backport_or_404, backports_for, version_or_404, versions_for
from .offered import offered
from .patches import patches_of
from .speakers import speakers
from .version_files import offers

MOST_OTHERS = 50


@require_safe
def detail(request: HttpRequest, pk: UUID, number: int | None = None) -> HttpResponse:
    """A backport with one of its versions, the newest where none is named."""
    backport = backport_or_404(request, pk)
    versions = list(versions_for(request).filter(backport=backport).select_related("made_by", "derived_from__backport"))
    version = _chosen(request, versions, number)
    context = {
        "backport": backport,
        "advisory": backport.advisory,
        "branch": backport.branch,
        "repository": backport.branch.repository,
        "life": words.LIVES[backport.life],
        "versions": versions,
        "version": version,
        "steps": steps(request, backport),
        "may_begin": can_upload(request.user),
        "may_upload": backport.is_open and can_backport(request.user, backport.organisation),
        **(_of_version(request, backport, version) if version else {}),
    }
    return render(request, "backport/detail.html", context)


def _chosen(request: HttpRequest, versions: Sequence[BackportVersion], number: int | None) -> BackportVersion | None:
    """The version of that number with everything that it says. Raises Http404."""
    found = [one for one in versions if number in (None, one.number)]
    if not found and number is not None:
        raise Http404
    return version_or_404(request, found[0].pk) if found else None


def _of_version(request: HttpRequest, backport: Backport, version: BackportVersion) -> dict[str, Any]:
    patches = patches_of(version)
    others = other_backports(request, backport, version)
    return {
        "word": looks.outcome_word(version.outcome, version.confidence),
        "sentence": sentence(version),
        "rung": words.RUNGS.get(version.rung),
        "confidence": words.CONFIDENCES.get(version.confidence),
        "findings": findings.to_look_at(version.evidence),
        "open_hunks": _open_hunks(version.evidence),
        "official": comparisons.official(version.compared),
        "others": others,
        "siblings": version.evidence.get("siblings", ()),
        "offered_here": offered(request, backport.advisory, backport.branch, version.outcome),
        "lineage": lineage.drawn(request, backport.advisory),
        "shown_patches": diffs.shown(patches),
        "reviews": reviews.of_backport(request, backport, version, patches),
        "talk": comments.of_backport(request, backport),
        "line_talk": comments.of_lines(request, version),
        "say_at": reverse("say_of_backport", args=[backport.pk]),
        "line_at": _line_at(request, backport, version),
        "came_by": words.CAME_BY.get(version.came_by, version.came_by),
        "offers": offers(version),
        "newest": backport.current_id == version.pk,
        "checks": checks(request, version),
    }


def sentence(version: BackportVersion) -> str:
    """The verdict in a sentence."""
    if version.outcome == Outcome.APPLIED:
        hunks = f"All {version.hunks_total} hunks" if version.hunks_total != 1 else "Its only hunk"
        return f"{hunks} landed on {version.backport.branch.name}."
    if version.outcome == Outcome.PARTLY_APPLIED:
        return f"{version.hunks_landed} of {version.hunks_total} hunks landed; the others stand below."
    if version.outcome == Outcome.ALREADY_APPLIED:
        return "The branch holds all of this change already."
    if version.outcome == Outcome.CONFLICT:
        return "No hunk landed on the branch; it is kept all the same."
    return words.OUTCOMES[version.outcome].sentence


def _line_at(request: HttpRequest, backport: Backport, version: BackportVersion) -> str:
    """Where something is said about a line; "" for those who may not."""
    return reverse("comment_line", args=[version.pk]) if speakers(request, backport.advisory) else ""


def _open_hunks(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    """The hunks that did not land, or landed in doubt, each with its place in the series."""
    return [
        {"patch": patch, "file": position, "number": number, "path": file["path"], "hunk": hunk}
        for file, patch, position in findings.files(evidence)
        for number, hunk in enumerate(file["hunks"], 1)
        if hunk["rejection"] or hunk.get("note")
    ]


@dataclass(frozen=True, slots=True)
class Other:
    """Another backport of the same advisory: how many of this version's hunks its newest version has too."""

    backport: Backport
    version: BackportVersion
    same: int
    of: int


def other_backports(request: HttpRequest, backport: Backport, version: BackportVersion) -> list[Other]:
    """Other members' backports of the same advisory, the most alike first."""
    rows = backports_for(request).filter(advisory=backport.advisory, current__isnull=False).exclude(pk=backport.pk)
    mine = set(version.hunk_keys)
    found = rows.select_related("organisation", "branch__repository", "current").defer(
        "current__evidence", "current__compared"
    )
    others = [
        Other(row, row.current, len(mine & set(row.current.hunk_keys)), len(mine))
        for row in found[:MOST_OTHERS]
        if row.current is not None
    ]
    return sorted(others, key=lambda one: (-one.same, -one.backport.branch.rank))


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done with a backport; `may` says why not, where it cannot."""

    name: str
    title: str
    may: Answer
    tone: str = "secondary"


def steps(request: HttpRequest, backport: Backport) -> list[Step]:
    """The buttons of the page; none for those who are not logged in."""
    if not request.user.is_authenticated:
        return []
    own = can_backport(request.user, backport.organisation)
    later = (
        ("open", "Open to everybody at the disclosure")
        if backport.members_only_later
        else ("keep", "Keep among members at the disclosure")
    )
    return [
        Step("share", "Share with the room", _may_share(request, backport), tone=""),
        Step(*later, own if backport.is_open or not own else Denied("It is superseded or withdrawn.")),
        Step("withdraw", "Withdraw", own if backport.is_open or not own else Denied("It is withdrawn already.")),
    ]


def _may_share(request: HttpRequest, backport: Backport) -> Answer:
    answer = can_share(request.user, backport.organisation)
    if not answer:
        return answer
    if backport.life == Backport.Life.SHARED:
        return Denied("The room has it already.")
    try:
        sharing.check_shareable(backport)
    except NotDone as error:
        return Denied(str(error))
    return answer


@require_POST
@login_required
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One step of a backport's life."""
    backport = backport_or_404(request, pk)
    demand(can_backport(request.user, backport.organisation))
    try:
        told = _change(request, backport, request.POST.get("step", ""))
    except NotDone as error:
        messages.error(request, str(error))
    else:
        messages.success(request, told)
    return redirect("backport", pk)


def _change(request: HttpRequest, backport: Backport, step: str) -> str:
    """Do it, and what to say of it. Raises NotDone, BadRequest."""
    person = actor(request)
    if step == "share":
        sharing.share(person, backport=backport)
        return "The room reads it now."
    if step in ("keep", "open"):
        sharing.keep_among_members(person, backport=backport, members_only=step == "keep")
        return "Members keep it." if step == "keep" else "Everybody will read it once the advisory is disclosed."
    if step == "withdraw":
        sharing.withdraw(person, backport=backport, because=request.POST.get("because", ""))
        return "Withdrawn."
    if step == "supersede":
        sharing.supersede(person, backport=backport, by=_successor(request, backport))
        return "Another one takes its place."
    raise BadRequest("No such step.")


def _successor(request: HttpRequest, backport: Backport) -> Backport:
    """The backport that the form names, among those that the reader sees. Raises Http404."""
    rows = backports_for(request).filter(advisory=backport.advisory)
    found = next((one for one in rows if str(one.pk) == request.POST.get("by")), None)
    if found is None:
        raise Http404
    return found
