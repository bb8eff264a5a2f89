"""The one way in which an advisory becomes public.

Everything that hangs on an advisory is secret while `disclosed_at` is empty and public when it is set, in both walls:
so one transaction opens all of it, and one that fails leaves all of it closed.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from xsa import audit
from xsa.identity import everything
from xsa.models import Advisory, Announcement, DisclosureRequest, User

log = logging.getLogger(__name__)


def disclose(actor: User | None, *, advisory: Advisory, reason: str, at: datetime) -> bool:
    """Open everything about `advisory`; `at` is the moment of public release, `reason` why it is public.

    `actor` None stands for the system itself. Returns False, and changes nothing, when it
    was public already: what is public stays so, with its first date.
    """
    with transaction.atomic(), everything("disclose"):
        if not _open(advisory, reason, at):
            return False
        _close_requests(advisory, at)
        _withdraw_announcement(advisory)
        _tell(actor, advisory, reason)
    log.info("advisory disclosed advisory=%s actor=%s", advisory.pk, actor.pk if actor else "system")
    return True


def _open(advisory: Advisory, reason: str, at: datetime) -> bool:
    rows = Advisory.objects.filter(pk=advisory.pk, disclosed_at=None)
    opened = rows.update(disclosed_at=at, disclosure_reason=reason)
    if opened:
        advisory.disclosed_at, advisory.disclosure_reason = at, reason
    return bool(opened)


def _close_requests(advisory: Advisory, at: datetime) -> None:
    DisclosureRequest.objects.filter(advisory=advisory, closed_at=None).update(closed_at=at)


def _withdraw_announcement(advisory: Advisory) -> None:
    """The advisory's own page tells more from now on."""
    Announcement.objects.filter(number=advisory.number).delete()


def _tell(actor: User | None, advisory: Advisory, reason: str) -> None:
    audit.record("disclosed", actor=actor, advisory=advisory, thing=advisory, reason=reason)
