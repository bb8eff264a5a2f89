"""In whose name a form speaks: those of the reader's organisations that may."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from xsa.models import Advisory, Organisation
from xsa.permissions import Answer, can_take_part
from xsa.visibility import speaking_for

from .choices import settle


def speakers(request: HttpRequest, advisory: Advisory) -> list[Organisation]:
    """The reader's organisations that take part in the advisory's room."""
    return [one for one in speaking_for(request.user) if can_take_part(request.user, one, advisory)]


def why_not(request: HttpRequest, advisory: Advisory) -> Answer:
    """Whether somebody may speak who belongs to no organisation, or to one that may not."""
    return can_take_part(request.user, next(iter(speaking_for(request.user)), Organisation()), advisory)


class SpeakerForm(forms.Form):
    """A form with the organisation that speaks; hidden where there is one alone."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), empty_label=None, label="In the name of")

    def __init__(self, data: Any = None, *, speakers: list[Organisation], **options: Any) -> None:
        super().__init__(data, **options)
        field: Any = self.fields["organisation"]
        field.queryset = Organisation.objects.filter(pk__in=[one.pk for one in speakers])
        settle(field, speakers)
        if len(speakers) == 1:
            field.widget, field.initial = forms.HiddenInput(), speakers[0].pk
