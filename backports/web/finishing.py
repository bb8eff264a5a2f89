"""Finishing a partly applied attempt: each conflict as base, ours and theirs, and a person's answer to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from backports.git.errors import GitError
from backports.models import Attempt
from backports.services import finishing
from backports.services.errors import NotDone
from backports.services.evidence import text
from backports.services.finishing import Open
from backports.services.resolutions import Offers, offers_for
from xsa.permissions import can_upload, demand

from .actor import actor
from .lookup import attempt_or_404
from .upload_forms import speaking_for

CHOICES = (
    ("ours", "Ours: leave the branch as it is"),
    ("theirs", "Theirs: take what the fix leaves"),
    ("both", "Both: ours, then theirs"),
    ("edit", "As written below"),
)
Piece = dict[str, Any]


class Answers(forms.Form):
    """In whose name, why, and for each conflict which lines."""

    note = forms.CharField(
        label="Note for those who read it",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any, *, opened: Sequence[Open], request: HttpRequest, known: Sequence[str]) -> None:
        super().__init__(data, auto_id="finish-%s")
        self.opened = opened
        rows = speaking_for(request.user)
        self.fields["organisation"] = forms.ModelChoiceField(rows, label="In the name of", empty_label=None)
        for at, one in enumerate(opened):
            self.fields[f"choice-{at}"] = forms.ChoiceField(
                label="Take",
                choices=CHOICES,
                widget=forms.RadioSelect,
                initial="edit" if known[at] else None,
                error_messages={"required": "Say which lines to take."},
            )
            self.fields[f"text-{at}"] = forms.CharField(
                label="The lines, to write them yourself",
                required=False,
                strip=False,
                initial=known[at] or text(b"".join(one.conflict.chunk.theirs)),
                widget=forms.Textarea(attrs={"rows": _rows(one), "spellcheck": "false", "wrap": "off"}),
            )

    def answers(self) -> list[bytes]:
        """The lines that were chosen for each conflict, in order."""
        return [self._answer(at, one) for at, one in enumerate(self.opened)]

    def _answer(self, at: int, one: Open) -> bytes:
        ours, theirs = b"".join(one.conflict.chunk.ours), b"".join(one.conflict.chunk.theirs)
        plain = {"ours": ours, "theirs": theirs, "both": ours + theirs}
        choice = self.cleaned_data[f"choice-{at}"]
        return plain[choice] if choice in plain else _written(self.cleaned_data[f"text-{at}"], ours or theirs)


def _rows(one: Open) -> int:
    chunk = one.conflict.chunk
    return min(24, 3 + max(len(chunk.ours), len(chunk.theirs)))


def _written(given: str, like: bytes) -> bytes:
    """What a person wrote, with the line ends that the file has, and one at its end."""
    lines = given.replace("\r\n", "\n")
    lines += "\n" if lines and not lines.endswith("\n") else ""
    data = lines.encode("utf-8", "surrogatepass")
    return data.replace(b"\n", b"\r\n") if like.endswith(b"\r\n") else data


@dataclass(frozen=True, slots=True)
class Shown:
    """One conflict on the page, with its two fields."""

    number: int
    path: str
    line: int
    base: Piece
    ours: Piece
    theirs: Piece
    choice: Any
    text: Any
    known: str


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def finish(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The conflicts of an attempt, and a version of what is made of them."""
    attempt = attempt_or_404(request, pk, evidence=True)
    demand(can_upload(request.user))
    opened, gone = _opened(attempt)
    known = _known(offers_for(request.user, attempt), opened)
    data = request.POST if request.method == "POST" else None
    form = Answers(data, opened=opened, request=request, known=[lines for _, lines in known])
    if request.method == "POST" and form.is_valid() and (answer := _finished(request, attempt, form)) is not None:
        return answer
    context = {
        "attempt": attempt,
        "advisory": attempt.advisory,
        "branch": attempt.branch,
        "form": form,
        "gone": gone,
        "whole": finishing.is_whole(attempt),
        "conflicts": list(_shown(opened, form, [told for told, _ in known])),
    }
    return render(request, "attempts/finish.html", context)


def _opened(attempt: Attempt) -> tuple[list[Open], str]:
    """The open conflicts; or none, and why they cannot be shown."""
    try:
        return finishing.open_conflicts(attempt), ""
    except GitError as error:
        return [], error.sentence


def _finished(request: HttpRequest, attempt: Attempt, form: Answers) -> HttpResponse | None:
    values = form.cleaned_data
    try:
        done = finishing.finish(
            actor(request),
            organisation=values["organisation"],
            attempt=attempt,
            answers=form.answers(),
            note=values["note"],
        )
    except (NotDone, GitError) as error:
        form.add_error(None, str(error) if isinstance(error, NotDone) else error.sentence)
        return None
    if done.version is None:
        return redirect("upload", done.upload.pk)
    told = "Kept as a draft of your organisation." if done.created else "The same content is here already; this is it."
    messages.success(request, told)
    return redirect("backport_version", done.version.backport_id, done.version.number)


def _known(offers: Offers, opened: Sequence[Open]) -> list[tuple[str, str]]:
    """For each conflict who answered it before, and their lines; "" where nobody did."""
    found = {(one.conflict.path, one.conflict.start): one for one in offers.offered}
    answers = [found.get((one.conflict.path, one.conflict.start)) for one in opened]
    return [
        (f"{one.row.organisation or 'the security team'} on {one.row.branch.name}", text(b"".join(one.answer.lines)))
        if one
        else ("", "")
        for one in answers
    ]


def _shown(opened: Sequence[Open], form: Answers, known: Sequence[str]) -> Iterator[Shown]:
    for at, one in enumerate(opened):
        chunk, line = one.conflict.chunk, one.conflict.start + 1
        yield Shown(
            number=at + 1,
            path=text(one.conflict.path),
            line=line,
            base=_beside(chunk.base, chunk.theirs),
            ours=_within(one, line),
            theirs=_beside(chunk.theirs, chunk.base),
            choice=form[f"choice-{at}"],
            text=form[f"text-{at}"],
            known=known[at],
        )


def _within(one: Open, line: int) -> Piece:
    """The branch's own lines, marked, with those around them."""
    rows = [(False, found) for found in one.before]
    rows += [(True, found) for found in one.conflict.chunk.ours]
    rows += [(False, found) for found in one.after]
    return _piece(line - len(one.before), rows)


def _beside(lines: Sequence[bytes], other: Sequence[bytes]) -> Piece:
    """One side of the fix, with those lines marked that the other side lacks."""
    there = set(other)
    return _piece(1, [(line not in there, line) for line in lines])


def _piece(line: int, rows: Sequence[tuple[bool, bytes]]) -> Piece:
    """Lines as `flagged_lines` takes them, the first one with its number."""
    return {"line": line, "lines": [[flag, text(one).rstrip("\r\n")] for flag, one in rows]}
