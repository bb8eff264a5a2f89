"""Whether somebody who was to be answered may still be: asked when the answer is sent."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from backports.models import InboundMail, OutboxMail, OutboxText
from xsa.identity import reading
from xsa.models import Advisory, Membership, Organisation, User
from xsa.speaking import speak_for
from xsa.visibility import Reader, visible_advisories

from .mail_readers import eyes_of

LEFT = "reader-left"
HIDDEN = "not-visible"


def why_not(row: OutboxMail) -> str:
    """Why a receipt is not sent any more, as a code; "" where it is, and for all other mail.

    `reader-left`: its reader is no member of the organisation in whose name the mail was, or that is gone.
    `not-visible`: what it is about may not be read for them any more.
    """
    text = _text(row)
    if text is None or text.organisation is None:
        return ""
    organisation = text.organisation
    if organisation.left_at is not None or (row.person is not None and not _is_member(row.person, organisation)):
        return LEFT
    return "" if text.advisory is None or _is_seen(row, text, text.advisory) else HIDDEN


def _text(row: OutboxMail) -> OutboxText | None:
    rows = OutboxText.objects.select_related("organisation", "advisory").filter(mail=row)
    return rows.first() if row.kind == OutboxMail.Kind.RECEIPT else None


def _is_member(person: User, organisation: Organisation) -> bool:
    return Membership.objects.filter(user=person, user__is_active=True, organisation=organisation).exists()


def _is_seen(row: OutboxMail, text: OutboxText, advisory: Advisory) -> bool:
    """Asked in the name of whoever reads it: who wrote the mail, and of an organisation's its contact."""
    return any(_sees(eyes, advisory) for eyes in _eyes(row, text))


def _sees(eyes: Reader, advisory: Advisory) -> bool:
    with reading(eyes):
        return visible_advisories(eyes).filter(pk=advisory.pk).exists()


def _eyes(row: OutboxMail, text: OutboxText) -> Iterator[Reader]:
    organisation = text.organisation
    writer = row.person or _writer(row)
    if organisation is None:
        return
    if writer is not None and _is_member(writer, organisation):
        yield speak_for(writer, organisation)
    if row.person is None and (contact := eyes_of(organisation, None)) is not None:
        yield contact


def _writer(row: OutboxMail) -> User | None:
    """Of the mail that a receipt answers, which its event names."""
    try:
        pk = UUID(row.event.rpartition(" ")[2])
    except ValueError:
        return None
    mail = InboundMail.objects.select_related("sender").defer("raw").filter(pk=pk).first()
    return mail.sender if mail else None
