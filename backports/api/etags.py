"""Strong entity tags made from the answer's own bytes, and what `If-None-Match` and `If-Match` ask of them."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework.request import Request

from backports.web.refusals import problem_response

from .problems import Problem

STALE = ("changed", "It is not what If-Match names any more: read it again, then change what it is now.")
KEPT = ("ETag", "Cache-Control", "Vary")


def etag_of(content: bytes) -> str:
    """A strong tag: the same for the same bytes, whatever else happened meanwhile."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer to a reading with its tag; 304 when the reader has it, 412 when it is not what they named."""
    if request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    response["ETag"] = tag = etag_of(response.content)
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if wanted and not _names(wanted, tag):
        return problem_response(412, *STALE)
    if _names(_weak(request.headers.get("If-None-Match", "")), tag):
        return HttpResponseNotModified(headers={name: response[name] for name in KEPT if name in response})
    return response


def demand_match(request: Request, content: bytes) -> None:
    """Go on with a change only when the reader saw what it is now (`content`). Raises Problem: 428, 412."""
    given = request.headers.get("If-Match", "")
    if not given.strip():
        sentence = "Say with If-Match which state you change: the ETag that reading it gave."
        raise Problem(428, "if-match-required", sentence)
    if not _names(parse_etags(given), etag_of(content)):
        raise Problem(412, *STALE)


def _names(tags: list[str], tag: str) -> bool:
    return tags == ["*"] or tag in tags


def _weak(header: str) -> list[str]:
    """`If-None-Match` compares weakly: what a proxy marked as weak is ours all the same."""
    return [one.removeprefix("W/") for one in parse_etags(header)]
