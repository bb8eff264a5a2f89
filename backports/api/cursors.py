"""Long lists by cursor: where the last page ended, and no totals, which would tell of what a reader does not see."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.http import QueryDict

from .problems import Problem

T = TypeVar("T", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and the cursor of what follows ("" at its end)."""

    rows: list[T]
    cursor: str


def page_of(rows: QuerySet[T], order: Sequence[str], *, cursor: str, limit: int) -> Page[T]:
    """The `limit` rows behind `cursor` in `order`: columns that together are one of a kind, "-" for descending.

    Raises Problem for a cursor that is none of ours.
    """
    if cursor:
        rows = rows.filter(_behind(rows.model, order, _read(cursor, len(order))))
    found = list(rows.order_by(*order)[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return Page(found, _write(found[-1], order) if more else "")


def next_address(path: str, query: QueryDict, cursor: str) -> str | None:
    """The address of the next page; None at the end."""
    if not cursor:
        return None
    other = query.copy()
    other["cursor"] = cursor
    return f"{path}?{other.urlencode()}"


def _behind(model: type[Model], order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after these values: later in the first column that differs."""
    found, same = Q(), Q()
    for column, value in zip(order, values, strict=True):
        name = column.lstrip("-")
        known = _value(_field(model, name), value)
        found |= same & Q(**{f"{name}__{'lt' if column.startswith('-') else 'gt'}": known})
        same &= Q(**{name: known})
    return found


def _field(model: type[Model], path: str) -> Field[Any, Any]:
    *steps, last = path.split("__")
    for step in steps:
        related = model._meta.get_field(step).related_model
        if not isinstance(related, type):
            raise FieldDoesNotExist(path)
        model = related
    field = model._meta.get_field(last)
    assert isinstance(field, Field)  # noqa: S101 - the endpoints name columns
    return field


def _value(field: Field[Any, Any], value: Any) -> Any:
    try:
        return field.to_python(value)
    except ValidationError:
        raise _bad() from None


def _write(row: Model, order: Sequence[str]) -> str:
    values = [str(_read_path(row, column.lstrip("-"))) for column in order]
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_path(row: Any, path: str) -> Any:
    for step in path.split("__"):
        row = getattr(row, step)
    return row


def _read(cursor: str, length: int) -> list[str]:
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise _bad() from None
    if not isinstance(found, list) or len(found) != length:
        raise _bad()
    if any(not isinstance(one, str) or "\0" in one or not one.isprintable() for one in found):
        raise _bad()
    return found


def _bad() -> Problem:
    return Problem(400, "bad-cursor", "This cursor is none of ours: take it from the list's `next`.", field="cursor")
