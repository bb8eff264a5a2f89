"""Reviews on a backport's page: what was said of it, how far it is from the quorum, and saying something oneself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from backports.engine.diff import Patch
from backports.engine.parts import names_of
from backports.models import Backport, BackportVersion, Review, ReviewDraft
from backports.models.review import Verdict
from backports.services import reviewing
from backports.services.contents import patches_of
from backports.services.errors import NotDone
from backports.services.reviewing import LONGEST, MOST_NEEDED, Said, Standing
from xsa.models import Advisory
from xsa.permissions import Answer, can_set_quorum, demand
from xsa.visibility import in_room, visible_to

from .actor import actor
from .lookup import advisory_or_404, version_or_404
from .speakers import SpeakerForm, speakers, why_not

MOST = 200


class ReviewForm(SpeakerForm):
    """What somebody says of a version."""

    verdict = forms.ChoiceField(
        choices=[
            (Verdict.APPROVE, "Approve"),
            (Verdict.NEEDS_CHANGES, "Needs changes"),
            (Verdict.COMMENT, "Comment"),
            (Verdict.TESTED, "Tested"),
        ]
    )
    tested_on = forms.CharField(
        required=False, max_length=300, label="Tested on", help_text="Branch and hardware, in one line."
    )
    text = forms.CharField(required=False, max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 6}))
    files = forms.MultipleChoiceField(  # type: ignore[assignment] # a name of the framework too
        required=False, label="About these files alone", help_text="None chosen: the whole series."
    )
    signature = forms.CharField(
        required=False,
        label="Signature, if you sign it",
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text="Detached, OpenPGP or SSH, over the text to sign.",
    )

    def __init__(self, data: Any = None, *, patches: Sequence[Patch], **options: Any) -> None:
        super().__init__(data, auto_id="review-%s", **options)
        names: Any = self.fields["files"]
        names.choices = [(name, name) for name in names_of(patches)]
        if len(names.choices) < 2:
            del self.fields["files"]

    def said(self) -> Said:
        """Its content."""
        values = dict(self.cleaned_data)
        values.pop("organisation")
        return Said(**values)


@dataclass(frozen=True, slots=True)
class Reviews:
    """The part of the page. `form` is None for those who may not review, and `may` says why."""

    rows: Sequence[Review]
    standing: Standing
    inside: bool
    form: ReviewForm | None
    may: Answer
    drafts: Sequence[ReviewDraft]


def of_backport(
    request: HttpRequest, backport: Backport, version: BackportVersion, patches: Sequence[Patch]
) -> Reviews:
    """What the page of a version shows; the form is on the newest one."""
    heavy = ("version__evidence", "version__compared", "version__hunk_keys")
    found = Review.objects.filter(version__backport=backport).select_related("organisation", "made_by", "version")
    rows = list(visible_to(request.user, found.defer(*heavy))[:MOST])
    own = speakers(request, backport.advisory)
    drafts = _drafts(request, backport)
    newest = backport.current_id == version.pk and backport.is_open
    return Reviews(
        rows=rows,
        standing=reviewing.standings([backport], rows)[backport.pk],
        inside=in_room(request.user, backport.advisory),
        form=ReviewForm(patches=patches, speakers=own, initial=_begun(drafts)) if own and newest else None,
        may=why_not(request, backport.advisory),
        drafts=drafts,
    )


def _drafts(request: HttpRequest, backport: Backport) -> list[ReviewDraft]:
    rows = ReviewDraft.objects.filter(version__backport=backport, made_by=request.user.pk)
    return list(visible_to(request.user, rows.select_related("version"))[:5])


def _begun(drafts: Sequence[ReviewDraft]) -> dict[str, str]:
    """What was written before a newer version came."""
    if not drafts:
        return {}
    return {"verdict": drafts[0].verdict, "text": drafts[0].text, "tested_on": drafts[0].tested_on}


@require_http_methods(["POST"])
@login_required
def review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Review a version; 409 when a newer one took its place, with the text that was kept."""
    version = version_or_404(request, pk)
    backport = version.backport
    own = speakers(request, backport.advisory)
    if not own:
        demand(why_not(request, backport.advisory))
    form = ReviewForm(request.POST, patches=patches_of(version), speakers=own)
    try:
        if form.is_valid():
            organisation = form.cleaned_data["organisation"]
            row = reviewing.give(actor(request), version=version, organisation=organisation, said=form.said())
            return _done(request, row)
    except NotDone as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
    context = {"backport": backport, "version": version, "advisory": backport.advisory, "form": form}
    return render(request, "review/form.html", context, status=400)


def _done(request: HttpRequest, row: Review | ReviewDraft) -> HttpResponse:
    backport = row.version.backport
    if isinstance(row, Review):
        messages.success(request, "The others can read it now.")
        return redirect(reverse("backport", args=[backport.pk]) + "#reviews")
    newest = BackportVersion.objects.filter(backport=backport).order_by("-number").only("number")[0]
    context = {"backport": backport, "advisory": backport.advisory, "draft": row, "newest": newest}
    return render(request, "review/replaced.html", context, status=409)


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many must approve, and whether the reader may say so."""

    needed: int
    most: int
    may: Answer


def quorum(request: HttpRequest, advisory: Advisory) -> Quorum:
    """For the advisory's page."""
    return Quorum(reviewing.needed(advisory), MOST_NEEDED, can_set_quorum(request.user))


@require_POST
@login_required
def set_quorum(request: HttpRequest, number: int) -> HttpResponse:
    """Say how many must approve backports of an advisory."""
    advisory = advisory_or_404(request, number)
    demand(can_set_quorum(request.user))
    value = request.POST.get("needed", "")
    if not (value.isascii() and value.isdigit()) or len(value) > 3:
        raise BadRequest("Say how many.")
    try:
        reviewing.set_quorum(actor(request), advisory=advisory, needed=int(value))
    except NotDone as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "That many must approve from now on.")
    return redirect("advisory", number)
