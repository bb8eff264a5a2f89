"""Whom mail servers tell of failures: an address with the mail's id and a proof, which nobody can make but we.

A Message-ID is seen by everybody who handles a mail; the proof is an HMAC by `SECRET_KEY`, so that who merely knows an
id cannot tell us that the mail came back, and so end its reader's digests.
"""

from __future__ import annotations

import logging
import re
from base64 import b32decode, b32encode
from collections.abc import Iterable
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from backports.mail import delivery
from backports.models import OutboxMail

from . import outbox

log = logging.getLogger(__name__)
_SALT = "backports.bounces"
_PROOF = 9  # bytes; with an id's 16 they are 40 letters, and the part before the @ may have 64
_NAMED = re.compile(r"[+]([a-z2-7]{40})@", re.IGNORECASE)


def address_of(pk: UUID) -> str:
    """The envelope's sender for a mail: `bounces+<id and proof>@…`, where `MAIL_BOUNCES` names an address."""
    user, _, domain = settings.MAIL_BOUNCES.rpartition("@")
    if not user:
        return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    # Base 32, since servers on the way may change the case of letters.
    name = b32encode(pk.bytes + _proof(pk, settings.SECRET_KEY)).decode("ascii").lower()
    return f"{user}+{name}@{domain}"


def note(raw: bytes) -> bool:
    """Tell the outbox which mail of ours came back, where a notice says and proves it; whether that is news."""
    failure = delivery.failure(raw)
    pk = _proved(failure.recipients) if failure else None
    mail = OutboxMail.objects.filter(pk=pk).first() if pk else None
    if failure is None or mail is None:
        log.info("bounce of no mail of ours")
        return False
    return outbox.bounced(mail, code=failure.status)


def _proved(recipients: Iterable[str]) -> UUID | None:
    for name in (found[1] for text in recipients for found in _NAMED.finditer(text)):
        data = b32decode(name.upper())
        pk, proof = UUID(bytes=data[:-_PROOF]), data[-_PROOF:]
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        if any(constant_time_compare(proof, _proof(pk, key)) for key in keys):
            return pk
    return None


def _proof(pk: UUID, key: str | bytes) -> bytes:
    return salted_hmac(_SALT, pk.bytes, secret=key, algorithm="sha256").digest()[:_PROOF]
