"""Attempts: what the ladder found for an advisory on a branch, and its result to take away."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from backports.engine.result import Confidence, Outcome, Rung
from backports.export import mbox
from backports.models import Attempt
from backports.web import downloads, words
from backports.web.attempts import sentence

from . import advisories
from .base import Endpoint, Listing, ListQuery, NoQuery, Operation, Query, Single, Thing


class AttemptSerializer(Thing):
    """One run of the ladder: an advisory's fixes on a branch at a commit, with its outcome."""

    id = serializers.UUIDField()
    advisory = serializers.IntegerField(source="advisory.number")
    branch = serializers.CharField(source="branch.name")
    branch_id = serializers.UUIDField()
    repository = serializers.CharField(source="branch.repository.name")
    current = serializers.BooleanField(help_text="The newest of its advisory and branch.")
    state = serializers.ChoiceField(Attempt.State.choices)
    outcome = serializers.ChoiceField([one.value for one in Outcome], allow_blank=True, help_text="Empty: not done.")
    missing = serializers.SerializerMethodField(help_text="Whether there is something left to do on the branch.")
    rung = serializers.ChoiceField([one.value for one in Rung], allow_blank=True)
    fuzz = serializers.IntegerField(help_text="Lines of context given up.")
    confidence = serializers.ChoiceField([one.value for one in Confidence], allow_blank=True)
    hunks_landed = serializers.IntegerField()
    hunks_total = serializers.IntegerField()
    prerequisites = serializers.ListField(
        child=serializers.IntegerField(), help_text="Advisories on whose results it was made."
    )
    tip = serializers.CharField(help_text="The commit that it was tried on.")
    result = serializers.CharField(help_text="The commit that came of it; empty: nothing landed.")
    because = serializers.CharField()
    sentence = serializers.SerializerMethodField(help_text="The verdict.")
    problem_code = serializers.CharField()
    problem = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    mbox = serializers.SerializerMethodField(help_text="The result as mail for `git am`; null: there is none.")
    patch = serializers.SerializerMethodField(help_text="The result as a bare diff; null: there is none.")
    page = serializers.SerializerMethodField()

    def get_missing(self, row: Attempt) -> bool:
        """Not where upstream or nothing needs fixing."""
        return row.outcome not in words.SETTLED

    def get_sentence(self, row: Attempt) -> str:
        """As the page has it."""
        return sentence(row)

    def get_mbox(self, row: Attempt) -> str | None:
        """Its address."""
        return reverse("api_attempt_mbox", args=[row.pk]) if downloads.offered(row) else None

    def get_patch(self, row: Attempt) -> str | None:
        """Its address."""
        return reverse("api_attempt_patch", args=[row.pk]) if downloads.offered(row) else None

    def get_page(self, row: Attempt) -> str:
        """For a browser."""
        return reverse("attempt", args=[row.pk])


class OneAttemptSerializer(AttemptSerializer):
    """An attempt with the grounds of its outcome."""

    reasons = serializers.ListField(child=serializers.JSONField())
    evidence = serializers.JSONField(help_text="Per patch, file and hunk where it landed, or why it did not.")


class AttemptQuery(ListQuery):
    """Which attempts."""

    advisory = serializers.IntegerField(required=False, min_value=0, max_value=10**9)
    repository = serializers.CharField(required=False, max_length=100)
    branch = serializers.CharField(required=False, max_length=100, help_text="A branch's name.")
    outcome = serializers.ChoiceField([one.value for one in Outcome], required=False)
    confidence = serializers.ChoiceField([one.value for one in Confidence], required=False)
    current = serializers.BooleanField(required=False, default=True, help_text="Only current ones, unless false.")
    missing = serializers.BooleanField(
        required=False, help_text="Only where something is left to do, or only where not."
    )


COLUMNS = {
    "advisory": "advisory__number",
    "repository": "branch__repository__name",
    "branch": "branch__name",
    "outcome": "outcome",
    "confidence": "confidence",
}


def attempts(user: Any) -> QuerySet[Attempt]:
    """Those that the reader may see, with what their answers show."""
    return advisories.attempts(user).select_related("advisory__current", "branch__repository")


class Attempts(Listing):
    """Attempts, of the newest advisories first."""

    operations = {"GET": Operation(gives=AttemptSerializer, many=True, query=AttemptQuery)}
    order = ("-advisory__number", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Attempt]:  # noqa: ARG002
        found = attempts(self.request.user).defer("evidence", "paths", "reasons")
        found = found.filter(**{column: query[name] for name, column in COLUMNS.items() if name in query})
        found = found.filter(current=True) if query["current"] else found
        if "missing" in query:
            found = found.exclude(outcome__in=words.SETTLED) if query["missing"] else _settled(found)
        return found

    def shows(self, rows: list[Any]) -> None:
        for row in rows:
            self.note([row.advisory, *row.prerequisites])


def _settled(rows: QuerySet[Attempt]) -> QuerySet[Attempt]:
    return rows.filter(outcome__in=words.SETTLED)


class OneAttempt(Single):
    """One attempt with its evidence."""

    operations = {"GET": Operation(gives=OneAttemptSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Attempt:
        found = self.find(attempts(self.request.user), pk=kwargs["pk"])
        self.note([found.advisory, *found.prerequisites], found)
        return found


class _Result(Endpoint):
    """An attempt's result as a file; what is embargoed in it stands at its top."""

    operations = {"GET": Operation(query=NoQuery, media="text/plain")}
    suffix = ""

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG002
        self.asked()
        attempt = self.find(attempts(self.request.user), pk=kwargs["pk"])
        self.note([attempt.advisory, *attempt.prerequisites], attempt)
        if not downloads.offered(attempt):
            raise Http404
        data = self.made(downloads.patches_of(attempt), downloads.notes(attempt))
        name = f"{downloads.stem(attempt)}.{self.suffix}"
        return downloads.deliver(data, name, secrets=downloads.secrets_in([attempt]))

    def made(self, patches: list[bytes], notes: tuple[str, ...]) -> bytes:
        """The file of these patches."""
        raise NotImplementedError


class AttemptMbox(_Result):
    """The result as mail for `git am`."""

    suffix = "mbox"

    def made(self, patches: list[bytes], notes: tuple[str, ...]) -> bytes:  # noqa: ARG002 - each patch has them
        return mbox.as_mbox(patches)


class AttemptPatch(_Result):
    """The result as bare diffs in order, for `git apply` and `patch -p1`."""

    suffix = "patch"

    def made(self, patches: list[bytes], notes: tuple[str, ...]) -> bytes:
        return mbox.as_diff(patches, notes)
