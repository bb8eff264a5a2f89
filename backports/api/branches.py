"""Branches of the mirrored repositories, upstream's and organisations' own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers

from backports.models import Branch
from xsa.visibility import own_organisations

from .base import Listing, ListQuery, Operation, Query, Single, Thing, narrowed


class BranchSerializer(Thing):
    """One maintained line of a repository."""

    id = serializers.UUIDField()
    repository = serializers.CharField(source="repository.name")
    project = serializers.CharField(source="repository.project", help_text="Which fixes are for it.")
    organisation = serializers.UUIDField(
        source="repository.organisation_id", allow_null=True, help_text="Who keeps it; null: upstream."
    )
    name = serializers.CharField()
    ref = serializers.CharField()
    tip = serializers.CharField()
    tip_date = serializers.DateTimeField()
    released = serializers.CharField(help_text="To the month or the day; empty: unknown.")
    bugfix_until = serializers.CharField()
    security_until = serializers.CharField()
    history_only = serializers.BooleanField(help_text="Shown, and never tried.")
    page = serializers.SerializerMethodField()

    def get_page(self, row: Branch) -> str:
        """For a browser."""
        return reverse("branch", args=[row.repository.name, row.name])


class BranchQuery(ListQuery):
    """Which branches."""

    repository = serializers.CharField(required=False, max_length=100)
    project = serializers.CharField(required=False, max_length=100)
    name = serializers.CharField(required=False, max_length=100)
    mine = serializers.BooleanField(required=False, help_text="Those that an organisation of yours keeps, or not.")


def branches(user: Any) -> QuerySet[Branch]:
    """Those that the reader may see."""
    rows = Branch.objects.filter(gone=False).select_related("repository")
    return narrowed(user, rows, branch="name")


class Branches(Listing):
    """Branches by repository, newest first."""

    operations = {"GET": Operation(gives=BranchSerializer, many=True, query=BranchQuery)}
    order = ("repository__name", "-rank", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Branch]:  # noqa: ARG002
        found = branches(self.request.user)
        for name, column in (("repository", "repository__name"), ("project", "repository__project"), ("name", "name")):
            found = found.filter(**{column: query[name]}) if name in query else found
        if "mine" in query:
            own = own_organisations(self.request.user)
            kept = {"repository__organisation__in": own}
            found = found.filter(**kept) if query["mine"] else found.exclude(**kept)
        return found


class OneBranch(Single):
    """One branch."""

    operations = {"GET": Operation(gives=BranchSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Branch:
        return self.find(branches(self.request.user), pk=kwargs["pk"])
