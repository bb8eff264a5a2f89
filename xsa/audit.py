"""Who saw, downloaded, changed, invited and disclosed what, when and from where.

`record` appends inside the transaction of what it tells of: where it fails, that fails too. Each record holds the
hash of the one before, so that none can be changed, removed, inserted or moved without `verify` seeing it; what was
cut off at the end is seen with a head hash that was kept elsewhere.

A record's hash is the SHA-256, in hexadecimal, of its canonical JSON in UTF-8: an object of the columns of `HASHED`,
keys sorted, no white space, nothing but ASCII, ids as text, `at` in ISO 8601 with microseconds and `+00:00`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from .belonging import memberships
from .identity import everything
from .models import Advisory, AuditRecord, Organisation, User

FIRST = "0" * 64  # what the first record holds as the hash of the one before it
LOCK = 0x7861_7564  # the one lock of the chain's end
BATCH = 2_000
HASHED = (
    "id",
    "position",
    "at",
    "verb",
    "actor",
    "actor_name",
    "organisation",
    "organisations",
    "advisories",
    "kind",
    "thing",
    "address",
    "detail",
    "previous",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """From where something is asked: the address, and the id of the token where one was used."""

    address: str = ""
    token: str = ""


HERE = Origin()
# Where an operator's command comes from.
MACHINE = "the machine itself"
_origin: ContextVar[Origin] = ContextVar("origin", default=HERE)


@contextmanager
def coming_from(address: str, token: str = "") -> Iterator[None]:
    """Inside the block, records say that this is where it comes from."""
    before = _origin.set(Origin(address, token))
    try:
        yield
    finally:
        _origin.reset(before)


_waiting: ContextVar[list[AuditRecord] | None] = ContextVar("waiting", default=None)


@contextmanager
def at_the_end() -> Iterator[None]:
    """Keep records that are made inside back to the block's end, for work that takes long inside one transaction.

    So others wait for the chain's end only while it is written. When the block fails, none is.
    """
    if _waiting.get() is not None:
        yield
        return
    rows: list[AuditRecord] = []
    token = _waiting.set(rows)
    try:
        yield
    finally:
        _waiting.reset(token)
    with transaction.atomic(savepoint=False), everything("audit"):
        for row in rows:
            _append(row)


def record(
    verb: str,
    *,
    actor: User | None,
    advisory: Advisory | None = None,
    advisories: Iterable[int] = (),
    thing: Model | None = None,
    organisation: Organisation | None = None,
    once_in: timedelta | None = None,
    **detail: Any,
) -> AuditRecord | None:
    """Append what `actor` (None: the system) did or saw; call it last: until the end nobody else can append.

    `advisories` are numbers, beside `advisory`; `organisation` is one that it was done to, whose people may read of
    it. `detail` holds ids, counts and codes. With `once_in` a same record within that time stands for this one, and
    None is returned (not inside `at_the_end`).
    """
    numbers = sorted({*advisories, *([advisory.number] if advisory else [])})
    row = AuditRecord(
        verb=verb,
        advisories=numbers,
        kind=str(thing._meta.verbose_name)[:40] if thing else "",
        thing=str(thing.pk) if thing else "",
        address=_text(_origin.get().address)[:64],
        detail=_plain(detail),
        **_whose(actor, organisation),
    )
    if (waiting := _waiting.get()) is not None:
        waiting.append(row)
        return row
    with transaction.atomic(savepoint=False), everything("audit"):
        if once_in and _told(row, timezone.now() - once_in):
            return None
        _append(row)
    return row


def _whose(actor: User | None, organisation: Organisation | None) -> dict[str, Any]:
    """The columns that tell who it was, in words that hold when the person is gone."""
    if actor is None:
        return {"organisations": [organisation.pk] if organisation else []}
    own = {one.organisation_id: one.organisation.name for one in memberships(actor.pk)}
    readers = {*own, *([organisation.pk] if organisation else [])}
    return {
        "actor": str(actor.pk),
        "actor_name": _text(actor.get_username())[:200],
        "organisation": "; ".join(own.values()),
        "organisations": sorted(readers),
    }


def _text(value: str) -> str:
    """Without what no column of PostgreSQL takes."""
    return value.replace("\0", "\u2400").replace("\\u0000", "\u2400").encode("utf-8", "replace").decode()


def _plain(detail: dict[str, Any]) -> dict[str, Any]:
    """As it will be read back; with the token that was used."""
    if _origin.get().token:
        detail = {**detail, "token": _origin.get().token}
    found: dict[str, Any] = json.loads(_text(json.dumps(detail, default=str, ensure_ascii=False)))
    return found


def _told(row: AuditRecord, since: datetime) -> bool:
    same = {name: getattr(row, name) for name in ("actor", "verb", "advisories", "kind", "thing", "address", "detail")}
    return AuditRecord.objects.filter(at__gte=since, **same).exists()


def _append(row: AuditRecord) -> None:
    """Behind the last record, which nobody else can follow before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    last = AuditRecord.objects.order_by("-position").values("position", "hash").first()
    row.position = last["position"] + 1 if last else 1
    row.previous = last["hash"] if last else FIRST
    row.at = timezone.now()
    row.hash = digest({name: getattr(row, name) for name in HASHED})
    row.save(force_insert=True)


def digest(columns: dict[str, Any]) -> str:
    """The hash of a record's columns, as the module's text says."""
    text = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_canonical)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a record.")


@dataclass(frozen=True, slots=True)
class Verified:
    """How many records hold, the hash of the last of them, and what is wrong with the one after it ("" if nothing)."""

    count: int
    head: str
    position: int = 0
    broken: str = ""


def verify(*, holds: str = "") -> Verified:
    """Walk the chain from its start to the first record that is not what was appended.

    `holds` is a head hash that was kept elsewhere: some record must still have it. Needs to see every record.
    """
    count, head, met = 0, FIRST, not holds
    for row in _walk():
        if broken := _wrong(row, count, head):
            return Verified(count, head, row["position"], broken)
        count, head = row["position"], row["hash"]
        met = met or head == holds
    if not met:
        return Verified(
            count, head, count + 1, "no record has the hash that was kept: the end was cut off, or rewritten"
        )
    return Verified(count, head)


def _walk() -> Iterator[dict[str, Any]]:
    position = None
    while True:
        rows = AuditRecord.objects.order_by("position", "pk").values(*HASHED, "hash")
        batch = list((rows if position is None else rows.filter(position__gt=position))[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        position = batch[-1]["position"]


def _wrong(row: dict[str, Any], count: int, head: str) -> str:
    if row["position"] != count + 1:
        return f"record {count + 1} is missing"
    if row["previous"] != head:
        return "it does not follow the record before it"
    if row["hash"] != digest({name: row[name] for name in HASHED}):
        return "its content is not what was appended"
    return ""
