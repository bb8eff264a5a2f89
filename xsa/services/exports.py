"""The audit of one disclosed advisory, to give away: what was done, and by which organisation, without people."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db import transaction

from xsa import audit
from xsa.models import Advisory, User
from xsa.permissions import can_export_audit, demand
from xsa.visibility import visible_records

# No position: it would tell how much else was recorded.
GIVEN = ("id", "at", "verb", "organisation", "kind")


@transaction.atomic
def export_audit(actor: User, *, advisory: Advisory) -> bytes:
    """JSON lines, oldest first. Raises PermissionDenied while the advisory is embargoed.

    Names and addresses of people, ids of things and the details stay here, and so do the numbers of other advisories.
    """
    demand(can_export_audit(actor, advisory))
    rows = visible_records(actor).filter(advisories__contains=[advisory.number]).order_by("position")
    lines = list(_lines(rows.values(*GIVEN).iterator(), advisory.number))
    audit.record("exported", actor=actor, advisory=advisory, lines=len(lines))
    return b"".join(lines)


def _lines(rows: Iterator[dict[str, object]], number: int) -> Iterator[bytes]:
    for row in rows:
        given = {**row, "id": str(row["id"]), "at": f"{row['at']:%Y-%m-%dT%H:%M:%SZ}", "advisory": number}
        yield json.dumps(given).encode() + b"\n"
