"""What a person of the security team says of a quarantined mail."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from backports.mail.reading import Unreadable, read
from backports.models import InboundMail
from backports.pgp import PgpError
from backports.services import disclosing
from backports.services.errors import NotDone
from xsa import audit
from xsa.identity import everything
from xsa.models import Organisation, User
from xsa.permissions import can_decide_mail, demand

from . import announced
from .ends import End, State, refused
from .gathering import believed
from .handling import act, attempted, finish, note_opened
from .opening import open_mail
from .senders import as_sender, keys_of, organisations_of, person_of

log = logging.getLogger(__name__)


@transaction.atomic
def accept(actor: User, *, mail: InboundMail, organisation: UUID | None = None) -> InboundMail:
    """Act on a quarantined mail although its signature does not say whose it is. Raises PermissionDenied, NotDone.

    What it holds is done in the name of the person whose address it has, for `organisation` where they have several.
    """
    demand(can_decide_mail(actor))
    with everything("mail-in"):
        row = _quarantined(mail)
        row.decided_by, row.decided_at = actor, timezone.now()
        end = attempted(lambda: _accepted(actor, row, organisation))
        finish(row, end, by=actor)
    return row


def _quarantined(mail: InboundMail) -> InboundMail:
    row = InboundMail.objects.select_for_update(of=("self",)).get(pk=mail.pk)
    if row.state != State.QUARANTINED or row.code == "series-incomplete":
        raise NotDone("not-quarantined", "Nobody is asked about this mail any more: read it again.")
    return row


def _accepted(actor: User, row: InboundMail, chosen: UUID | None) -> End:
    try:
        person = _sender(row)
        organisations = organisations_of(person)
        opened = open_mail(bytes(row.raw), keys=keys_of(organisations))
    except (PgpError, Unreadable) as error:
        raise NotDone(error.code, error.sentence) from error
    note_opened(row, opened)
    if (advisory := announced.find(opened)) is not None:
        row.signature = "bad" if advisory.signature.state == "broken" else advisory.signature.state
        return announced.take(opened, advisory, accepted_by=actor)
    if opened.head.address.lower() != opened.outer.address.lower():
        raise NotDone("other-sender", "Its headers and what it holds name two senders; nobody can say whose it is.")
    sender = as_sender(*_who(person, organisations, chosen))
    row.sender, row.organisation = sender.person, sender.organisation
    return act(row, believed(opened), sender)


def _sender(row: InboundMail) -> User | None:
    return person_of(read(bytes(row.raw)).head.address)


def _who(person: User | None, organisations: list[Organisation], chosen: UUID | None) -> tuple[User, Organisation]:
    if person is None or not organisations:
        sentence = "Nobody who belongs to an organisation has the address that it is from: invite them first."
        raise NotDone("nobody", sentence, "organisation")
    found = [one for one in organisations if chosen in (None, one.pk)]
    if len(found) != 1:
        raise NotDone("which-organisation", "Say for which of their organisations.", "organisation")
    return person, found[0]


@transaction.atomic
def turn_away(actor: User, *, mail: InboundMail, reason: str) -> InboundMail:
    """Refuse a quarantined mail. Raises PermissionDenied, NotDone."""
    demand(can_decide_mail(actor))
    if not reason.strip():
        raise NotDone("no-reason", "Say why, for those who read it later.", "reason")
    with everything("mail-in"):
        row = _quarantined(mail)
        row.decided_by, row.decided_at = actor, timezone.now()
        finish(row, refused("turned-away", reason.strip()[:1_000], answers=False), by=actor)
    return row


@transaction.atomic
def confirm_date(actor: User, *, mail: InboundMail, at: datetime) -> None:
    """Set the planned date of the advisory that came by this mail. Raises PermissionDenied, NotDone."""
    demand(can_decide_mail(actor))
    if mail.advisory is None or not mail.proposal:
        raise NotDone("no-advisory", "No advisory came by this mail.")
    disclosing.plan_disclosure(actor, advisory=mail.advisory, at=at)
    InboundMail.objects.filter(pk=mail.pk).update(proposal={**mail.proposal, "confirmed": at.isoformat()})
    audit.record("mail-date-confirmed", actor=actor, advisory=mail.advisory, thing=mail)
