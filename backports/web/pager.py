"""Lists of advisories by cursor: the number of an advisory, which is public anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import QuerySet
from django.http import QueryDict

from xsa.models import Advisory

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, newest first. `older` and `newer` are query strings of its neighbours, "" when there is none."""

    rows: list[T]
    older: str
    newer: str


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None


def _link(query: QueryDict, cursor: str, number: int) -> str:
    """The same page's query string with another cursor."""
    other = query.copy()
    for key in ("before", "after"):
        other.pop(key, None)
    other[cursor] = str(number)
    return "?" + other.urlencode()


def page_of(advisories: QuerySet[Advisory], query: QueryDict, size: int) -> Page[Advisory]:
    """The page that `before` or `after` names; a cursor that is no number is taken for none."""
    before, after = _whole(query.get("before")), _whole(query.get("after"))
    if after is not None and before is None:
        rows = list(advisories.filter(number__gt=after).order_by("number")[: size + 1])
        more_newer, more_older = len(rows) > size, True
        rows = rows[:size][::-1]
    else:
        ordered = advisories.order_by("-number")
        rows = list((ordered if before is None else ordered.filter(number__lt=before))[: size + 1])
        more_newer, more_older = before is not None, len(rows) > size
        rows = rows[:size]
    if not rows:
        return Page([], "", "")
    older = _link(query, "before", rows[-1].number) if more_older else ""
    newer = _link(query, "after", rows[0].number) if more_newer else ""
    return Page(rows, older, newer)
