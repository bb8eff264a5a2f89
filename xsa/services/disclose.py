"""The one way in which an advisory becomes public."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from xsa.models import Advisory, User

log = logging.getLogger(__name__)


@transaction.atomic
def disclose(actor: User | None, *, advisory: Advisory, reason: str, at: datetime) -> bool:
    """Open everything about `advisory`; `at` is the moment of public release, `reason` why it is public.

    `actor` None stands for the system itself. Returns False, and changes nothing, when it
    was public already: what is public stays so, with its first date.
    """
    opened = Advisory.objects.filter(pk=advisory.pk, disclosed_at=None).update(
        disclosed_at=at, disclosure_reason=reason
    )
    if opened:
        advisory.disclosed_at, advisory.disclosure_reason = at, reason
        log.info("advisory disclosed advisory=%s actor=%s", advisory.pk, actor.pk if actor else "system")
    return bool(opened)
