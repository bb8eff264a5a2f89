"""Advisories, with the files of their versions."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from rest_framework import serializers

from backports.models import Attempt
from backports.web import filters, words
from xsa.models import Advisory, PatchFile

from .base import Listing, ListQuery, Operation, Query, Single, Thing, narrowed


class AdvisorySerializer(Thing):
    """One XSA as its current version tells of it."""

    number = serializers.IntegerField()
    embargoed = serializers.BooleanField(help_text="Not disclosed: for members who share its room.")
    disclosed_at = serializers.DateTimeField(allow_null=True)
    planned_disclosure_at = serializers.SerializerMethodField(help_text="A plan, while it is embargoed.")
    title = serializers.SerializerMethodField()
    cves = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField(help_text="0: what a repository's commits alone tell of it.")
    page = serializers.SerializerMethodField()

    def get_planned_disclosure_at(self, row: Advisory) -> str | None:
        """Nothing after the disclosure, when it is the room's own."""
        planned = row.planned_disclosure_at if row.embargoed else None
        return serializers.DateTimeField().to_representation(planned) if planned else None

    def get_title(self, row: Advisory) -> str:
        """As published."""
        return row.current.title if row.current else ""

    def get_cves(self, row: Advisory) -> list[str]:
        """As published."""
        return list(row.current.cves) if row.current else []

    def get_version(self, row: Advisory) -> int:
        """The newest that came in."""
        return row.current.number if row.current else 0

    def get_page(self, row: Advisory) -> str:
        """For a browser."""
        return reverse("advisory", args=[row.number])


class FileSerializer(Thing):
    """A file of an advisory as it came in."""

    id = serializers.UUIDField()
    version = serializers.IntegerField(source="version.number")
    name = serializers.CharField()
    kind = serializers.ChoiceField(PatchFile.Kind.choices)
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    raw = serializers.SerializerMethodField(help_text="The file, byte for byte.")

    def get_raw(self, row: PatchFile) -> str:
        """Its address, which takes tokens too."""
        return reverse("file", args=[row.pk])


class OneAdvisorySerializer(AdvisorySerializer):
    """One XSA with its files, and what may be done with them while it is embargoed."""

    deployment = serializers.SerializerMethodField(help_text="While embargoed: what may be deployed, in a sentence.")
    received_at = serializers.SerializerMethodField(help_text="When the current version came in.")
    files = serializers.SerializerMethodField()

    def get_deployment(self, row: Advisory) -> str:
        """Nothing once it is disclosed."""
        return words.deployment(row) if row.embargoed else ""

    def get_received_at(self, row: Advisory) -> str | None:
        """Not when the first one did."""
        return serializers.DateTimeField().to_representation(row.current.received_at) if row.current else None

    def get_files(self, row: Advisory) -> FileSerializer(many=True):  # type: ignore[valid-type] # for the schema
        """Newest version first; none for a token that is for some branches, which reads those branches' fixes."""
        if getattr(self.context["user"], "branches", ()):
            return []
        files = PatchFile.objects.filter(version__advisory=row).defer("data").select_related("version")
        return FileSerializer(files.order_by("-version__number", "name", "pk"), many=True).data


class AdvisoryQuery(ListQuery):
    """Which advisories."""

    text = serializers.CharField(required=False, max_length=100, help_text="A number, part of a title or of a CVE.")
    embargoed = serializers.BooleanField(required=False, help_text="Only embargoed ones, or only disclosed ones.")
    since = serializers.DateTimeField(required=False, help_text="Disclosed at or after.")
    until = serializers.DateTimeField(required=False, help_text="Disclosed before.")
    missing_on = serializers.CharField(
        required=False, max_length=100, help_text="A branch: what it lacks, as far as it was tried there."
    )


def advisories(user: Any) -> QuerySet[Advisory]:
    """Those that the reader may see."""
    return narrowed(user, Advisory.objects.select_related("current"), number="number")


def attempts(user: Any) -> QuerySet[Attempt]:
    """Those that the reader may see."""
    return narrowed(user, Attempt.objects.all(), number="advisory__number", branch="branch__name")


class Advisories(Listing):
    """Advisories, newest first."""

    operations = {"GET": Operation(gives=AdvisorySerializer, many=True, query=AdvisoryQuery)}
    order = ("-number",)

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Advisory]:  # noqa: ARG002
        found = advisories(self.request.user)
        if "embargoed" in query:
            found = found.filter(disclosed_at__isnull=query["embargoed"])
        if "since" in query:
            found = found.filter(disclosed_at__gte=query["since"])
        if "until" in query:
            found = found.filter(disclosed_at__lt=query["until"])
        if "missing_on" in query:
            cells = attempts(self.request.user).filter(current=True, branch__name=query["missing_on"])
            found = found.filter(Exists(cells.exclude(outcome__in=words.SETTLED).filter(advisory=OuterRef("pk"))))
        return filters.search(found, query["text"]) if query.get("text") else found

    def shows(self, rows: list[Any]) -> None:
        self.note(rows)


class OneAdvisory(Single):
    """One advisory."""

    operations = {"GET": Operation(gives=OneAdvisorySerializer, query=Query)}

    def row(self, **kwargs: Any) -> Advisory:
        found = self.find(advisories(self.request.user), number=kwargs["number"])
        self.note([found], found)
        return found
