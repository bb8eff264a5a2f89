"""OpenPGP keys of organisations and people: pinned with proof that they hold them, judged, rotated, and warned about.

The proof is a text of ours that is signed with the key. It names whose key it is to be and who asked, and is good for
an hour; nothing is kept of it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import shared_task
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.utils import timezone

from backports.pgp import Home, Key, KeyState, PgpError, inspect
from xsa import audit
from xsa.identity import everything
from xsa.models import Organisation, PgpKey, User

from . import outbox
from .errors import NotDone

log = logging.getLogger(__name__)
Holder = Organisation | User
PROOF_LASTS = timedelta(hours=1)
OVERLAP = timedelta(days=30)
WARN_DAYS = (60, 30, 14, 7, 3, 1)
LONGEST = 200_000  # characters of a key or a proof
_SIGNER = TimestampSigner(salt="backports.keys", sep=":")
_FIRST = "I hold this OpenPGP key, and mail of the Xen backports room is to be encrypted to it."


@dataclass(frozen=True, slots=True)
class Standing:
    """How a holder stands: the key that mail is encrypted to now, or None, and the state of the newest one."""

    current: PgpKey | None
    state: KeyState

    @property
    def usable(self) -> bool:
        """Whether content can be sent at all."""
        return self.current is not None


def challenge(actor: User, holder: Holder) -> str:
    """The text that the holder of a key signs with it."""
    return f"{_FIRST}\n{_SIGNER.sign(f'{_name(holder)}/{actor.pk}/{secrets.token_hex(8)}')}\n"


def _name(holder: Holder) -> str:
    return f"{'organisation' if isinstance(holder, Organisation) else 'person'}/{holder.pk}"


def _of(holder: Holder) -> dict[str, Holder]:
    return {"organisation" if isinstance(holder, Organisation) else "person": holder}


@transaction.atomic
def add(actor: User, *, holder: Holder, armoured: str, proof: str) -> PgpKey:
    """Pin a key from now on; those before it check signatures for `OVERLAP` more. Raises NotDone."""
    now = timezone.now()
    key = _readable(armoured, now)
    _demand_proof(actor, holder, key, proof)
    live = PgpKey.objects.filter(ended_at=None, **_of(holder))
    if live.filter(fingerprint=key.fingerprint).exists():
        live.filter(fingerprint=key.fingerprint).update(ended_at=now)
    live.filter(retires_at=None).update(retires_at=now + OVERLAP)
    row = PgpKey.objects.create(
        armoured=key.armoured,
        fingerprint=key.fingerprint,
        state=key.state,
        expires_at=key.expires_at,
        checked_at=now,
        added_by=actor,
        added_at=now,
        **_of(holder),
    )
    _pin(holder, row)
    _record("pgp-key-added", actor, row)
    return row


def _readable(armoured: str, now: datetime) -> Key:
    if len(armoured) > LONGEST:
        raise NotDone("key-too-long", "Export the key without others' signatures: it is too long.", "armoured")
    if "PRIVATE KEY" in armoured:
        raise NotDone("private-key", "This is a private key. Keep it to yourself, and give the public one.", "armoured")
    key = inspect(armoured, now=now)
    if key.state != KeyState.USABLE:
        raise NotDone(f"{key.state}-key", key.sentence, "armoured")
    return key


def _demand_proof(actor: User, holder: Holder, key: Key, proof: str) -> None:
    with Home(publics=[key.armoured]) as home:
        opened = home.open(proof[:LONGEST].replace("\r\n", "\n").encode())
    if opened.data is None or opened.seal.state != "good" or opened.seal.fingerprint != key.fingerprint:
        sentence = (
            "The text is not signed by this key. Sign it as it stands with `gpg --clearsign`, and give all of it."
        )
        raise NotDone("no-proof", sentence, "proof")
    signed = opened.data.decode("utf-8", "replace").strip().split("\n")
    if len(signed) != 2 or signed[0].strip() != _FIRST:
        raise NotDone("other-text", "The signed text is another one than this page gave.", "proof")
    try:
        named = _SIGNER.unsign(signed[1].strip(), max_age=PROOF_LASTS)
    except BadSignature as error:
        sentence = "The signed text is older than an hour, or was not given by this page. Sign the new one."
        raise NotDone("stale-proof", sentence, "proof") from error
    if named.rpartition("/")[0] != f"{_name(holder)}/{actor.pk}":
        raise NotDone("other-holder", "The signed text was given to somebody else, or for another holder.", "proof")


@transaction.atomic
def end(actor: User, *, key: PgpKey) -> None:
    """Neither encrypt to it nor believe its signatures any more, at once."""
    if not PgpKey.objects.filter(pk=key.pk, ended_at=None).update(ended_at=timezone.now()):
        return
    holder = key.organisation or key.person
    if holder:
        _pin(holder, standing(holder).current)
    _record("pgp-key-ended", actor, key)


def _pin(holder: Holder, row: PgpKey | None) -> None:
    """An organisation's reviews are checked by the key that its row names."""
    if isinstance(holder, Organisation):
        values = {"pgp_key": row.armoured if row else "", "pgp_fingerprint": row.fingerprint if row else ""}
        Organisation.objects.filter(pk=holder.pk).update(**values)


