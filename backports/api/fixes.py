"""Fixes: which patches of an advisory belong to which upstream branch."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet
from django.urls import reverse
from rest_framework import serializers

from xsa.models import Fix, FixPatch

from .advisories import advisories
from .base import Listing, ListQuery, Operation, Query, Single, Thing, narrowed


class FixPatchSerializer(Thing):
    """One patch of a fix: a file that came in, or a commit of a mirrored repository."""

    position = serializers.IntegerField()
    name = serializers.SerializerMethodField()
    sha256 = serializers.SerializerMethodField(help_text="Of the file; empty for a commit.")
    commit = serializers.CharField(help_text="Empty for a file.")
    repository = serializers.CharField(help_text="Where the commit is.")
    raw = serializers.SerializerMethodField(help_text="The file's address; null for a commit.")

    def get_name(self, row: FixPatch) -> str:
        """The file's, or nothing."""
        return row.file.name if row.file else ""

    def get_sha256(self, row: FixPatch) -> str:
        """Of the bytes at `raw`."""
        return row.file.sha256 if row.file else ""

    def get_raw(self, row: FixPatch) -> str | None:
        """It takes tokens too."""
        return reverse("file", args=[row.file_id]) if row.file_id else None


class FixSerializer(Thing):
    """The ordered patches of one advisory version that belong to one upstream branch."""

    id = serializers.UUIDField()
    advisory = serializers.IntegerField(source="version.advisory.number")
    version = serializers.IntegerField(source="version.number")
    branch = serializers.CharField()
    tree = serializers.CharField(help_text="The project whose repositories it is for.")
    origin = serializers.CharField(help_text="Where the assignment was read: resolution, meta, name, commit.")
    prerequisites = serializers.ListField(child=serializers.IntegerField(), help_text="Advisories that it builds on.")
    patches = FixPatchSerializer(many=True)
    mbox = serializers.SerializerMethodField(help_text="The commits as mail for `git am`; null where it is files.")

    def get_mbox(self, row: Fix) -> str | None:
        """It takes tokens too."""
        return reverse("fix", args=[row.pk]) if any(one.commit for one in row.patches.all()) else None


class FixQuery(ListQuery):
    """Which fixes."""

    branch = serializers.CharField(required=False, max_length=100)
    tree = serializers.CharField(required=False, max_length=100)


def fixes(user: Any) -> QuerySet[Fix]:
    """Those of current versions, and those that were found in repositories, as far as the reader may see them."""
    patches = Prefetch("patches", FixPatch.objects.select_related("file").defer("file__data").order_by("position"))
    rows = Fix.objects.filter(Q(version__advisory__current=F("version")) | Q(version__number=0))
    rows = rows.select_related("version__advisory").prefetch_related(patches)
    return narrowed(user, rows, number="version__advisory__number", branch="branch")


class Fixes(Listing):
    """An advisory's fixes."""

    operations = {"GET": Operation(gives=FixSerializer, many=True, query=FixQuery)}
    order = ("branch", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Fix]:
        advisory = self.find(advisories(self.request.user), number=kwargs["number"])
        self.note([advisory], advisory)
        wanted = {name: query[name] for name in ("branch", "tree") if name in query}
        return fixes(self.request.user).filter(version__advisory=advisory, **wanted)


class OneFix(Single):
    """One fix."""

    operations = {"GET": Operation(gives=FixSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Fix:
        found = self.find(fixes(self.request.user), pk=kwargs["pk"])
        self.note([found.version.advisory], found)
        return found
