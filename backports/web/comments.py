"""What people say to each other on the pages of an advisory and of a backport, and about lines of a version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from backports.engine.diff import Hunk, Patch
from backports.models import Backport, BackportVersion, Comment, CommentPlace
from backports.services import commenting
from backports.services.commenting import LONGEST, Where
from backports.services.contents import patches_of
from backports.services.errors import NotDone
from xsa.models import Advisory, Organisation
from xsa.permissions import Answer, demand
from xsa.visibility import in_room, visible_to

from .actor import actor
from .lookup import advisory_or_404, backport_or_404, in_branches, version_or_404
from .seen import note
from .speakers import SpeakerForm, speakers, why_not
from .written import written

MOST = 500  # answers on one page
THREADS = 25  # on one page
_SHOWN = ("advisory", "backport", "version", "thread", "made_at", "kind", "text", "mentions", "quoted", "quoted_at")
_PLACE = re.compile(r"p(\d{1,5})-f(\d{1,6})-h(\d{1,6})(?:-(\d{1,6}))?")


class SayForm(SpeakerForm):
    """A comment."""

    text = forms.CharField(
        max_length=LONGEST,
        strip=False,
        label="Your words",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Plain text; ``` lines stand around code. @organisation names one that is in the room.",
    )


class AnswerForm(SayForm):
    """An answer, or a step that closes a thread or opens it again, with or without words."""

    kind = forms.ChoiceField(choices=Comment.Kind.choices, required=False, initial="say")

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.fields["text"].required = False


@dataclass(slots=True)
class Said:
    """A comment as the page has it; `who` is the organisation, inside the room with the person."""

    row: Comment
    html: SafeString
    who: str


@dataclass(slots=True)
class Thread:
    """A first comment with its answers; `place` is where its line stands in the version that is shown."""

    first: Said
    answers: list[Said] = field(default_factory=list)
    resolved: bool = False
    place: CommentPlace | None = None

    @property
    def quoted(self) -> list[tuple[str, str, bool]]:
        """The lines around the one that it is about: sign, text, whether it is the one."""
        row = self.first.row
        return [(tag, text, at == row.quoted_at) for at, (tag, text) in enumerate(row.quoted)]


@dataclass(frozen=True, slots=True)
class Talk:
    """The threads of a page; `own` are the organisations in whose name the reader speaks, else `may` says why not.

    `older` is the query string of the page with older threads; `later`: these are not the newest ones. `cut`: not all
    answers are on it.
    """

    threads: Sequence[Thread]
    own: Sequence[Organisation]
    form: SayForm | None
    may: Answer
    older: str = ""
    later: bool = False
    cut: bool = False


def of_advisory(request: HttpRequest, advisory: Advisory) -> Talk | None:
    """What is said about the advisory as a whole; None outside its room."""
    rows = Comment.objects.filter(advisory=advisory, backport=None)
    return _paged(request, advisory, rows) if in_room(request.user, advisory) else None


def of_backport(request: HttpRequest, backport: Backport) -> Talk | None:
    """What is said about a backport as a whole; None outside the room."""
    rows = Comment.objects.filter(backport=backport, quoted=[])
    rows = rows.filter(thread=None) | rows.filter(thread__version=None)
    return _paged(request, backport.advisory, rows) if in_room(request.user, backport.advisory) else None


def of_lines(request: HttpRequest, version: BackportVersion) -> Talk:
    """What is said about lines of the backport, with their places in this version; outdated ones last."""
    backport = version.backport
    rows = Comment.objects.filter(backport=backport)
    rows = rows.filter(version__isnull=False) | rows.filter(thread__version__isnull=False)
    talk = _talk(request, backport.advisory, rows)
    if not talk.threads:
        return replace(talk, form=None)
    places = visible_to(request.user, CommentPlace.objects.filter(version=version, comment__backport=backport))
    by_comment = {place.comment_id: place for place in places}
    threads = []
    for thread in talk.threads:
        if (place := by_comment.get(thread.first.row.pk)) is not None:
            thread.place = place
            threads.append(thread)
    threads.sort(key=lambda one: (not one.place.line, one.place.patch, one.place.file, one.place.hunk, one.place.line))  # type: ignore[union-attr]
    return Talk(threads, talk.own, None, talk.may, cut=talk.cut)


def _paged(request: HttpRequest, advisory: Advisory, rows: QuerySet[Comment]) -> Talk:
    """The newest threads, or from the one that the address names on those before it; in the order of their begin."""
    firsts = visible_to(request.user, rows.filter(thread=None)).order_by("-made_at", "-pk")
    newest = _first_named(firsts, request.GET.get("talk", ""))
    if newest is not None:
        firsts = firsts.filter(made_at__lte=newest.made_at)
    # By their ids: asked within one query, the database would look at the readers of every comment of the room.
    ids = list(firsts.values_list("pk", flat=True)[: THREADS + 1])
    talk = _talk(request, advisory, rows.filter(Q(pk__in=ids) | Q(thread__in=ids)))
    if len(talk.threads) > THREADS:
        left, *kept = talk.threads
        talk = replace(talk, threads=kept, older=f"?talk={left.first.row.pk}")
    return replace(talk, later=newest is not None)


def _first_named(firsts: QuerySet[Comment], name: str) -> Comment | None:
    try:
        return firsts.filter(pk=name).only("made_at").first() if name else None
    except ValidationError:
        return None


def _talk(request: HttpRequest, advisory: Advisory, rows: QuerySet[Comment]) -> Talk:
    """These comments as threads: every first one, and the newest answers."""
    inside = in_room(request.user, advisory)
    seen = visible_to(request.user, rows.annotate(of=F("organisation__name"), by=F("made_by__username")).only(*_SHOWN))
    found = list(seen.alias(later=Q(thread__isnull=False)).order_by("later", "-made_at", "-pk")[: MOST + 1])
    threads: dict[UUID, Thread] = {}
    for row in sorted(found[:MOST], key=lambda one: (one.thread_id is not None, one.made_at, one.pk)):
        said = Said(row, written(row.text, row.mentions, inside=inside), _who(row, inside=inside))
        if row.thread_id is None:
            threads[row.pk] = Thread(said)
        elif (thread := threads.get(row.thread_id)) is not None:
            thread.answers.append(said)
            if row.kind != Comment.Kind.SAY:
                thread.resolved = row.kind == Comment.Kind.RESOLVE
    own = speakers(request, advisory)
    form = SayForm(speakers=own) if own else None
    return Talk(list(threads.values()), own, form, why_not(request, advisory), cut=len(found) > MOST)


def _who(row: Any, *, inside: bool) -> str:
    return f"{row.by} of {row.of}" if inside else row.of


def _demand_speaker(request: HttpRequest, advisory: Advisory) -> list[Organisation]:
    own = speakers(request, advisory)
    if not own:
        demand(why_not(request, advisory))
    return own


@require_POST
@login_required
def say(request: HttpRequest, number: int) -> HttpResponse:
    """Begin a thread about an advisory."""
    advisory = advisory_or_404(request, number)
    return _say(request, advisory, None, reverse("advisory", args=[number]))


@require_POST
@login_required
def say_of_backport(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Begin a thread about a backport."""
    backport = backport_or_404(request, pk)
    return _say(request, backport.advisory, backport, reverse("backport", args=[pk]))


