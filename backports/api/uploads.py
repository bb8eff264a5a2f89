"""Files that members send, and what became of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from rest_framework import serializers
from rest_framework.parsers import BaseParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from backports.engine.intake import MAX_UPLOAD
from backports.models import Attempt, BackportVersion, Branch, Upload
from backports.models.upload import CameBy
from backports.services import receiving
from backports.web.held import HeldInMemory
from xsa.models import Advisory, User

from .advisories import advisories, attempts
from .backports import BackportSerializer, backports, place
from .base import Endpoint, Listing, ListQuery, NoQuery, Operation, Query, Single, Thing
from .branches import branches
from .once import once
from .own_uploads import uploads
from .problems import Problem, answer
from .speaking import speaker
from .versions import VersionSerializer, versions


class UploadSerializer(Thing):
    """Bytes as somebody sent them; for the organisation, and until it is said what they are for, for that person."""

    id = serializers.UUIDField()
    organisation = serializers.UUIDField(source="organisation_id")
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    made_at = serializers.DateTimeField()
    came_by = serializers.ChoiceField(CameBy.choices)
    advisory = serializers.SerializerMethodField(help_text="The number; null: nobody said yet.")
    branch = serializers.UUIDField(source="branch_id", allow_null=True)
    proposal = serializers.JSONField(help_text="Which advisories and branches it may be for, and why.")
    problem_code = serializers.CharField(help_text="Why no version was made of it; empty: it can be read.")
    problem = serializers.CharField()

    def get_advisory(self, row: Upload) -> int | None:
        """What it was sent for."""
        return row.advisory.number if row.advisory else None


class ReceivedSerializer(Thing):
    """What came of an upload: the version with its verdict, made now or there already."""

    created = serializers.BooleanField(help_text="False: the same content was there.")
    upload = serializers.UUIDField()
    backport = BackportSerializer()
    version = VersionSerializer()


class Sent(serializers.Serializer[Any]):
    """A file, and where it comes from."""

    patch = serializers.FileField(help_text=f"A patch, an mbox, a tar or quilt series; at most {MAX_UPLOAD} bytes.")
    organisation = serializers.UUIDField(required=False, help_text="Whose it is, for people of more than one.")


class SentFor(Sent):
    """A file for an advisory on a branch, and what it derives from."""

    note = serializers.CharField(required=False, max_length=2000)
    from_attempt = serializers.UUIDField(required=False, help_text="The attempt whose result it began with.")
    from_version = serializers.UUIDField(required=False, help_text="The version that it began with.")


class Where(serializers.Serializer[Any]):
    """What an upload is for."""

    advisory = serializers.IntegerField(min_value=0, max_value=10**9)
    branch = serializers.UUIDField(help_text="The branch's id.")
    note = serializers.CharField(required=False, max_length=2000)
    from_attempt = serializers.UUIDField(required=False)
    from_version = serializers.UUIDField(required=False)


class PlaceQuery(NoQuery):
    """Where the branch is, when several repositories have one of that name."""

    repository = serializers.CharField(required=False, max_length=100)


class TakesFiles(Endpoint):
    """An address that takes files by multipart/form-data."""

    parser_classes: tuple[type[BaseParser], ...] = (MultiPartParser,)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """Before anything reads the body: the check against forgery does."""
        self.handler = HeldInMemory(request)
        if request.method == "POST":
            request.upload_handlers = [self.handler]
        return super().initialize_request(request, *args, **kwargs)

    def sent(self) -> dict[str, Any]:
        """The form, with the file as `name` and `data`. Raises ValidationError and Problem."""
        operation = self.operations["POST"]
        assert operation.takes is not None  # noqa: S101 - it takes a file
        given = operation.takes(data=self.request.data)
        if self.handler.too_large:
            raise Problem(413, "too-large", f"A file has at most {MAX_UPLOAD} bytes.", field="patch")
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        file = values.pop("patch")
        return values | {"name": file.name, "data": file.read()}

    def origin(self, values: dict[str, Any]) -> receiving.Origin:
        """What it derives from, of what the reader may see. Raises Problem."""
        attempt = _named(attempts(self.request.user), values, "from_attempt")
        version = _named(versions(self.request.user), values, "from_version")
        assert attempt is None or isinstance(attempt, Attempt)  # noqa: S101 - for the types
        assert version is None or isinstance(version, BackportVersion)  # noqa: S101
        return receiving.Origin(version=version, attempt=attempt, note=values.get("note", ""))

    def answered(self, received: receiving.Received) -> Response:
        """The version with its verdict; or why there is none, with the address of what was kept."""
        upload = received.upload
        if received.version is None:
            kept = {"Location": reverse("api_upload", args=[upload.pk])}
            return answer(422, upload.problem_code, upload.problem, field="patch", headers=kept)
        return self.found(received.version.pk, created=received.created, upload=upload.pk)

    def found(self, pk: UUID, *, created: bool, upload: UUID | None = None) -> Response:
        """A version as the answer to its upload. Raises Http404 when it is not visible any more."""
        version = self.find(versions(self.request.user), pk=pk)
        backport = self.find(backports(self.request.user), pk=version.backport_id)
        self.note([backport.advisory, *backport.prerequisites], version)
        given = {
            "created": created,
            "upload": upload or version.upload_id,
            "backport": backport,
            "version": version,
        }
        body = ReceivedSerializer(given, context={"user": self.request.user}).data
        where = {"Location": reverse("api_version", args=[version.pk])}
        return Response(body, status=201 if created else 200, headers=where)

    def shows(self, rows: list[Any]) -> None:
        """Note the advisories that uploads are for."""
        self.note([row.advisory for row in rows if row.advisory])


def _named(rows: QuerySet[Any], values: dict[str, Any], field: str) -> Any:
    if field not in values:
        return None
    if (found := rows.filter(pk=values[field]).first()) is None:
        raise Problem(422, "unknown-origin", "There is no such thing to derive from.", field=field)
    return found


class CellBackports(TakesFiles, Listing):
    """The backports of an advisory on a branch; a file that is sent here is one, with its verdict in the answer."""

    operations = {
        "GET": Operation(gives=BackportSerializer, many=True, query=ListQuery),
        "POST": Operation(
            "upload", gives=ReceivedSerializer, takes=SentFor, query=PlaceQuery, status=201, problems=(200, 409, 422)
        ),
    }
    order = ("started_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Any]:  # noqa: ARG002
        advisory = self.find(advisories(self.request.user), number=kwargs["number"])
        self.note([advisory], advisory)
        if not branches(self.request.user).filter(name=kwargs["branch"]).exists():
            raise Http404
        return backports(self.request.user).filter(advisory=advisory, branch__name=kwargs["branch"])

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Send a file: kept whatever is wrong with it, tried on the branch, compared, and answered with the verdict."""
        actor = self.actor
        repository = self.asked().get("repository", "")
        rows, branch = place(request.user, kwargs["number"], kwargs["branch"], repository)
        advisory = self.find(rows)
        if branch is None:
            raise Http404
        self.note([advisory], advisory)
        values = self.sent()
        work = lambda: self._submit(actor, advisory, branch, values)  # noqa: E731
        return once(request, actor, _content(values), do=work, again=lambda pk: self.found(pk, created=False))

    def _submit(
        self, actor: User, advisory: Advisory, branch: Branch, values: dict[str, Any]
    ) -> tuple[UUID | None, Response]:
        received = receiving.submit(
            actor,
            organisation=speaker(actor, values.get("organisation")),
            name=values["name"],
            data=values["data"],
            advisory=advisory,
            branch=branch,
            origin=self.origin(values),
        )
        return received.version.pk if received.version else None, self.answered(received)


