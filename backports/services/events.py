"""Events: what happened to advisories, told to programs that follow along; ids only.

They are in the order in which they were committed, so that whoever goes on after the last one they saw misses none. For
that the one who writes holds the lock of the audit's end until the transaction is over: call `tell` late.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from backports.models import Backport, Branch, Event
from xsa.audit import LOCK
from xsa.identity import everything
from xsa.models import Advisory, Organisation

ADVISORY_VERSION = "advisory.version"
ADVISORY_DISCLOSED = "advisory.disclosed"
ATTEMPT_FINISHED = "attempt.finished"
BACKPORT_VERSION = "backport.version"
BACKPORT_SHARED = "backport.shared"
BACKPORT_WITHDRAWN = "backport.withdrawn"
REVIEW_GIVEN = "review.given"
COMMENT_MADE = "comment.made"
CLAIM_MADE = "claim.made"
CLAIM_OFFERED = "claim.offered"
CLAIM_ENDED = "claim.ended"
CHECK_RESULT = "check.result"
STATEMENT_MADE = "statement.made"
PLAN_MOVED = "plan.moved"
KINDS = (
    ADVISORY_VERSION,
    ADVISORY_DISCLOSED,
    ATTEMPT_FINISHED,
    BACKPORT_VERSION,
    BACKPORT_SHARED,
    BACKPORT_WITHDRAWN,
    REVIEW_GIVEN,
    COMMENT_MADE,
    CLAIM_MADE,
    CLAIM_OFFERED,
    CLAIM_ENDED,
    CHECK_RESULT,
    STATEMENT_MADE,
    PLAN_MOVED,
)
# What everybody may know once the advisory is disclosed; the rest stays with members.
OPENS = frozenset({ADVISORY_VERSION, ADVISORY_DISCLOSED, ATTEMPT_FINISHED})


@transaction.atomic
def tell(
    kind: str,
    *,
    advisory: Advisory,
    branch: Branch | None = None,
    thing: UUID | None = None,
    builds_on: Iterable[int] = (),
    organisation: Organisation | None = None,
    shared: bool = True,
) -> Event:
    """Append an event. Not `shared`, it is for the `organisation`'s own people alone. Raises ValueError for no kind."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of event; name it in KINDS.")
    now = timezone.now()
    with everything("events"):
        return Event.objects.create(
            position=_next_position(),
            at=now,
            kind=kind,
            advisory=advisory,
            branch=branch,
            thing=thing,
            builds_on=sorted(builds_on),
            organisation=organisation,
            shared_at=now if shared else None,
            opens=shared and kind in OPENS,
        )


def is_shared(backport: Backport) -> bool:
    """Whether the room reads it now: it may have been shared after `backport` was read."""
    return Backport.objects.filter(pk=backport.pk, shared_at__isnull=False).exists()


def _next_position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    last: int | None = Event.objects.aggregate(last=Max("position"))["last"]
    return (last or 0) + 1