def _say(request: HttpRequest, advisory: Advisory, backport: Backport | None, back: str) -> HttpResponse:
    form = SayForm(request.POST, speakers=_demand_speaker(request, advisory))
    try:
        if form.is_valid():
            commenting.say(actor(request), advisory=advisory, backport=backport, **form.cleaned_data)
            return redirect(f"{back}#talk")
    except NotDone as error:
        form.add_error("text", str(error))
    return _again(request, form, back, advisory)


def _again(request: HttpRequest, form: SayForm, back: str, advisory: Advisory) -> HttpResponse:
    """The form with what is wrong, and with what was written."""
    return render(request, "review/say.html", {"form": form, "back": back, "advisory": advisory}, status=400)


@require_POST
@login_required
def answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Answer a thread, resolve it, or open it again."""
    rows = in_branches(request.user, Comment.objects.filter(thread=None), "backport__branch__name")
    rows = visible_to(request.user, rows).select_related("advisory", "backport__branch", "version")
    thread = get_object_or_404(rows, pk=pk)
    note(request, [thread.advisory, *(thread.backport.prerequisites if thread.backport else ())], thing=thread)
    form = AnswerForm(request.POST, speakers=_demand_speaker(request, thread.advisory))
    back = _page_of(request, thread)
    try:
        if form.is_valid():
            values = dict(form.cleaned_data) | {"kind": form.cleaned_data["kind"] or Comment.Kind.SAY}
            commenting.answer(actor(request), thread=thread, **values)
            return redirect(f"{back}#c-{thread.pk}")
    except NotDone as error:
        form.add_error("text", str(error))
    return _again(request, form, back, thread.advisory)


def _page_of(request: HttpRequest, thread: Comment) -> str:
    """Where a thread stands; the address names it where it is not among the newest."""
    if thread.backport_id:
        path = reverse("backport", args=[thread.backport_id])
    else:
        path = reverse("advisory", args=[thread.advisory.number])
    others = Comment.objects.filter(advisory=thread.advisory, backport=thread.backport_id, thread=None, version=None)
    newer = visible_to(request.user, others.filter(made_at__gt=thread.made_at)).count()
    return f"{path}?talk={thread.pk}" if newer >= THREADS and thread.version_id is None else path


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def line(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose a line of a hunk, and say something about it."""
    version = version_or_404(request, pk)
    advisory = version.backport.advisory
    own = _demand_speaker(request, advisory)
    patches = patches_of(version)
    place = _place(request.POST.get("place") or request.GET.get("at", "p1-f1-h1"))
    hunk = _hunk(patches, place)
    form = SayForm(request.POST if request.method == "POST" else None, speakers=own)
    try:
        if form.is_valid():
            where = Where(place=place)
            commenting.say_of_line(actor(request), version=version, where=where, **form.cleaned_data)
            messages.success(request, "Said.")
            return redirect(_anchored(version, place))
    except NotDone as error:
        form.add_error(None, str(error))
    context = {
        "version": version,
        "backport": version.backport,
        "advisory": advisory,
        "form": form,
        "path": patches[place[0] - 1].files[place[1] - 1].path.encode("utf-8", "replace").decode(),
        "anchor": "p{}-f{}-h{}".format(*place),
        "lines": _lines(hunk, place),
    }
    return render(request, "review/line.html", context, status=400 if request.method == "POST" else 200)


