"""git's own way in, over smart HTTP: an advisory's refs to fetch, and `refs/for/` to push to.

A token is the password, and nothing else lets anybody in: no session, so no form of another page can push. Without one
there is one answer to everything.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from backports.git import offering, packets
from backports.git.errors import GitError
from backports.git.offering import FETCH, PUSH
from backports.git.pushed import PUSH_BYTES
from backports.services import git_refs
from backports.services.git_refs import Shown
from backports.web import seen
from backports.web.asking import BASIC
from backports.web.refusals import NOT_FOUND
from xsa.models import Advisory, ApiToken

from .advisories import advisories, attempts
from .branches import branches
from .git_push import answer_to
from .problems import Problem
from .versions import versions

View = Callable[..., HttpResponseBase]
VERBS = {FETCH: ApiToken.Verb.READ, PUSH: ApiToken.Verb.UPLOAD}
ASKED_BYTES = 4 * 1024 * 1024  # what a fetch may say that it wants and has
COMMAND_BYTES = 64 * 1024
DROPPED_BYTES = 512 * 1024 * 1024  # of a push that is too long
PIECE = 1024 * 1024
_GZIP = 31  # zlib's word for it


def for_git(view: View) -> View:
    """For tokens alone, counted as requests of the API are; whatever is wrong is told in a line of text."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, number: int) -> HttpResponseBase:
        try:
            response = _for_token(view, request, number)
        except Http404:
            response = _text(404, NOT_FOUND[1])
        except PermissionDenied as error:
            response = _text(403, str(error))
        except Problem as error:
            response = _text(error.status_code, error.sentence)
        except GitError as error:
            response = _text(400 if error.code == "bad-request" else 503, error.sentence)
        response["Cache-Control"] = "no-store"
        return response

    answer.checks_verbs = answer.is_endpoint = True  # type: ignore[attr-defined]
    return answer


def _for_token(view: View, request: HttpRequest, number: int) -> HttpResponseBase:
    if getattr(request, "token", None) is None:
        return _text(401, "Send an API token as the password; any name will do.")
    return view(request, number)


def _text(status: int, sentence: str) -> HttpResponse:
    headers = {"WWW-Authenticate": BASIC} if status == HTTPStatus.UNAUTHORIZED else {}
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status, headers=headers)


@require_safe
@for_git
def refs(request: HttpRequest, number: int) -> HttpResponseBase:
    """The refs that the reader may see."""
    service = request.GET.get("service", "")
    if service not in VERBS:
        raise Http404
    found = _shown(request, number, service)
    with offering.offered(found.parts, found.head) as path:
        told = offering.advertise(path, service)
    return HttpResponse(told, content_type=f"application/x-{service}-advertisement")


@require_POST
@for_git
def fetch(request: HttpRequest, number: int) -> HttpResponseBase:
    """The objects that these refs reach and the reader has not."""
    found = _shown(request, number, FETCH)
    pieces = offering.fetched(found.parts, found.head, _body(request, ASKED_BYTES))
    next(pieces)
    response = StreamingHttpResponse(pieces, content_type=f"application/x-{FETCH}-result")
    response["Content-Disposition"] = "attachment"  # a download, for the records; git does not mind
    return response


@require_POST
@for_git
def push(request: HttpRequest, number: int) -> HttpResponseBase:
    """Commits for branches: each series is received as an upload is, and answered with its verdict."""
    found = _shown(request, number, PUSH)
    body = _body(request, PUSH_BYTES + COMMAND_BYTES, wait_for=DROPPED_BYTES)
    if body == packets.FLUSH:  # git asks whether it is let in, before it sends what is long
        told = b""
    else:
        told = answer_to(packets.read_push(body), user=request.user, advisory=_advisory(request, number), among=found)
    return HttpResponse(told, content_type=f"application/x-{PUSH}-result")


def _advisory(request: HttpRequest, number: int) -> Advisory:
    return get_object_or_404(advisories(request.user), number=number)


def _shown(request: HttpRequest, number: int, service: str) -> Shown:
    """What is offered to the reader, noted as read. Raises Http404, Problem."""
    if VERBS[service] not in request.token.verbs:  # type: ignore[attr-defined]
        raise Problem(403, "token-verb", f"This token is not made for this: it lacks the verb “{VERBS[service]}”.")
    advisory, user = _advisory(request, number), request.user
    found = git_refs.shown(
        advisory,
        branches=branches(user),
        attempts=attempts(user),
        versions=versions(user),
        everywhere=service == PUSH,
    )
    seen.note(request, [advisory, *found.builds_on], thing=advisory)
    return found


def _body(request: HttpRequest, most: int, *, wait_for: int = 0) -> bytes:
    """What was sent, expanded; of what is longer than `most` one byte more, once `wait_for` bytes came or it ended:
    git reads no answer before it has sent everything. Raises Problem, where nothing is waited for of that too.
    """
    environ: dict[str, Any] = request.META
    # What comes in chunks has no length that the framework would read by.
    chunked = "CONTENT_LENGTH" not in environ and environ.get("wsgi.input_terminated")
    stream = environ["wsgi.input"] if chunked else request
    data = stream.read(most + 1)
    if request.headers.get("Content-Encoding", "") in ("gzip", "x-gzip") and len(data) <= most:
        data = _expanded(data, most)
    if len(data) > most and not _dropped(stream, wait_for):
        raise Problem(413, "too-large", f"That is more than {most} bytes. Start from a ref of here, and send less.")
    if not data:
        raise Problem(400, "bad-request", "This is nothing that git sends.")
    return data


def _dropped(stream: Any, most: int) -> bool:
    """Read what is left and forget it; whether that was all of it."""
    left = most
    while left > 0 and (piece := stream.read(PIECE)):
        left -= len(piece)
    return left > 0


def _expanded(data: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj(_GZIP).decompress(data, most + 1)
    except zlib.error as error:
        raise Problem(400, "bad-request", "This is no gzip, though it says so.") from error
