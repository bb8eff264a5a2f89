"""What becomes of a mail that was kept: looked at by a worker, once, until it has its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from backports.engine.errors import EngineError
from backports.mail.reading import MAX_MAIL, Head, Letter, Unreadable, read
from backports.mail.reading.nature import unanswered
from backports.models import InboundMail
from backports.pgp import PgpError
from backports.services import bounces
from backports.services.errors import NotDone
from xsa import audit
from xsa.identity import everything

from . import announced, answers, patches, receipts
from .ends import End, State, quarantined, refused, write
from .gathering import Believed, believed
from .opening import Opened, check, open_mail
from .senders import Sender, as_sender, keys_of, organisations_of, person_of, whose

log = logging.getLogger(__name__)
MOST_TRIES = 5
LEFT_ALONE = timedelta(minutes=2)  # after this long a message to a worker was lost
AT_ONCE = 500
SHOWN = 300  # characters of a header on the page
HOW_TO_SIGN = "Sign the whole mail with its headers (OpenPGP/MIME), as docs/mail-in.md shows."


@shared_task(name="backports.handle_mail")
@everything("mail-in")
def handle_mail(pk: str) -> None:
    """Look at a mail that waits; one that has its end, or that another worker has, is left alone."""
    handle(pk)


@shared_task(name="backports.sweep_mail")
@everything("mail-in")
def sweep_mail() -> None:
    """Look at mails whose message to a worker was lost."""
    late = InboundMail.objects.filter(state=State.WAITING, received_at__lt=timezone.now() - LEFT_ALONE)
    for pk in late.order_by("received_at").values_list("pk", flat=True)[:AT_ONCE]:
        handle_mail.delay(str(pk))


def handle(pk: UUID | str) -> None:
    """The mail's end, in one transaction with what was done. An error of ours leaves it waiting, five times at most."""
    try:
        with transaction.atomic():
            rows = InboundMail.objects.select_for_update(skip_locked=True, of=("self",)).filter(state=State.WAITING)
            if (row := rows.filter(pk=pk).first()) is None:
                return
            finish(row, look_at(row))
    except Exception as error:
        log.error("mail not handled mail=%s error=%s", pk, type(error).__name__)
        _failed(pk)


def _failed(pk: UUID | str) -> None:
    with transaction.atomic():
        row = InboundMail.objects.select_for_update(of=("self",)).filter(pk=pk, state=State.WAITING).first()
        if row is None:
            return
        row.tries += 1
        row.save(update_fields=["tries"])
        if row.tries >= MOST_TRIES:
            sentence = "It could not be looked at, by an error of ours. Accept it to try once more."
            finish(row, quarantined("error", sentence))


def finish(row: InboundMail, end: End, *, by: Any = None) -> None:
    write(row, end)
    log.info("mail ended mail=%s state=%s code=%s", row.pk, row.state, row.code)
    audit.record("mail-ended", actor=by, advisory=row.advisory, thing=row, state=row.state, code=row.code)
    if end.answers:
        receipts.answer(row)


def look_at(row: InboundMail) -> End:
    """What is to become of it. Nothing is half done: what fails on the way is undone."""
    if not row.raw:
        return refused("too-large", f"It has {row.size} bytes; the limit is {MAX_MAIL}.", answers=False)
    try:
        letter = read(bytes(row.raw))
    except Unreadable as error:
        return refused(error.code, error.sentence, answers=False)
    _note(row, letter.head, letter)
    if nobody := unanswered(letter, own_addresses()):
        if nobody.code == "bounce":
            bounces.note(bytes(row.raw))
        return refused(nobody.code, nobody.sentence, answers=False)
    return attempted(lambda: _opened(row, letter))


def own_addresses() -> frozenset[str]:
    """The addresses that this room writes from, in lower case."""
    return frozenset({parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(), *map(str.lower, settings.ROOM_ADDRESSES)})


def room_addresses() -> frozenset[str]:
    """The addresses that mail for this room is written to, in lower case: its own, and the private list's."""
    return own_addresses() | {parseaddr(settings.MAIL_LIST)[1].lower()} - {""}


def attempted(do: Callable[[], End]) -> End:
    """Do it, and turn what speaks against it into an end."""
    try:
        with transaction.atomic():
            return do()
    except NotDone as error:
        return refused(error.code, str(error))
    except PermissionDenied as error:
        return refused("not-allowed", str(error))
    except EngineError as error:
        return refused(error.code, error.sentence)


