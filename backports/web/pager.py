"""Long lists by cursor: a value of the row that stands at the page's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

T = TypeVar("T", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, newest first. `older` and `newer` are query strings of its neighbours, "" when there is none."""

    rows: list[T]
    older: str
    newer: str


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None


def _link(query: QueryDict, cursor: str, value: object) -> str:
    """The same page's query string with another cursor."""
    other = query.copy()
    for key in ("before", "after"):
        other.pop(key, None)
    other[cursor] = str(value)
    return "?" + other.urlencode()


def page_of(
    things: QuerySet[T],
    query: QueryDict,
    size: int,
    *,
    order: str = "number",
    cursor: str = "number",
    find: Callable[[str | None], Any] = _whole,
) -> Page[T]:
    """The page that `before` or `after` names, highest `order` first.

    `cursor` is the column that stands in addresses, and `find` tells the order of what a reader gave for one; where
    that is None the cursor is taken for none. Without further words it is an advisory's number, which is public anyway.
    """
    before, after = find(query.get("before")), find(query.get("after"))
    if after is not None and before is None:
        rows = list(things.filter(**{f"{order}__gt": after}).order_by(order)[: size + 1])
        more_newer, more_older = len(rows) > size, True
        rows = rows[:size][::-1]
    else:
        ordered = things.order_by(f"-{order}")
        rows = list((ordered if before is None else ordered.filter(**{f"{order}__lt": before}))[: size + 1])
        more_newer, more_older = before is not None, len(rows) > size
        rows = rows[:size]
    if not rows:
        return Page([], "", "")
    older = _link(query, "before", getattr(rows[-1], cursor)) if more_older else ""
    newer = _link(query, "after", getattr(rows[0], cursor)) if more_newer else ""
    return Page(rows, older, newer)
