"""The matrix's filters: missing on a branch, outcome, date and text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from backports.models import Attempt, Branch
from xsa.models import Advisory

from .words import OUTCOMES, SETTLED

_NUMBER = re.compile(r"(?:xsa)?[- ]?(\d{1,9})", re.IGNORECASE)


Choice = tuple[str, str] | tuple[str, list[tuple[str, str]]]


class Narrows(Protocol):
    """A column that advisories can be missing in; `choice` names it among all, `own` is the repository of an
    organisation that keeps it.
    """

    @property
    def choice(self) -> str: ...

    @property
    def own(self) -> str: ...

    @property
    def branch(self) -> Branch: ...


class MatrixFilter(forms.Form):
    """What the reader wants to see of a matrix. All fields are optional."""

    text = forms.CharField(required=False, max_length=100, label="Number, title or CVE", strip=True)
    missing = forms.ChoiceField(required=False, label="Missing on")
    outcome = forms.ChoiceField(required=False, label="Outcome")
    since = forms.DateField(required=False, label="Disclosed from", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label="to", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Any, *, columns: Sequence[Narrows]) -> None:
        super().__init__(data, auto_id="filter-%s")
        self.columns = {column.choice: column.branch for column in columns}
        self.fields["text"].widget.input_type = "search"
        self._choose("missing", "any branch", _by_keeper(columns))
        self._choose("outcome", "any outcome", ((word.value, word.name) for word in OUTCOMES.values()))

    def _choose(self, name: str, empty: str, choices: Iterable[Choice]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", empty), *choices]

    def wanted(self) -> dict[str, Any]:
        """What was filled in and could be understood; a branch as itself."""
        self.is_valid()
        found = {name: value for name, value in self.cleaned_data.items() if value}
        return found | {"missing": self.columns[found["missing"]]} if "missing" in found else found


def _by_keeper(columns: Sequence[Narrows]) -> Iterator[Choice]:
    """Upstream's branches by their names, and those of each organisation's repository under its name."""
    for own, some in groupby(columns, key=lambda column: column.own):
        choices = [(column.choice, column.branch.name) for column in some]
        yield from [(own, choices)] if own else choices


def narrow(advisories: QuerySet[Advisory], cells: QuerySet[Attempt], wanted: dict[str, Any]) -> QuerySet[Advisory]:
    """The advisories that have one of the matrix's `cells` and fit the filters."""
    rows = advisories.filter(Exists(_fitting(cells.filter(advisory=OuterRef("pk")), wanted)))
    if "since" in wanted:
        rows = rows.filter(disclosed_at__date__gte=wanted["since"])
    if "until" in wanted:
        rows = rows.filter(disclosed_at__date__lte=wanted["until"])
    return search(rows, wanted["text"]) if "text" in wanted else rows


def _fitting(cells: QuerySet[Attempt], wanted: dict[str, Any]) -> QuerySet[Attempt]:
    if "missing" in wanted:
        cells = cells.filter(branch=wanted["missing"]).exclude(outcome__in=SETTLED)
    return cells.filter(outcome=wanted["outcome"]) if "outcome" in wanted else cells


def number_in(text: str) -> int | None:
    """The advisory's number that somebody looks for, or None when the text is no number."""
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found else None


def search(advisories: QuerySet[Advisory], text: str) -> QuerySet[Advisory]:
    """Advisories by number, by part of their title, or by part of a CVE's name."""
    rows = advisories.annotate(cve_text=Cast("current__cves", TextField()))
    found = Q(current__title__icontains=text) | Q(cve_text__icontains=text)
    number = number_in(text)
    return rows.filter(found if number is None else found | Q(number=number))