def _note(row: InboundMail, head: Head, letter: Letter) -> None:
    """What the page shows, and what later mails of its thread ask for."""
    row.facts = {
        **row.facts,
        "subject": head.subject[:SHOWN],
        "from": head.get("from")[:SHOWN],
        "to": head.get("to")[:SHOWN],
        "date": head.date.isoformat() if head.date else "",
        "parts": [{"kind": one.kind, "name": one.name, "size": len(one.data)} for one in letter.parts[:50]],
        "odd": list(letter.notes),
    }


def _opened(row: InboundMail, letter: Letter) -> End:
    person = person_of(letter.head.address)
    organisations = organisations_of(person)
    try:
        opened = open_mail(bytes(row.raw), keys=keys_of(organisations))
    except PgpError as error:
        if error.code != "no-room-key":
            raise
        return quarantined(error.code, error.sentence)
    except Unreadable as error:
        return refused(error.code, error.sentence, answers=False)
    note_opened(row, opened)
    if (advisory := announced.find(opened)) is not None:
        row.signature, row.signer = _state(advisory.signature.state), advisory.signature.fingerprint
        return announced.take(opened, advisory)
    organisation = whose(opened.seal.fingerprint, organisations) if opened.is_good else None
    if person is None or organisation is None:
        return _unproved(opened, person is not None)
    row.sender, row.organisation = person, organisation
    return _proved(row, opened, as_sender(person, organisation))


def _state(told: str) -> str:
    return "bad" if told == "broken" else told


def note_opened(row: InboundMail, opened: Opened) -> None:
    """Keep what was found of its signature, and the headers that hold."""
    row.signature, row.signer = opened.state, opened.seal.fingerprint
    row.encrypted, row.signed = opened.encrypted, opened.digest
    if opened.covers:
        row.message_id = opened.head.message_id or row.message_id
    _note(row, opened.head, opened.letter)
    mail = believed(opened)
    row.facts["place"] = mail.tag.place if len(mail.pieces) < 2 else 0


def _unproved(opened: Opened, known: bool) -> End:
    """Nothing that is not signed by somebody's own organisation enters a room by itself."""
    state, mail = opened.state, believed(opened)
    if state == "bad":
        return refused("bad-signature", opened.seal.sentence, answers=False)
    if not (known or mail.pieces or mail.tag.number or answers.answered(mail.head.thread)):
        sentence = "It is from nobody who is known here, and holds no patch, no advisory and no answer to one."
        return refused("nothing-for-us", sentence, answers=False)
    if state == "none":
        return quarantined("unsigned", f"It is not signed. {HOW_TO_SIGN}")
    if state == "weak":
        return quarantined("weak-signature", opened.seal.sentence)
    sentence = "It is signed by a key that is not pinned for an organisation of whoever has its address."
    return quarantined("unknown-key", sentence)


def _proved(row: InboundMail, opened: Opened, sender: Sender) -> End:
    if not opened.covers:
        sentence = f"The signature is good, and does not cover the subject and the sender. {HOW_TO_SIGN}"
        return quarantined("unprotected-headers", sentence, answers=True)
    try:
        check(opened, now=row.received_at, room=room_addresses())
    except Unreadable as error:
        return refused(error.code, error.sentence)
    if _was_here(row):
        return refused("replayed", "What is signed came before, and was acted on then.", answers=False)
    return act(row, believed(opened), sender)


def _was_here(row: InboundMail) -> bool:
    """Whether the same person sent it before, for the same organisation. Ids are anybody's to write: one that another
    used says nothing.
    """
    rows = InboundMail.objects.exclude(pk=row.pk).filter(signature=InboundMail.Signature.GOOD)
    rows = rows.filter(sender=row.sender, organisation=row.organisation)
    rows = rows.exclude(state=State.REFUSED).exclude(state=State.WAITING)
    return rows.filter(signed=row.signed).exists() or (
        bool(row.message_id) and rows.filter(message_id=row.message_id).exists()
    )


def act(row: InboundMail, mail: Believed, sender: Sender) -> End:
    """Do what a mail asks for, in the name of its sender."""
    if mail.is_series:
        return patches.take(row, mail, sender)
    if mail.head.thread:
        return answers.take(mail, sender)
    return refused("nothing-to-do", f"It holds no patch and answers none. {patches.HOW}")
