"""Checks: how a version stands with them, one with its log, and what a branch requires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from backports.models import BackportVersion, Branch, Check, RequiredCheck
from backports.services import checking
from backports.services.errors import NotDone
from xsa.permissions import Answer, can_require_checks, demand
from xsa.visibility import visible_to

from . import downloads
from .actor import actor
from .asking import for_tokens
from .lookup import in_branches
from .seen import note
from .version_files import secrets_in

MOST_LINES = 500
LOOKS = {
    "success": ("good", "●", "success"),
    "passed": ("good", "●", "passed"),
    "warning": ("part", "◔", "warning"),
    "failure": ("bad", "✕", "failure"),
    "error": ("bad", "✕", "error"),
    "failed": ("bad", "✕", "failed"),
    "pending": ("wait", "…", "pending"),
    "missing": ("wait", "○", "not run yet"),
}


@dataclass(frozen=True, slots=True)
class Checks:
    """How a version stands with every check; `ready` when all that the branch requires passed."""

    found: Sequence[checking.Found]
    ready: bool
    required: int


def checks(request: HttpRequest, version: BackportVersion) -> Checks:
    """What the reader sees of a version's checks, and what its branch requires."""
    rows = visible_to(request.user, Check.objects.filter(version=version)).defer("log").select_related("organisation")
    wanted = visible_to(request.user, RequiredCheck.objects.filter(branch=version.backport.branch_id))
    found = checking.standing(rows, wanted.values_list("name", flat=True))
    required = [one for one in found if one.required]
    ready = all(one.standing == checking.Standing.PASSED for one in required)
    return Checks(found, ready, len(required))


def _check(request: HttpRequest, pk: UUID) -> Check:
    rows = Check.objects.select_related(
        "organisation", "version__backport__advisory__current", "version__backport__branch__repository"
    )
    rows = in_branches(request.user, rows, "version__backport__branch__name")
    found = get_object_or_404(visible_to(request.user, rows), pk=pk)
    backport = found.version.backport
    note(request, [backport.advisory, *backport.prerequisites], thing=found)
    return found


@require_safe
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One check with the end of its log."""
    row = _check(request, pk)
    lines = bytes(row.log).decode("utf-8", "replace").splitlines()
    context = {
        "check": row,
        "version": row.version,
        "backport": row.version.backport,
        "advisory": row.version.backport.advisory,
        "lines": lines[-MOST_LINES:],
        "left_out": max(0, len(lines) - MOST_LINES),
    }
    return render(request, "checks/detail.html", context)


@for_tokens
@require_safe
def log(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The whole of a log, as far as it is kept."""
    row = _check(request, pk)
    return downloads.deliver(bytes(row.log), log_name(row), secrets=secrets_in(row.version))


def log_name(row: Check) -> str:
    """A file name that says what the log is of."""
    backport = row.version.backport
    return f"xsa{backport.advisory.number}-{backport.branch.name}-v{row.version.number}-{row.name}.log"


class RequiredForm(forms.Form):
    """Names of checks, one a line."""

    names = forms.CharField(
        required=False,
        label="Required checks, one a line",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        max_length=2000,
    )


@dataclass(frozen=True, slots=True)
class Required:
    """What a branch requires, and whether the reader may say so."""

    names: Sequence[str]
    may: Answer
    form: RequiredForm


def required(request: HttpRequest, branch: Branch) -> Required:
    """A part of the branch's page."""
    rows = visible_to(request.user, RequiredCheck.objects.filter(branch=branch))
    names = list(rows.order_by("name").values_list("name", flat=True))
    may = can_require_checks(request.user, branch.repository.organisation)
    return Required(names, may, RequiredForm(initial={"names": "\n".join(names)}, auto_id="required-%s"))


@require_POST
def require(request: HttpRequest, repository: str, branch: str) -> HttpResponse:
    """Say which checks backports on a branch want."""
    rows = visible_to(request.user, Branch.objects.select_related("repository__organisation"))
    row = get_object_or_404(rows, repository__name=repository, name=branch)
    demand(can_require_checks(request.user, row.repository.organisation))
    try:
        checking.require(actor(request), branch=row, names=_names(request))
        messages.success(request, "Backports on this branch want these checks from now on.")
    except NotDone as error:
        messages.error(request, str(error))
    return redirect("branch", repository, branch)


def _names(request: HttpRequest) -> list[str]:
    form = RequiredForm(request.POST)
    if not form.is_valid():
        raise NotDone("bad-checks", "These are too many or no text; nothing was changed.", "names")
    names: str = form.cleaned_data["names"]
    return names.split()
