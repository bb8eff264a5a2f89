"""In whose name something is said."""

from __future__ import annotations

from uuid import UUID

from xsa.models import Organisation, User
from xsa.visibility import own_organisations

from .problems import Problem


def speaker(actor: User, chosen: UUID | None) -> Organisation:
    """The organisation in whose name it is done. Raises Problem where that must be said."""
    own = Organisation.objects.filter(pk__in=own_organisations(actor)).order_by("name")
    rows = list(own.filter(pk=chosen) if chosen else own)
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise Problem(403, "no-organisation", "You speak for no such organisation.", field="organisation")
    raise Problem(422, "which-organisation", "Say for which organisation.", field="organisation")