def _record(verb: str, actor: User | None, row: PgpKey) -> None:
    log.info("%s key=%s", verb, row.pk)
    audit.record(verb, actor=actor, thing=row, organisation=row.organisation, key=row.fingerprint)


def pinned(holder: Holder) -> list[PgpKey]:
    """Every key that was not ended, newest first."""
    return list(PgpKey.objects.filter(ended_at=None, **_of(holder)))


def live_keys(holder: Holder, *, now: datetime | None = None) -> list[PgpKey]:
    """The keys whose signatures are the holder's, newest first; those that retired or ended are not."""
    now = now or timezone.now()
    rows = PgpKey.objects.filter(ended_at=None, **_of(holder))
    return [row for row in rows if row.retires_at is None or row.retires_at > now]


def standing(holder: Holder, *, now: datetime | None = None) -> Standing:
    """By which key mail goes to the holder now."""
    now = now or timezone.now()
    rows = live_keys(holder, now=now)
    usable = [row for row in rows if state_now(row, now) == KeyState.USABLE]
    newest = state_now(rows[0], now) if rows else KeyState.MISSING
    return Standing(usable[0] if usable else None, newest)


def state_now(row: PgpKey, now: datetime) -> KeyState:
    """The key's state by what was last found out of it, and by the clock."""
    state = KeyState(row.state)
    over = row.expires_at is not None and row.expires_at <= now
    return KeyState.EXPIRED if state == KeyState.USABLE and over else state


def holders_of(fingerprint: str) -> list[PgpKey]:
    """Every live key with this full fingerprint, with its holder."""
    rows = PgpKey.objects.filter(fingerprint=fingerprint, ended_at=None).select_related("organisation", "person")
    now = timezone.now()
    return [row for row in rows if row.retires_at is None or row.retires_at > now]


@shared_task(name="backports.check_keys")
@everything("mail")
def check_keys() -> int:
    """On schedule: judge every key anew, and warn where one is over or soon will be; how many alarms that made."""
    now = timezone.now()
    rows = PgpKey.objects.filter(ended_at=None).select_related("organisation", "person")
    return sum(_check(row, now) for row in list(rows) if row.retires_at is None or row.retires_at > now)


@transaction.atomic
def _check(row: PgpKey, now: datetime) -> int:
    try:
        key = inspect(row.armoured, now=now, fingerprint=row.fingerprint)
    except PgpError as error:
        log.error("key not checked key=%s code=%s", row.pk, error.code)
        return 0
    row.state, row.expires_at, row.checked_at = key.state, key.expires_at, now
    days = _days_to_warn_of(row, now)
    due = days is not None and (row.warned_days is None or days < row.warned_days) and row.retires_at is None
    if due:
        row.warned_days = days
    row.save(update_fields=["state", "expires_at", "checked_at", "warned_days"])
    if due:
        warn(row, now, days or 0)
    return int(due)


def _days_to_warn_of(row: PgpKey, now: datetime) -> int | None:
    """0 for a key that is of no use, else the least of `WARN_DAYS` that its end is within; None where all is well."""
    if state_now(row, now) != KeyState.USABLE:
        return 0
    left = None if row.expires_at is None else row.expires_at - now
    return min((days for days in WARN_DAYS if left is not None and left <= timedelta(days=days)), default=None)


def warn(row: PgpKey, now: datetime, days: int) -> None:
    """An alarm about a key, to its holder and to the security team."""
    whose = row.organisation.name if row.organisation else str(row.person)
    state = state_now(row, now)
    if state == KeyState.USABLE:
        what = f"ends on {row.expires_at:%Y-%m-%d %H:%M} UTC"
    else:
        what = f"cannot be used any more ({state})"
    text = (
        f"The OpenPGP key {row.fingerprint} of {whose} {what}.\n\n"
        "Without a usable key, mail to its holder says that there is news, and nothing else. Add a new key on the page "
        "of keys; the old one stays good for signatures for 30 days."
    )
    alarm(
        row.organisation, row.person, event=f"key {row.pk} {days}", subject="An OpenPGP key needs attention", text=text
    )


def alarm(organisation: Organisation | None, person: User | None, *, event: str, subject: str, text: str) -> None:
    """Tell a holder and the security team something that is no secret."""
    readers: Iterable[tuple[Organisation | None, User | None]] = [
        (organisation, person),
        *((team, None) for team in Organisation.objects.filter(security_team=True, left_at=None)),
    ]
    for place, someone in dict.fromkeys(readers):
        outbox.queue("alarm", event=event, organisation=place, person=someone, written=outbox.Written(subject, text))
