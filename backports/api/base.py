"""The base of every address of the API: what it does not declare is denied.

An endpoint names its operations by method, each with the verb that a token must be made for, what it takes and what it
gives. Rows come through `narrowed`, which is the read rule and the token's own limits; the database has the
rule too. What is not visible answers as what does not exist, in the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import http_date
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backports.web import seen
from xsa.models import Advisory, ApiToken, User
from xsa.visibility import Reader, visible_to

from . import cursors, etags
from .authentication import OwnSession, TokenAuthentication
from .fields import ListQuery, NoQuery, Query, Thing
from .problems import Problem
from .schema import Schema

T = TypeVar("T", bound=Model)
LARGEST = 1_000_000  # bytes of a body that is no file


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of an address.

    `verb` is what a token must be made for, `gives` how the answer looks (None: no body), `many` whether it is a
    page of a list, `media` its media type where it is no JSON, `takes` what the body holds, `status` what success
    answers, `problems` what else can be wrong with it.
    """

    verb: str = ApiToken.Verb.READ
    gives: type[serializers.BaseSerializer[Any]] | None = None
    many: bool = False
    query: type[NoQuery] = NoQuery
    media: str = "application/json"
    takes: type[serializers.Serializer[Any]] | None = None
    status: int = 200
    problems: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Deprecation:
    """An address that goes: `since` when nobody should begin with it, `sunset` when it ends, `instead` what to use."""

    since: datetime
    sunset: datetime | None = None
    instead: str = ""


class Declared(BasePermission):
    """Lets a declared operation through, and a token only for the verbs that it was made for."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        operation = view.operation_of(request.method) if isinstance(view, Endpoint) else None
        if operation is None:
            return False
        token = cast("ApiToken | None", request.auth)
        if token is not None and operation.verb not in token.verbs:
            raise Problem(403, "token-verb", f"This token is not made for this: it lacks the verb “{operation.verb}”.")
        return True


class JsonAlone(BaseContentNegotiation):
    """There is one representation of each address, whatever a reader would accept."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        wanted = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


