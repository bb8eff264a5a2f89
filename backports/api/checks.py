"""Checks of backports' versions by machines, and what branches want of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backports.engine.intake import MAX_UPLOAD
from backports.models import Branch, Check, RequiredCheck
from backports.services import checking
from backports.web import checks as pages
from backports.web import downloads
from backports.web.version_files import secrets_in
from xsa.permissions import can_check, can_require_checks, demand

from .base import Endpoint, Listing, ListQuery, Operation, Query, Single, Thing, narrowed
from .branches import branches
from .once import once
from .problems import Problem
from .uploads import TakesFiles
from .versions import versions


class CheckSerializer(Thing):
    """What a machine found out about a version."""

    id = serializers.UUIDField()
    version = serializers.UUIDField(source="version_id")
    organisation = serializers.UUIDField(source="organisation_id", help_text="Whose machine it was.")
    name = serializers.CharField()
    state = serializers.ChoiceField(Check.State.choices)
    summary = serializers.CharField()
    artefact_sha256 = serializers.CharField(help_text="Of what was built; empty: nothing was.")
    made_at = serializers.DateTimeField()
    log_size = serializers.IntegerField(help_text="Bytes, as they were sent.")
    log_cut = serializers.BooleanField(help_text="Only the log's end was kept.")
    log = serializers.SerializerMethodField(help_text="The log's address; null: there is none.")

    def get_log(self, row: Check) -> str | None:
        """As text."""
        return reverse("api_check_log", args=[row.pk]) if row.log_size else None


class Posted(serializers.Serializer[Any]):
    """A result: `pending` when it begins, another one when it is over."""

    name = serializers.CharField(max_length=50, help_text="Small letters, digits and . _ + -.")
    state = serializers.ChoiceField(Check.State.choices)
    summary = serializers.CharField(required=False, max_length=300, allow_blank=True)
    artefact_sha256 = serializers.CharField(required=False, max_length=64, allow_blank=True)
    log = serializers.FileField(
        required=False, allow_empty_file=True, help_text=f"Of more than {checking.MOST_LOG} bytes the end is kept."
    )


class CheckQuery(ListQuery):
    """Which checks."""

    name = serializers.CharField(required=False, max_length=50)


def checks(user: Any) -> QuerySet[Check]:
    """Those that the reader may see."""
    rows = Check.objects.select_related("version__backport__advisory__current", "version__backport__branch")
    path = "version__backport__"
    return narrowed(user, rows.defer("log"), number=f"{path}advisory__number", branch=f"{path}branch__name")


class Checks(TakesFiles, Listing):
    """A version's checks, the latest first."""

    operations = {
        "GET": Operation(gives=CheckSerializer, many=True, query=CheckQuery),
        "POST": Operation("check", gives=CheckSerializer, takes=Posted, status=201, problems=(422,)),
    }
    order = ("-made_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Check]:
        version = self.find(versions(self.request.user), pk=kwargs["pk"])
        self.note([version.backport.advisory, *version.backport.prerequisites], version)
        rows = checks(self.request.user).filter(version=version)
        return rows.filter(name=query["name"]) if "name" in query else rows

    def shows(self, rows: list[Any]) -> None:
        """The version's advisory, which `rows` noted."""

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Post what your machine found out; the same as the latest again changes nothing."""
        actor = self.actor
        self.asked()
        version = self.find(versions(request.user).select_related("backport__organisation"), pk=kwargs["pk"])
        self.note([version.backport.advisory, *version.backport.prerequisites], version)
        demand(can_check(actor))
        values = self.sent()
        content = repr(sorted(values.items())).encode()
        work = lambda: self._made(checking.post(actor, version=version, **values), 201)  # noqa: E731
        again = lambda pk: self._made(self.find(checks(request.user), pk=pk), 201)[1]  # noqa: E731
        return once(request, actor, content, do=work, again=again)

    def sent(self) -> dict[str, Any]:
        """The form, with the log as bytes. Raises ValidationError and Problem."""
        given = Posted(data=self.request.data)
        if self.handler.too_large:
            raise Problem(413, "too-large", f"A log has at most {MAX_UPLOAD} bytes.", field="log")
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        file = values.pop("log", None)
        return values | {"log_text": file.read() if file else b""}

    def _made(self, row: Check, status: int) -> tuple[Any, Response]:
        body = CheckSerializer(row, context={"user": self.request.user}).data
        where = {"Location": reverse("api_check", args=[row.pk])}
        return row.pk, Response(body, status=status, headers=where)


class OneCheck(Single):
    """One check."""

    operations = {"GET": Operation(gives=CheckSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Check:
        found = self.find(checks(self.request.user), pk=kwargs["pk"])
        backport = found.version.backport
        self.note([backport.advisory, *backport.prerequisites], found)
        return found


class CheckLog(Endpoint):
    """What the machine said, as it came."""

    operations = {"GET": Operation(media="text/plain")}

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Kept from caches while the advisory is embargoed."""
        self.asked()
        row = self.find(checks(request.user).defer(None), pk=kwargs["pk"])
        backport = row.version.backport
        self.note([backport.advisory, *backport.prerequisites], row)
        return downloads.deliver(bytes(row.log), pages.log_name(row), secrets=secrets_in(row.version))


class RequiredSerializer(Thing):
    """What backports on a branch want."""

    names = serializers.ListField(child=serializers.CharField(), help_text="Names of checks.")


class Wanted(serializers.Serializer[Any]):
    """All checks that a branch requires from now on."""

    names = serializers.ListField(child=serializers.CharField(max_length=50), max_length=checking.MOST_REQUIRED)


class RequiredChecks(Single):
    """The checks that a branch requires."""

    operations = {
        "GET": Operation(gives=RequiredSerializer, query=Query),
        "PUT": Operation("check", gives=RequiredSerializer, takes=Wanted, problems=(422,)),
    }

    def row(self, **kwargs: Any) -> dict[str, list[str]]:
        rows = narrowed(self.request.user, RequiredCheck.objects.filter(branch=self._branch(**kwargs)))
        return {"names": list(rows.order_by("name").values_list("name", flat=True))}

    def put(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        """Say which, all of them: for who keeps the branch."""
        branch = self._branch(**kwargs)
        demand(can_require_checks(self.actor, branch.repository.organisation))
        values = self.body()
        self.demand_match(self.row(**kwargs))
        checking.require(self.actor, branch=branch, names=values["names"])
        return Response(self.represented(self.row(**kwargs)))

    def _branch(self, **kwargs: Any) -> Branch:
        rows = branches(self.request.user).select_related("repository__organisation")
        return self.find(rows, pk=kwargs["pk"])
