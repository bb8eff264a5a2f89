"""Members' backports: uploaded, judged at once, shared and withdrawn."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backports.models import Backport, Branch
from backports.services import sharing
from xsa.models import Advisory
from xsa.permissions import can_backport, demand
from xsa.visibility import own_organisations

from .advisories import advisories
from .base import Listing, ListQuery, Operation, Query, Single, Thing, narrowed
from .branches import branches
from .problems import Problem
from .versions import VersionSerializer


class BackportSerializer(Thing):
    """An organisation's patch series for one advisory on one branch."""

    id = serializers.UUIDField()
    advisory = serializers.IntegerField(source="advisory.number")
    branch = serializers.CharField(source="branch.name")
    branch_id = serializers.UUIDField()
    repository = serializers.CharField(source="branch.repository.name")
    organisation = serializers.UUIDField(source="organisation_id")
    life = serializers.ChoiceField(Backport.Life.choices)
    members_only_later = serializers.BooleanField(help_text="Whether it stays with the room after the disclosure.")
    shared_at = serializers.DateTimeField(allow_null=True)
    superseded_by = serializers.UUIDField(source="superseded_by_id", allow_null=True)
    withdrawn_because = serializers.CharField()
    prerequisites = serializers.ListField(
        child=serializers.IntegerField(), help_text="Further advisories whose content is in it."
    )
    started_at = serializers.DateTimeField()
    current = VersionSerializer(allow_null=True, help_text="The newest version with its verdict.")
    versions = serializers.SerializerMethodField(help_text="The address of all versions.")

    def get_versions(self, row: Backport) -> str:
        """Newest first."""
        return reverse("api_versions", args=[row.pk])


class BackportQuery(ListQuery):
    """Which backports."""

    advisory = serializers.IntegerField(required=False, min_value=0, max_value=10**9)
    repository = serializers.CharField(required=False, max_length=100)
    branch = serializers.CharField(required=False, max_length=100)
    organisation = serializers.UUIDField(required=False)
    life = serializers.ChoiceField(Backport.Life.choices, required=False)
    mine = serializers.BooleanField(required=False, help_text="Those of an organisation of yours, or of others.")


COLUMNS = {
    "advisory": "advisory__number",
    "repository": "branch__repository__name",
    "branch": "branch__name",
    "organisation": "organisation",
    "life": "life",
}


def backports(user: Any) -> QuerySet[Backport]:
    """Those that the reader may see."""
    rows = Backport.objects.select_related("advisory", "branch__repository", "current", "organisation")
    return narrowed(user, rows, number="advisory__number", branch="branch__name")


class Backports(Listing):
    """Backports, of the newest advisories first."""

    operations = {"GET": Operation(gives=BackportSerializer, many=True, query=BackportQuery)}
    order = ("-advisory__number", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Backport]:  # noqa: ARG002
        found = backports(self.request.user)
        found = found.filter(**{column: query[name] for name, column in COLUMNS.items() if name in query})
        if "mine" not in query:
            return found
        own = {"organisation__in": own_organisations(self.request.user)}
        return found.filter(**own) if query["mine"] else found.exclude(**own)

    def shows(self, rows: list[Any]) -> None:
        for row in rows:
            self.note([row.advisory, *row.prerequisites])


class Change(serializers.Serializer[Any]):
    """What may be changed of a backport: one step of its life, or who sees it later."""

    life = serializers.ChoiceField([Backport.Life.SHARED, Backport.Life.WITHDRAWN], required=False)
    because = serializers.CharField(required=False, max_length=500, help_text="Why it is withdrawn.")
    members_only_later = serializers.BooleanField(required=False)
    superseded_by = serializers.UUIDField(required=False, help_text="A shared backport that takes its place.")


class OneBackport(Single):
    """One backport."""

    operations = {
        "GET": Operation(gives=BackportSerializer, query=Query),
        "PATCH": Operation("upload", gives=BackportSerializer, takes=Change, problems=(422,)),
    }

    def row(self, **kwargs: Any) -> Backport:
        found = self.find(backports(self.request.user), pk=kwargs["pk"])
        self.note([found.advisory, *found.prerequisites], found)
        return found

    def patch(self, request: Request, **kwargs: Any) -> Response:
        """Share it, keep it among members, say what takes its place, or withdraw it."""
        actor, change = self.actor, self.body()
        demand(can_backport(actor, self.row(**kwargs).organisation))
        row = self.find(backports(request.user).select_for_update(of=("self",)), pk=kwargs["pk"])
        self.demand_match(row)
        if "members_only_later" in change:
            sharing.keep_among_members(actor, backport=row, members_only=change["members_only_later"])
        if change.get("life") == Backport.Life.SHARED:
            sharing.share(actor, backport=row)
        if change.get("life") == Backport.Life.WITHDRAWN:
            sharing.withdraw(actor, backport=row, because=change.get("because", ""))
        if "superseded_by" in change:
            other = backports(request.user).filter(pk=change["superseded_by"]).first()
            if other is None:
                raise Problem(422, "no-backport", "There is no such backport.", field="superseded_by")
            sharing.supersede(actor, backport=row, by=other)
        return Response(self.represented(self.row(**kwargs)))


def place(user: Any, number: int, name: str, repository: str) -> tuple[QuerySet[Advisory], Branch | None]:
    """The advisory of that number, and the branch of that name: an own one before upstream's, where none is named.

    Raises Problem where more than one fits.
    """
    rows = branches(user).filter(name=name)
    rows = rows.filter(repository__name=repository) if repository else rows
    for part in (rows.filter(repository__organisation__in=own_organisations(user)), rows):
        found = list(part.order_by("repository__name")[:3])
        if len(found) == 1:
            return advisories(user).filter(number=number), found[0]
        if found:
            names = ", ".join(one.repository.name for one in found)
            raise Problem(409, "which-repository", f"Name the repository: {names}.", field="repository")
    return advisories(user).filter(number=number), None