def _anchored(version: BackportVersion, place: tuple[int, ...]) -> str:
    anchor = "p{}-f{}-h{}-{}".format(*place)
    return reverse("backport_version", args=[version.backport_id, version.number]) + f"#{anchor}"


def _place(value: str) -> tuple[int, ...]:
    """The numbers of a hunk, or of a line of it. Raises BadRequest."""
    if (found := _PLACE.fullmatch(value)) is None:
        raise BadRequest("No such line.")
    return tuple(int(one) for one in found.groups() if one is not None)


def _hunk(patches: Sequence[Patch], place: tuple[int, ...]) -> Hunk:
    patch, file, hunk = place[:3]
    try:
        if min(patch, file, hunk) < 1:
            raise Http404
        return patches[patch - 1].files[file - 1].hunks[hunk - 1]
    except IndexError:
        raise Http404 from None


def _lines(hunk: Hunk, place: tuple[int, ...]) -> list[dict[str, Any]]:
    """Those of the hunk to choose from; the first that is changed where none is chosen."""
    chosen = place[3] if len(place) > 3 else 0
    changed = next((at for at, one in enumerate(hunk.lines, start=1) if one.tag != " "), 1)
    return [
        {
            "place": "p{}-f{}-h{}".format(*place) + f"-{at}",
            "tag": one.tag,
            "text": one.text.decode("utf-8", "replace").rstrip("\n"),
            "chosen": at == (chosen or changed),
        }
        for at, one in enumerate(hunk.lines, start=1)
    ]
