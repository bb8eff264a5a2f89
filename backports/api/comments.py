"""Comments: about advisories, backports, and lines of versions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backports.models import Backport, Comment, CommentPlace
from backports.services import commenting, mentions
from backports.services.commenting import LONGEST, Where
from xsa.models import User
from xsa.visibility import sees_embargoed, visible_to

from .advisories import advisories
from .backports import backports
from .base import Endpoint, Listing, ListQuery, Operation, Query, Single, Thing, narrowed
from .once import once
from .speaking import speaker
from .versions import versions


class PlaceSerializer(Thing):
    """Where the line stands in one version; line 0: it went away with that one."""

    version = serializers.UUIDField(source="version_id")
    path = serializers.CharField()
    patch = serializers.IntegerField(help_text="Of the series, from 1.")
    file = serializers.IntegerField(help_text="Of the patch, from 1.")
    hunk = serializers.IntegerField(help_text="Of the file, from 1.")
    line = serializers.IntegerField(help_text="Of the hunk, from 1; 0: it is outdated.")
    file_line = serializers.IntegerField(help_text="Its number in the file.")
    old = serializers.BooleanField(help_text="Whether that is in the file before the patches.")


class CommentSerializer(Thing):
    """What somebody said in the name of an organisation."""

    id = serializers.UUIDField()
    advisory = serializers.IntegerField(source="advisory.number")
    backport = serializers.UUIDField(source="backport_id", allow_null=True)
    version = serializers.UUIDField(source="version_id", allow_null=True, help_text="Whose line it is about.")
    thread = serializers.UUIDField(source="thread_id", allow_null=True, help_text="The comment that it answers.")
    organisation = serializers.UUIDField(source="organisation_id")
    organisation_name = serializers.CharField(source="organisation.name")
    made_at = serializers.DateTimeField()
    kind = serializers.ChoiceField(Comment.Kind.choices)
    text = serializers.SerializerMethodField()
    quoted = serializers.JSONField(help_text="The lines around as they were: sign, text.")
    quoted_at = serializers.IntegerField(help_text="Which of them it is about, from 0.")
    places = serializers.SerializerMethodField(help_text="Where that line stands in each version since.")

    def get_text(self, row: Comment) -> str:
        """Outside the room a person is told by their organisation."""
        return mentions.told(row.text, row.mentions, inside=sees_embargoed(self.context["user"]))

    def get_places(self, row: Comment) -> list[dict[str, Any]]:
        """Oldest version first."""
        rows = sorted(row.places.all(), key=lambda one: one.version.number)
        return [dict(PlaceSerializer(one).data) for one in rows]


class CommentQuery(ListQuery):
    """Which comments."""

    advisory = serializers.IntegerField(required=False, min_value=0, max_value=10**9)
    backport = serializers.UUIDField(required=False)
    version = serializers.UUIDField(required=False)
    thread = serializers.UUIDField(required=False)


COLUMNS = {"advisory": "advisory__number", "backport": "backport", "version": "version", "thread": "thread"}


def comments(user: Any) -> QuerySet[Comment]:
    """Those that the reader may see."""
    rows = Comment.objects.select_related("advisory", "backport__branch", "organisation")
    return narrowed(user, rows, number="advisory__number", branch="backport__branch__name")


def _with_places(user: Any, rows: QuerySet[Comment]) -> QuerySet[Comment]:
    places = visible_to(user, CommentPlace.objects.select_related("version").defer("version__evidence"))
    return rows.prefetch_related(Prefetch("places", queryset=places))


class Comments(Listing):
    """Comments, oldest first."""

    operations = {"GET": Operation(gives=CommentSerializer, many=True, query=CommentQuery)}
    order = ("made_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Comment]:  # noqa: ARG002
        found = _with_places(self.request.user, comments(self.request.user))
        return found.filter(**{column: query[name] for name, column in COLUMNS.items() if name in query})

    def shows(self, rows: list[Any]) -> None:
        for row in rows:
            self.note([row.advisory, *(row.backport.prerequisites if row.backport else ())])


class OneComment(Single):
    """One comment."""

    operations = {"GET": Operation(gives=CommentSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Comment:
        found = self.find(_with_places(self.request.user, comments(self.request.user)), pk=kwargs["pk"])
        self.note([found.advisory, *(found.backport.prerequisites if found.backport else ())], found)
        return found


class Written(serializers.Serializer[Any]):
    """What is said."""

    text = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    organisation = serializers.UUIDField(required=False, help_text="Whose it is, for people of more than one.")


class WrittenOfLine(Written):
    """What is said of which line: by its place in the version's patches, or by its number in a file."""

    path = serializers.CharField(required=False, default="", max_length=4096, help_text="A file of the version.")
    line = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9, help_text="Its number.")
    old = serializers.BooleanField(default=False, help_text="The number is in the file before the patches.")
    place = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=10**9),
        required=False,
        default=list,
        min_length=4,
        max_length=4,
        help_text="Numbers of patch, file, hunk and line, from 1, instead of path and line.",
    )