class Endpoint(APIView):
    """One address. Without `operations` it answers nobody."""

    operations: ClassVar[Mapping[str, Operation]] = {}
    deprecation: ClassVar[Deprecation | None] = None
    authentication_classes = (TokenAuthentication, OwnSession)
    permission_classes = (Declared,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = JsonAlone
    metadata_class = None
    schema = Schema()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, marked for the middleware: it checks a token's verbs itself, and counts against its rate."""
        view: Any = super().as_view(**initkwargs)
        view.checks_verbs = view.is_endpoint = True
        return view

    def operation_of(self, method: str | None) -> Operation | None:
        """What is declared for a method; reading without the body is reading."""
        return self.operations.get("GET" if method == "HEAD" else method or "")

    @property
    def allowed_methods(self) -> list[str]:
        return [*self.operations, *(["HEAD"] if "GET" in self.operations else [])]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As the framework has it, but what fails is undone alone: that it was read can be recorded still."""
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        try:
            self.initial(asked, *args, **kwargs)
            with transaction.atomic():
                response = getattr(self, (asked.method or "").lower())(asked, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(asked, response, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks, and whether they may; a method that is not declared is known to nobody."""
        if self.operation_of(request.method) is None:
            self.format_kwarg = None
            request.accepted_renderer = self.get_renderers()[0]
            request.accepted_media_type = request.accepted_renderer.media_type
            raise exceptions.MethodNotAllowed(request.method or "")
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The tag of its bytes, and what caches and clients must know."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Vary"] = "Authorization, Cookie"
        final.setdefault("Cache-Control", "no-cache")
        _tell_deprecation(final, self.deprecation)
        if isinstance(final, Response):
            final.add_post_render_callback(partial(etags.conditional, request._request))
            return final
        return etags.conditional(request._request, final)

    def asked(self) -> dict[str, Any]:
        """The address's parameters, checked. Raises ValidationError and Problem."""
        operation = self.operation_of(self.request.method)
        query = (operation.query if operation else NoQuery)(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)

    def body(self) -> dict[str, Any]:
        """What the request holds, checked. Raises ValidationError and Problem."""
        operation = self.operation_of(self.request.method)
        if int(self.request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
            raise Problem(413, "too-large", f"A body that is no file has at most {LARGEST} bytes.")
        if operation is None or operation.takes is None:
            return {}
        given = operation.takes(data=self.request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def find(self, rows: QuerySet[T], **columns: Any) -> T:
        """The one row of those that are visible. Raises Http404."""
        return get_object_or_404(rows, **columns)

    def note(self, advisories: Iterable[Advisory | int], thing: Model | None = None) -> None:
        """Say what the answer shows, so that the reading of what is embargoed is recorded."""
        seen.note(self.request._request, advisories, thing=thing)

    @property
    def actor(self) -> User:
        """The person whose doing this is. Raises NotAuthenticated for nobody."""
        if not isinstance(self.request.user, User):
            raise exceptions.NotAuthenticated("Log in, or send a token.")
        return self.request.user


def _tell_deprecation(response: HttpResponse, deprecation: Deprecation | None) -> None:
    """RFC 9745 and RFC 8594."""
    if deprecation is None:
        return
    response["Deprecation"] = f"@{int(deprecation.since.timestamp())}"
    if deprecation.sunset:
        response["Sunset"] = http_date(deprecation.sunset.timestamp())
    if deprecation.instead:
        response["Link"] = f'<{deprecation.instead}>; rel="successor-version"'


def narrowed(user: Reader, rows: QuerySet[T], *, number: str = "", branch: str = "") -> QuerySet[T]:
    """The part of `rows` that the reader may see and a token is good for.

    `number` and `branch` lead from a row to its advisory's number and its branch's name. A token that names
    advisories or branches shows those alone, disclosed ones too.
    """
    found = visible_to(user, rows)
    if number and (numbers := getattr(user, "only", ())):
        found = found.filter(**{f"{number}__in": numbers})
    if branch and (names := getattr(user, "branches", ())):
        found = found.filter(**{f"{branch}__in": names})
    return found


class Listing(Endpoint):
    """A list: `rows` says of what, `order` in which order, `shows` what of advisories is in it."""

    order: ClassVar[tuple[str, ...]] = ("id",)

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Any]:
        """The visible rows that fit the query."""
        raise NotImplementedError

    def shows(self, rows: list[Any]) -> None:
        """Note the advisories that the page shows."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        query = self.asked()
        page = cursors.page_of(
            self.rows(query, **kwargs), self.order, cursor=query.get("cursor", ""), limit=query["limit"]
        )
        self.shows(page.rows)
        operation = self.operations["GET"]
        assert operation.gives is not None  # noqa: S101 - a list is of something
        many = operation.gives(page.rows, many=True, context=self.context(query))
        following = cursors.next_address(request.path, request.query_params, page.cursor)
        return Response({"results": many.data, "next": following})

    def context(self, query: dict[str, Any]) -> dict[str, Any]:
        """What the serializers must know."""
        return {"fields": query.get("wanted"), "user": self.request.user}


class Single(Endpoint):
    """One thing: `row` finds it and notes what it shows."""

    def row(self, **kwargs: Any) -> Any:
        """The visible row. Raises Http404."""
        raise NotImplementedError

    def get(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        query = self.asked()
        return Response(self.represented(self.row(**kwargs), query.get("wanted")))

    def represented(self, row: Any, wanted: tuple[str, ...] | None = None) -> Any:
        """The thing as JSON has it."""
        gives = self.operations["GET"].gives
        assert gives is not None  # noqa: S101 - it is of something
        return gives(row, context={"fields": wanted, "user": self.request.user}).data

    def demand_match(self, row: Any) -> None:
        """Go on with a change of `row` only when the reader saw what it is now. Raises Problem."""
        etags.demand_match(self.request, JSONRenderer().render(self.represented(row)))


__all__ = [
    "Declared",
    "Deprecation",
    "Endpoint",
    "ListQuery",
    "Listing",
    "NoQuery",
    "Operation",
    "Query",
    "Single",
    "Thing",
    "narrowed",
]