def _content(values: dict[str, Any]) -> bytes:
    """What was sent, for telling it from something else."""
    fields = sorted((name, str(value)) for name, value in values.items() if name != "data")
    data: bytes = values["data"]
    return repr(fields).encode() + data


class Uploads(TakesFiles, Listing):
    """Files that were sent, newest first; one that is sent here is kept with a proposal of what it is for."""

    operations = {
        "GET": Operation(gives=UploadSerializer, many=True, query=ListQuery),
        "POST": Operation("upload", gives=UploadSerializer, takes=Sent, status=201, problems=(422,)),
    }
    order = ("-made_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Upload]:  # noqa: ARG002
        return uploads(self.request.user)

    def post(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        """Send a file before it is said what it is for."""
        actor = self.actor
        self.asked()
        values = self.sent()
        return once(
            request,
            actor,
            _content(values),
            do=lambda: self._receive(actor, values),
            again=lambda pk: Response(self._shown(self.find(uploads(request.user), pk=pk))),
        )

    def _receive(self, actor: User, values: dict[str, Any]) -> tuple[UUID, Response]:
        organisation = speaker(actor, values.get("organisation"))
        row = receiving.receive(
            actor, organisation=organisation, name=values["name"], data=values["data"], came_by=CameBy.REST
        )
        where = {"Location": reverse("api_upload", args=[row.pk])}
        return row.pk, Response(self._shown(row), status=201, headers=where)

    def _shown(self, row: Upload) -> Any:
        self.shows([row])
        return UploadSerializer(row, context={"user": self.request.user}).data


class OneUpload(Single):
    """One upload."""

    operations = {"GET": Operation(gives=UploadSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Upload:
        found = self.find(uploads(self.request.user), pk=kwargs["pk"])
        self.note([found.advisory] if found.advisory else [], found)
        return found


class Confirm(TakesFiles):
    """Says what an upload is for."""

    operations = {
        "POST": Operation("upload", gives=ReceivedSerializer, takes=Where, status=201, problems=(200, 422)),
    }
    parser_classes = (JSONParser,)

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Make a version of it, of your backport of that advisory on that branch."""
        actor = self.actor
        self.asked()
        upload = self.find(uploads(request.user).defer(None), pk=kwargs["pk"])
        values = self.body()
        advisory = advisories(request.user).filter(number=values["advisory"]).first()
        branch = branches(request.user).filter(pk=values["branch"]).first()
        for field, found in (("advisory", advisory), ("branch", branch)):
            if found is None:
                raise Problem(422, f"no-{field}", f"There is no such {field}.", field=field)
        assert advisory and branch  # noqa: S101 - said above
        self.note([advisory], upload)
        done = receiving.confirm(actor, upload=upload, advisory=advisory, branch=branch, origin=self.origin(values))
        return self.answered(done)
