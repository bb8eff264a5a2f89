"""Reviews of versions: given, read, signed; and how many an advisory's backports need."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backports.models import BackportVersion, Review, ReviewDraft
from backports.models.review import Verdict
from backports.services import reviewing, signing
from backports.services.reviewing import LONGEST, MOST_NEEDED, Said
from backports.web import downloads
from xsa.models import Advisory, User

from .advisories import advisories
from .base import Endpoint, Listing, ListQuery, NoQuery, Operation, Query, Single, Thing, narrowed
from .once import once
from .problems import answer
from .speaking import speaker
from .versions import secrets_of, versions


class ReviewSerializer(Thing):
    """An organisation's verdict on a version."""

    id = serializers.UUIDField()
    version = serializers.UUIDField(source="version_id")
    backport = serializers.UUIDField(source="version.backport_id")
    advisory = serializers.IntegerField(source="version.backport.advisory.number")
    organisation = serializers.UUIDField(source="organisation_id")
    organisation_name = serializers.CharField(source="organisation.name")
    made_at = serializers.DateTimeField()
    verdict = serializers.ChoiceField(Verdict.choices)
    text = serializers.CharField()
    tested_on = serializers.CharField(help_text="Branch and hardware.")
    files = serializers.ListField(child=serializers.CharField(), help_text="What it is about; empty: the whole series.")
    counts = serializers.SerializerMethodField(help_text="Whether it is by another organisation than the author's.")
    stale = serializers.SerializerMethodField(help_text="Whether the newest version changed what it is about.")
    stale_with = serializers.UUIDField(source="stale_with_id", allow_null=True, help_text="The version that did.")
    signature_state = serializers.ChoiceField(Review.SignatureState.choices, allow_blank=True)
    signer = serializers.CharField(help_text="The fingerprint of the key that signed it; empty: it is not signed.")
    signed = serializers.SerializerMethodField(help_text="The address of all that is needed to check it elsewhere.")

    def get_counts(self, row: Review) -> bool:
        """Towards the room's quorum."""
        return row.organisation_id != row.version.backport.organisation_id

    def get_stale(self, row: Review) -> bool:
        """As of the newest version."""
        return row.stale_with_id is not None

    def get_signed(self, row: Review) -> str | None:
        """None when it is not signed."""
        return reverse("api_signed_review", args=[row.pk]) if row.signature else None


class DraftSerializer(Thing):
    """A review that was not given, because a newer version took its version's place meanwhile."""

    id = serializers.UUIDField()
    version = serializers.UUIDField(source="version_id")
    newest = serializers.UUIDField(source="version.backport.current_id")
    made_at = serializers.DateTimeField()
    verdict = serializers.ChoiceField(Verdict.choices)
    text = serializers.CharField()
    tested_on = serializers.CharField()


class Reviewed(serializers.Serializer[Any]):
    """What a reviewer says."""

    verdict = serializers.ChoiceField(Verdict.choices)
    text = serializers.CharField(required=False, default="", allow_blank=True, max_length=LONGEST)
    tested_on = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)
    files = serializers.ListField(child=serializers.CharField(max_length=4096), required=False, max_length=1000)
    signature = serializers.CharField(
        required=False, default="", max_length=50_000, help_text="Over the text to sign: OpenPGP or SSH, detached."
    )
    organisation = serializers.UUIDField(required=False, help_text="Whose it is, for people of more than one.")


class ReviewQuery(ListQuery):
    """Which reviews."""

    advisory = serializers.IntegerField(required=False, min_value=0, max_value=10**9)
    backport = serializers.UUIDField(required=False)
    version = serializers.UUIDField(required=False)
    verdict = serializers.ChoiceField(Verdict.choices, required=False)
    stale = serializers.BooleanField(required=False)


COLUMNS = {
    "advisory": "version__backport__advisory__number",
    "backport": "version__backport",
    "version": "version",
    "verdict": "verdict",
}
TO_NUMBER = {"number": "version__backport__advisory__number", "branch": "version__backport__branch__name"}


def reviews(user: Any) -> QuerySet[Review]:
    """Those that the reader may see."""
    related = ("organisation", "version__backport__advisory__current", "version__backport__branch__repository")
    heavy = ("version__evidence", "version__compared", "version__hunk_keys")
    return narrowed(user, Review.objects.select_related(*related).defer(*heavy), **TO_NUMBER)


