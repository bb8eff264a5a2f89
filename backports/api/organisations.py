"""Organisations: what everybody may know of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from xsa.models import Organisation

from .base import Listing, ListQuery, Operation, Query, Single, Thing


class OrganisationSerializer(Thing):
    """A company or project that shares this room; its name is public, its people and addresses are not."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    security_team = serializers.BooleanField(help_text="The one that runs the room.")


def organisations() -> QuerySet[Organisation]:
    """Those that are here."""
    return Organisation.objects.filter(left_at=None)


class Organisations(Listing):
    """Organisations by name."""

    operations = {"GET": Operation(gives=OrganisationSerializer, many=True, query=ListQuery)}
    order = ("name",)

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Organisation]:  # noqa: ARG002
        return organisations()


class OneOrganisation(Single):
    """One organisation."""

    operations = {"GET": Operation(gives=OrganisationSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Organisation:
        return self.find(organisations(), pk=kwargs["pk"])