class Answered(serializers.Serializer[Any]):
    """An answer, or a step that closes or opens a thread."""

    text = serializers.CharField(
        required=False, default="", max_length=LONGEST, allow_blank=True, trim_whitespace=False
    )
    kind = serializers.ChoiceField(Comment.Kind.choices, default=Comment.Kind.SAY)
    organisation = serializers.UUIDField(required=False, help_text="Whose it is, for people of more than one.")


class _Saying(Endpoint):
    """An address at which something is said."""

    def begin(self) -> None:
        """Who is not logged in is told so, whatever they ask for. Raises NotAuthenticated, Problem."""
        _ = self.actor
        self.asked()

    def said(self, request: Request, about: Any) -> Response:
        """Say it once, whatever was sent twice."""
        actor, values = self.actor, self.body()
        content = repr(sorted((name, str(value)) for name, value in values.items())).encode()
        return once(
            request,
            actor,
            content,
            do=lambda: self._do(actor, about, values),
            again=self._shown,
        )

    def _do(self, actor: User, about: Any, values: dict[str, Any]) -> tuple[UUID, Response]:
        organisation = speaker(actor, values.pop("organisation", None))
        row = self.work(actor, about, organisation=organisation, **values)
        return row.pk, self._shown(row.pk)

    def work(self, actor: User, about: Any, **values: Any) -> Comment:
        """What is done."""
        raise NotImplementedError

    def _shown(self, pk: UUID) -> Response:
        row = self.find(_with_places(self.request.user, comments(self.request.user)), pk=pk)
        body = CommentSerializer(row, context={"user": self.request.user}).data
        return Response(body, status=201, headers={"Location": reverse("api_comment", args=[row.pk])})


def _operation(takes: type[serializers.Serializer[Any]]) -> dict[str, Operation]:
    return {"POST": Operation("review", gives=CommentSerializer, takes=takes, status=201, problems=(422,))}


class AdvisoryComments(_Saying):
    """Says something about an advisory."""

    operations = _operation(Written)

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Begin a thread."""
        self.begin()
        advisory = self.find(advisories(request.user), number=kwargs["number"])
        self.note([advisory], advisory)
        return self.said(request, advisory)

    def work(self, actor: User, about: Any, **values: Any) -> Comment:
        return commenting.say(actor, advisory=about, **values)


class BackportComments(_Saying):
    """Says something about a backport."""

    operations = _operation(Written)

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Begin a thread."""
        self.begin()
        row: Backport = self.find(backports(request.user), pk=kwargs["pk"])
        self.note([row.advisory, *row.prerequisites], row)
        return self.said(request, row)

    def work(self, actor: User, about: Any, **values: Any) -> Comment:
        return commenting.say(actor, advisory=about.advisory, backport=about, **values)


class VersionComments(_Saying):
    """Says something about a line of a version."""

    operations = _operation(WrittenOfLine)

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Begin a thread."""
        self.begin()
        version = self.find(versions(request.user), pk=kwargs["pk"])
        self.note([version.backport.advisory, *version.backport.prerequisites], version)
        return self.said(request, version)

    def work(self, actor: User, about: Any, **values: Any) -> Comment:
        names = ("path", "line", "old")
        where = Where(tuple(values["place"]), *(values[name] for name in names))
        return commenting.say_of_line(
            actor, organisation=values["organisation"], version=about, where=where, text=values["text"]
        )


class Answers(_Saying):
    """Answers a comment, resolves its thread, or opens it again."""

    operations = _operation(Answered)

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Answer the first comment of a thread."""
        self.begin()
        row = self.find(comments(request.user).filter(thread=None), pk=kwargs["pk"])
        self.note([row.advisory, *(row.backport.prerequisites if row.backport else ())], row)
        return self.said(request, row)

    def work(self, actor: User, about: Any, **values: Any) -> Comment:
        return commenting.answer(actor, thread=about, **values)
