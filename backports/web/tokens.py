"""API tokens' page: the reader's own and those of the organisations that they administer; made once, ended for good."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from xsa.identity import is_cleared
from xsa.models import ApiToken, Organisation
from xsa.permissions import can_end_token, can_make_robot, can_make_token, demand
from xsa.services.tokens import CannotMakeToken, create_token, end_token, tokens_of
from xsa.visibility import visible_advisories

from .actor import actor
from .factor import ask_again, fresh_factor
from .seen import note

PERSON = ("person", "a script of mine")
DAYS = ((7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year"))
VERBS = {"read": "read", "upload": "upload backports", "review": "review", "check": "report checks"}
_NUMBER = re.compile(r"(?:XSA-)?(\d{1,6})", re.IGNORECASE | re.ASCII)


class NewToken(forms.Form):
    """What a token is for. Nothing embargoed is, unless it is said here."""

    name = forms.CharField(max_length=100, label="Name", help_text="What uses it, so that you know it again.")
    organisation = forms.ModelChoiceField(Organisation.objects.none(), label="For", empty_label=None)
    kind = forms.ChoiceField(label="Used by", choices=[PERSON, ("robot", "a robot")])
    verbs = forms.MultipleChoiceField(
        label="May",
        choices=list(VERBS.items()),
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )
    advisories = forms.CharField(
        required=False, max_length=500, label="Advisories", help_text="Numbers, such as 456, 457. Empty: any."
    )
    branches = forms.CharField(
        required=False, max_length=500, label="Branches", help_text="Names, such as 4.11, 4.12. Empty: any."
    )
    embargoed = forms.BooleanField(
        required=False,
        label="Embargoed material too",
        help_text="Of the advisories named above only. The token ends with their embargo.",
    )
    days = forms.TypedChoiceField(label="Ends after", choices=DAYS, coerce=int, initial=30)

    def __init__(self, data: Any, *, person: Any) -> None:
        super().__init__(data, auto_id="token-%s")
        field = self.fields["organisation"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - said above
        field.queryset = Organisation.objects.filter(memberships__user=person).distinct()
        if not (answer := can_make_robot(person)):
            self.fields["kind"] = forms.ChoiceField(label="Used by", choices=[PERSON], help_text=answer.reason)

    def clean_advisories(self) -> list[int]:
        found = [(word, _NUMBER.fullmatch(word)) for word in _words(self.cleaned_data["advisories"])]
        for word, number in found:
            if number is None:
                raise forms.ValidationError(f"“{word}” is no advisory's number.", code="no-number")
        return [int(number[1]) for _, number in found if number]

    def clean_branches(self) -> list[str]:
        return [word[:100] for word in _words(self.cleaned_data["branches"])]


def _words(text: str) -> list[str]:
    return text.replace("\0", "").replace(",", " ").split()


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """The tokens; a new one's secret is in the answer to the form that makes it, and nowhere else."""
    may = can_make_token(request.user)
    form = NewToken(request.POST if request.method == "POST" else None, person=actor(request))
    if request.method != "POST":
        return _page(request, form)
    demand(may)
    if not fresh_factor(request):
        return ask_again(request)
    made = _make(request, form) if form.is_valid() else None
    return _page(request, NewToken(None, person=actor(request)), *made) if made else _page(request, form, status=422)


def _make(request: HttpRequest, form: NewToken) -> tuple[ApiToken, str] | None:
    """The token and its secret; None, with what is wrong in the form, when there cannot be one."""
    values = dict(form.cleaned_data)
    expires_at = timezone.now() + timedelta(days=values.pop("days"))
    try:
        return create_token(actor(request), expires_at=expires_at, **values)
    except CannotMakeToken as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None


def _page(
    request: HttpRequest, form: NewToken, made: ApiToken | None = None, secret: str = "", *, status: int = 200
) -> HttpResponse:
    tokens = tokens_of(actor(request))
    seen = advisories_of(request, tokens)
    note(request, seen)
    context = {
        "rows": [_row(request, token, seen) for token in tokens],
        "form": form,
        "may": can_make_token(request.user),
        "made": made,
        "secret": secret,
    }
    return render(request, "tokens/list.html", context, status=status)


def advisories_of(request: HttpRequest, tokens: Iterable[ApiToken]) -> dict[int, datetime | None]:
    """The advisories that tokens name, of those that the reader may see, and when each was disclosed."""
    named = {number for token in tokens for number in token.advisories}
    return dict(visible_advisories(request.user).filter(number__in=named).values_list("number", "disclosed_at"))


def _row(request: HttpRequest, token: ApiToken, seen: Mapping[int, datetime | None]) -> dict[str, Any]:
    """A token as the table shows it, with those of its advisories that the reader may see."""
    over = embargo_is_over(request, token, seen)
    live = not over and token.ended_at is None and token.expires_at > timezone.now()
    return {
        "token": token,
        "live": live,
        "over": over,
        "may": can_end_token(actor(request), token) if live else None,
        "verbs": ", ".join(VERBS[verb] for verb in token.verbs if verb in VERBS),
        "numbers": [number for number in token.advisories if number in seen],
        "hidden": sum(number not in seen for number in token.advisories),
    }


def embargo_is_over(request: HttpRequest, token: ApiToken, seen: Mapping[int, datetime | None]) -> bool:
    """Whether a token of the reader's own ended with the embargo; of others' the reader may not know."""
    own = token.user_id == request.user.pk and is_cleared(request.user)
    return own and token.embargoed and all(seen.get(number, True) for number in token.advisories)


@require_POST
@login_required
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a token now."""
    token = next((one for one in tokens_of(actor(request)) if one.pk == pk), None)
    if token is None:
        raise Http404
    demand(can_end_token(actor(request), token))
    end_token(actor(request), token=token)
    messages.success(request, "The token is ended.")
    return redirect("tokens")
