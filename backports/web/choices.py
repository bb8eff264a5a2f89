"""What a form's fields offer, where the page has the rows at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Model
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class Select(forms.Select):
    """A list to choose from, without groups, drawn at once: the framework's own takes a template for each option."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: Mapping[str, Any] | None = None,
        renderer: Any = None,  # noqa: ARG002 - forms name it
    ) -> SafeString:
        chosen = set(self.format_value(value))
        options = ((key, " selected" if str(key) in chosen else "", label) for key, label in self.choices)
        drawn = format_html_join("\n", '<option value="{}"{}>{}</option>', options)
        return format_html("<select{}>{}</select>", flatatt(self.build_attrs({"name": name}, dict(attrs or {}))), drawn)


def settle(field: Any, rows: Iterable[Model], told: Callable[[Any], str] = str) -> None:
    """Offer these rows of a ModelChoiceField's queryset without asking for them, once for each time it is drawn.

    What is sent is still looked up in the queryset.
    """
    field.choices = [(row.pk, told(row)) for row in rows]
