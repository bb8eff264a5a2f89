"""Idempotency keys: the same request with the same key is done once, however often it is sent within a day."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from backports.models import DoneRequest
from xsa.models import User

from .problems import Problem

LASTS = timedelta(days=1)
LONGEST = 200


def once(
    request: Request,
    user: User,
    content: bytes,
    *,
    do: Callable[[], tuple[UUID | None, Response]],
    again: Callable[[UUID], Response],
) -> Response:
    """What `do` answers, or, when this was done before, what `again` says of the thing that came of it.

    `content` is what was sent. Two at once go one after the other. Raises Problem where the key was used for
    something else.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return do()[1]
    if len(key) > LONGEST or not key.isprintable():
        raise Problem(400, "bad-key", f"A key has at most {LONGEST} characters.", field="Idempotency-Key")
    asked = _digest(request.method or "", request.get_full_path(), content)
    mine = DoneRequest(user=user, key=_digest(key), request=asked, done_at=timezone.now())
    DoneRequest.objects.filter(user=user, key=mine.key, done_at__lt=timezone.now() - LASTS).delete()
    DoneRequest.objects.bulk_create([mine], ignore_conflicts=True)
    held = DoneRequest.objects.select_for_update().get(user=user, key=mine.key)
    return _done_before(held, asked, again) if held.pk != mine.pk else _do(mine, do)


def _do(row: DoneRequest, do: Callable[[], tuple[UUID | None, Response]]) -> Response:
    thing, response = do()
    if thing is None:
        DoneRequest.objects.filter(pk=row.pk).delete()  # nothing was done: the key is free
    else:
        DoneRequest.objects.filter(pk=row.pk).update(thing=thing, status=response.status_code)
    return response


def _done_before(row: DoneRequest, asked: str, again: Callable[[UUID], Response]) -> Response:
    if row.request != asked:
        sentence = "This key was used for another request. Take a new one."
        raise Problem(422, "key-used", sentence, field="Idempotency-Key")
    if row.thing is None:
        raise Http404
    response = again(row.thing)
    response.status_code = row.status
    response["Idempotency-Replayed"] = "true"
    return response


def _digest(*parts: str | bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(b"%d " % len(data) + data)
    return found.hexdigest()