class Reviews(Listing):
    """Reviews, the latest first."""

    operations = {"GET": Operation(gives=ReviewSerializer, many=True, query=ReviewQuery)}
    order = ("-made_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Review]:  # noqa: ARG002
        found = reviews(self.request.user)
        if "stale" in query:
            found = found.filter(stale_with__isnull=not query["stale"])
        return found.filter(**{column: query[name] for name, column in COLUMNS.items() if name in query})

    def shows(self, rows: list[Any]) -> None:
        for row in rows:
            self.note([row.version.backport.advisory, *row.version.backport.prerequisites])


class OneReview(Single):
    """One review."""

    operations = {"GET": Operation(gives=ReviewSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Review:
        found = self.find(reviews(self.request.user), pk=kwargs["pk"])
        self.note([found.version.backport.advisory, *found.version.backport.prerequisites], found)
        return found


class SignedReview(Endpoint):
    """A signed review with its text, signature and patches, for `verify_review`."""

    operations = {"GET": Operation(media="text/plain")}

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        self.asked()
        row = self.find(reviews(request.user).exclude(signature=""), pk=kwargs["pk"])
        backport = row.version.backport
        self.note([backport.advisory, *backport.prerequisites], row)
        return signed_file(row)


def signed_file(row: Review) -> HttpResponse:
    """The file, as a download."""
    backport = row.version.backport
    secrets = secrets_of(backport)
    notes = tuple(note for one in secrets for note in downloads.embargo_notes(one))
    name = f"xsa{backport.advisory.number}-{backport.branch.name}-v{row.version.number}-review.json"
    return downloads.deliver(signing.review_file(row, notes), name, secrets=secrets)


class SignQuery(NoQuery):
    """What is going to be said."""

    verdict = serializers.ChoiceField(Verdict.choices)
    tested_on = serializers.CharField(required=False, default="", max_length=300)

    def validate_tested_on(self, value: str) -> str:
        """One line."""
        if not reviewing.one_line(value):
            raise serializers.ValidationError("Say in one line on what it was tested.")
        return value.strip()


class TextToSign(Endpoint):
    """The text that a signature of a review of this version is made over."""

    operations = {"GET": Operation("review", media="text/plain", query=SignQuery, problems=(422,))}

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        asked = self.asked()
        version = self.find(versions(request.user), pk=kwargs["pk"])
        self.note([version.backport.advisory, *version.backport.prerequisites], version)
        text = signing.text_to_sign(version, asked["verdict"], asked["tested_on"])
        return downloads.deliver(text.encode(), "review.txt", secrets=secrets_of(version.backport))


class VersionReviews(Endpoint):
    """Reviews a version."""

    operations = {
        "POST": Operation("review", gives=ReviewSerializer, takes=Reviewed, status=201, problems=(409, 422)),
    }

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Say what you think of it. 409: a newer version took its place, and what you said is kept as a draft."""
        actor = self.actor
        self.asked()
        version = self.find(versions(request.user), pk=kwargs["pk"])
        self.note([version.backport.advisory, *version.backport.prerequisites], version)
        values = self.body()
        content = repr(sorted((name, str(value)) for name, value in values.items())).encode()
        return once(
            request,
            actor,
            content,
            do=lambda: self._give(actor, version, values),
            again=lambda pk: self._shown(self.find(reviews(request.user), pk=pk)),
        )

    def _give(self, actor: User, version: BackportVersion, values: dict[str, Any]) -> tuple[UUID | None, Response]:
        organisation = speaker(actor, values.pop("organisation", None))
        row = reviewing.give(actor, version=version, organisation=organisation, said=Said(**values))
        if isinstance(row, ReviewDraft):
            return None, self._replaced(version)
        return row.pk, self._shown(self.find(reviews(self.request.user), pk=row.pk))

    def _replaced(self, version: BackportVersion) -> Response:
        newest = self.find(versions(self.request.user), backport=version.backport_id, pk=_newest(version))
        sentence = (
            f"v{newest.number} took the place of v{version.number} while you wrote. Your text is kept as a draft: "
            "look at what changed, and review the newer one."
        )
        where = {"Location": reverse("api_version", args=[newest.pk])}
        return answer(409, "replaced", sentence, headers=where)

    def _shown(self, row: Review) -> Response:
        body = ReviewSerializer(row, context={"user": self.request.user}).data
        return Response(body, status=201, headers={"Location": reverse("api_review", args=[row.pk])})


def _newest(version: BackportVersion) -> UUID:
    rows = BackportVersion.objects.filter(backport=version.backport_id)
    found: UUID = rows.order_by("-number").values_list("pk", flat=True)[0]
    return found


class Drafts(Listing):
    """Your own drafts of reviews."""

    operations = {"GET": Operation("review", gives=DraftSerializer, many=True, query=ListQuery)}
    order = ("-made_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[ReviewDraft]:  # noqa: ARG002
        rows = ReviewDraft.objects.select_related("advisory", "version__backport").filter(made_by=self.request.user.pk)
        return narrowed(self.request.user, rows, number="advisory__number", branch="version__backport__branch__name")

    def shows(self, rows: list[Any]) -> None:
        for row in rows:
            self.note([row.advisory, *row.version.backport.prerequisites])


class QuorumSerializer(Thing):
    """How many other organisations must approve a backport of the advisory."""

    advisory = serializers.IntegerField()
    needed = serializers.IntegerField(min_value=1, max_value=MOST_NEEDED)


class Needed(serializers.Serializer[Any]):
    """How many."""

    needed = serializers.IntegerField(min_value=1, max_value=MOST_NEEDED)


class AdvisoryQuorum(Single):
    """The quorum of an advisory's room."""

    operations = {
        "GET": Operation(gives=QuorumSerializer, query=Query),
        "PATCH": Operation("review", gives=QuorumSerializer, takes=Needed, problems=(422,)),
    }

    def row(self, **kwargs: Any) -> dict[str, int]:
        advisory = self._advisory(**kwargs)
        return {"advisory": advisory.number, "needed": reviewing.needed(advisory)}

    def _advisory(self, **kwargs: Any) -> Advisory:
        found = self.find(advisories(self.request.user), number=kwargs["number"])
        self.note([found], found)
        return found

    def patch(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        """Set it; for the security team."""
        actor, advisory = self.actor, self._advisory(**kwargs)
        values = self.body()
        self.demand_match(self.row(**kwargs))
        reviewing.set_quorum(actor, advisory=advisory, needed=values["needed"])
        return Response(self.represented(self.row(**kwargs)))
