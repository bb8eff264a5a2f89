"""In whose name something is said."""

from __future__ import annotations

from uuid import UUID

from xsa.models import Organisation, User
from xsa.visibility import speaking_for

from .problems import Problem


def speaker(actor: User, chosen: UUID | None) -> Organisation:
    """The organisation in whose name it is done. Raises Problem where that must be said."""
    rows = [one for one in speaking_for(actor) if chosen in (None, one.pk)]
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise Problem(403, "no-organisation", "You speak for no such organisation.", field="organisation")
    raise Problem(422, "which-organisation", "Say for which organisation.", field="organisation")
