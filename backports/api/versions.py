"""Versions of backports, each with the server's verdict, and their patches to take away."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from backports.engine.result import Confidence, Outcome, Rung
from backports.export import mbox
from backports.models import Backport, BackportVersion
from backports.models.upload import CameBy
from backports.web import downloads
from xsa.models import Advisory

from .base import Endpoint, Listing, ListQuery, Operation, Query, Single, Thing, narrowed


class VersionSerializer(Thing):
    """A backport's content as it came in once, and the verdict on it."""

    id = serializers.UUIDField()
    backport = serializers.UUIDField(source="backport_id")
    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="Of the patches in order, in whatever they were packed.")
    made_at = serializers.DateTimeField()
    came_by = serializers.ChoiceField(CameBy.choices)
    note = serializers.CharField()
    base = serializers.CharField(help_text="The commit of the branch that it was tried on.")
    outcome = serializers.ChoiceField([one.value for one in Outcome])
    rung = serializers.ChoiceField([one.value for one in Rung], allow_blank=True)
    confidence = serializers.ChoiceField([one.value for one in Confidence], allow_blank=True)
    hunks_landed = serializers.IntegerField()
    hunks_total = serializers.IntegerField()
    result = serializers.CharField(help_text="The commit that came of it; empty: nothing landed.")
    problem_code = serializers.CharField()
    problem = serializers.CharField()
    notes = serializers.ListField(child=serializers.JSONField(), help_text="What is odd about it: code, sentence.")
    marks = serializers.ListField(child=serializers.JSONField(), help_text="Characters that look like something else.")
    duration_ms = serializers.IntegerField(help_text="How long the verdict took.")
    patch = serializers.SerializerMethodField(help_text="The patches as they came, one after another.")
    checks = serializers.SerializerMethodField(help_text="The address of its checks.")

    def get_patch(self, row: BackportVersion) -> str:
        """Its address."""
        return reverse("api_version_patch", args=[row.pk])

    def get_checks(self, row: BackportVersion) -> str:
        """Its address."""
        return reverse("api_checks", args=[row.pk])


class OneVersionSerializer(VersionSerializer):
    """A version with the grounds of its verdict."""

    compared = serializers.JSONField(help_text="Hunk by hunk how it differs from the official fix.")
    evidence = serializers.JSONField(help_text="Per patch, file and hunk where it landed, or why it did not.")


def versions(user: Any) -> QuerySet[BackportVersion]:
    """Those that the reader may see."""
    rows = BackportVersion.objects.select_related("backport__advisory__current", "backport__branch")
    return narrowed(user, rows, number="backport__advisory__number", branch="backport__branch__name")


class Versions(Listing):
    """A backport's versions, newest first."""

    operations = {"GET": Operation(gives=VersionSerializer, many=True, query=ListQuery)}
    order = ("-number",)

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[BackportVersion]:  # noqa: ARG002
        seen = narrowed(self.request.user, Backport.objects.all(), number="advisory__number", branch="branch__name")
        row = self.find(seen.select_related("advisory"), pk=kwargs["pk"])
        self.note([row.advisory, *row.prerequisites], row)
        return versions(self.request.user).filter(backport=row).defer("evidence", "compared")


class OneVersion(Single):
    """One version with its evidence."""

    operations = {"GET": Operation(gives=OneVersionSerializer, query=Query)}

    def row(self, **kwargs: Any) -> BackportVersion:
        found = self.find(versions(self.request.user), pk=kwargs["pk"])
        self.note([found.backport.advisory, *found.backport.prerequisites], found)
        return found


class VersionPatch(Endpoint):
    """The patches of a version as they came, one after another; what is embargoed stands at their top."""

    operations = {"GET": Operation(media="text/plain")}

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG002
        self.asked()
        version = self.find(versions(self.request.user), pk=kwargs["pk"])
        backport = version.backport
        self.note([backport.advisory, *backport.prerequisites], version)
        secrets = secrets_of(backport)
        notes = tuple(note for one in secrets for note in downloads.embargo_notes(one))
        patches = [mbox.with_notes(bytes(one.data), notes) for one in version.patches.order_by("position")]
        name = f"xsa{backport.advisory.number}-{backport.branch.name}-v{version.number}.patch"
        return downloads.deliver(mbox.as_mbox(patches), name, secrets=secrets)


def secrets_of(backport: Backport) -> list[Advisory]:
    """The embargoed advisories whose content is in it."""
    numbers = {backport.advisory.number, *backport.prerequisites}
    rows = Advisory.objects.filter(number__in=numbers, disclosed_at=None).select_related("current")
    return list(rows.order_by("number"))
