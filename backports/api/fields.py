"""What every list and thing takes and gives: checked filters, and answers of the fields that were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from .problems import Problem

MOST, USUAL = 200, 50


class Thing(serializers.Serializer[Any]):
    """One noun as JSON; with `fields` in the context only those of its fields."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found = super().get_fields()
        wanted = self.context.get("fields")
        if not wanted or not self._is_asked_for():
            return found
        if unknown := [name for name in wanted if name not in found]:
            raise Problem(400, "unknown-field", f"There is no field “{unknown[0]}” here.", field="fields")
        return {name: field for name, field in found.items() if name in wanted}

    def _is_asked_for(self) -> bool:
        """Whether it is what the answer is about, and no part of it."""
        above = self.parent
        return above is None or (isinstance(above, serializers.ListSerializer) and above.parent is None)


class NoQuery(serializers.Serializer[Any]):
    """An address without parameters. What is not known is refused: a misspelt filter would filter nothing."""

    def to_internal_value(self, data: Mapping[str, Any]) -> Any:
        for name in data:
            if name not in self.fields:
                raise Problem(400, "unknown-parameter", "There is no such parameter here.", field=str(name)[:50])
        return super().to_internal_value(data)


class Query(NoQuery):
    """The parameters of an address that gives one thing."""

    fields_ = serializers.CharField(
        required=False,
        max_length=500,
        source="wanted",
        help_text="Names of fields, by commas: the answer has these alone.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a name of the framework's own, so that it is declared as `fields_`."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}

    def validate_fields(self, value: str) -> tuple[str, ...]:
        """The names; an empty list is every field."""
        return tuple(word for word in value.replace(" ", "").split(",") if word)


class ListQuery(Query):
    """The parameters of every list."""

    cursor = serializers.CharField(required=False, max_length=500, help_text="Where to go on: from `next`.")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, default=USUAL, help_text="How many at most."
    )
