"""What is wrong, as RFC 9457 has it: a code for programs, a sentence for people, and the field that it is about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from backports.engine.errors import EngineError
from backports.git.errors import GitError
from backports.services.errors import NotDone
from backports.web import pages
from backports.web.refusals import MEDIA_TYPE, NOT_FOUND, document, is_api, problem_response

log = logging.getLogger(__name__)


class Problem(exceptions.APIException):
    """Ends a request: a status, a code, a sentence for the person, and the field or parameter that it is about."""

    def __init__(
        self, status: int, code: str, sentence: str, *, field: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence, code)
        self.status_code, self.code, self.sentence, self.field = status, code, sentence, field
        self.headers = dict(headers or {})


class OneError(serializers.Serializer[Any]):
    """One of several things that are wrong."""

    code = serializers.CharField()
    detail = serializers.CharField(help_text="A sentence.")
    field = serializers.CharField(help_text="The field or parameter that it is about; empty for the whole.")


class ProblemSerializer(serializers.Serializer[Any]):
    """What is wrong (RFC 9457). The same bytes for what does not exist and for what the reader may not see."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(help_text="A sentence.")
    field = serializers.CharField(required=False, help_text="The field or parameter that it is about.")
    errors = OneError(  # type: ignore[assignment] # a name of the framework's, and of the RFC's
        many=True, required=False, help_text="Everything that is wrong, where it is more than one thing."
    )


def handle(error: Exception, context: dict[str, Any]) -> Response | None:  # noqa: ARG001 - as the framework calls it
    """The one place where errors become answers; None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return answer(error.status_code, error.code, error.sentence, field=error.field, headers=error.headers)
    if isinstance(error, NotDone):
        return answer(422, error.code, str(error), field=error.field)
    if isinstance(error, Http404):
        return answer(404, *NOT_FOUND)
    if isinstance(error, PermissionDenied):
        return answer(403, "not-allowed", str(error) or "You may not do this.")
    if isinstance(error, EngineError | GitError):
        log.warning("answer failed code=%s", error.code)
        return answer(503, error.code, str(error))
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    if isinstance(error, exceptions.APIException):
        return _framework(error)
    return None


_CODES = {
    400: "bad-request",
    401: "not-authenticated",
    403: "not-allowed",
    405: "method-not-allowed",
    415: "unsupported-media-type",
}


def _framework(error: exceptions.APIException) -> Response:
    headers = {"WWW-Authenticate": "Token"} if error.status_code == HTTPStatus.UNAUTHORIZED else {}
    code = _CODES.get(error.status_code, "error")
    return answer(error.status_code, code, str(error.detail), headers=headers)


def _invalid(error: exceptions.ValidationError) -> Response:
    found = list(_flat(error.detail))
    first = found[0] if found else {"code": "invalid", "detail": "This cannot be understood.", "field": ""}
    errors = found if len(found) > 1 else ()
    return answer(400, first["code"], first["detail"], field=first["field"], errors=errors)


def _flat(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """The framework's nested lists and tables of messages, one after another."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            whole = field if name == "non_field_errors" else f"{field}.{name}".lstrip(".")
            yield from _flat(inner, whole)
    elif isinstance(detail, list | tuple):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, Mapping)
            yield from _flat(inner, f"{field}.{position}".lstrip(".") if nested else field)
    else:
        yield {"code": str(getattr(detail, "code", "invalid")), "detail": str(detail), "field": field}


def answer(
    status: int, code: str, detail: str, *, field: str = "", errors: Any = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The problem as an answer of an endpoint that undoes nothing; to end a request raise `Problem`."""
    body = document(status, code, detail, field=field) | ({"errors": list(errors)} if errors else {})
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that makes no sense, on a page or in the API."""
    sentence = "This request cannot be understood."
    return problem_response(400, "bad-request", sentence) if is_api(request) else pages.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What may be seen and not done, on a page or in the API."""
    if is_api(request):
        return problem_response(403, "not-allowed", str(exception) or "You may not do this.")
    return pages.forbidden(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere, on a page or in the API; there in the bytes of a thing that does not exist."""
    return problem_response(404, *NOT_FOUND) if is_api(request) else pages.not_found(request, exception)


def broken(pages_answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The handler of unforeseen errors: for programs a problem without a word of the error, else the pages' own."""

    def answered(request: HttpRequest) -> HttpResponse:
        sentence = "Something went wrong here. It is in our log; try again later."
        return problem_response(500, "error", sentence) if is_api(request) else pages_answer(request)

    return answered
