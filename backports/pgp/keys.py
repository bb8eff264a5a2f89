"""Whether mail can be encrypted to a key, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from .home import Home

WEAKEST = 2048  # bits of an RSA, DSA or ElGamal key
_NUMBERS = {"1", "2", "3", "16", "17", "20"}  # algorithms whose strength is their length
TRIAL = b"A trial of this key.\n"


class KeyState(StrEnum):
    """What a key is good for: only `usable` is encrypted to."""

    USABLE = "usable"
    MISSING = "missing"
    EXPIRED = "expired"
    REVOKED = "revoked"
    WEAK = "weak"
    BROKEN = "broken"


SENTENCES = {
    KeyState.USABLE: "Mail can be encrypted to this key.",
    KeyState.MISSING: "There is no key.",
    KeyState.EXPIRED: "The key, or the part of it that mail is encrypted to, is expired.",
    KeyState.REVOKED: "The key, or the part of it that mail is encrypted to, is revoked.",
    KeyState.WEAK: f"The key is too weak: it has fewer than {WEAKEST} bits.",
    KeyState.BROKEN: "The key cannot be read, has no part for encryption, or failed a trial encryption.",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A public key as it stands at one moment. `fingerprint` is the primary key's, in full.

    `expires_at` is when mail can be encrypted to it no longer (UTC; None for never); `names` are its user ids.
    """

    state: KeyState
    fingerprint: str = ""
    expires_at: datetime | None = None
    names: tuple[str, ...] = ()
    armoured: str = ""

    @property
    def sentence(self) -> str:
        """What its state means."""
        return SENTENCES[self.state]


def inspect(armoured: str, *, now: datetime, fingerprint: str = "") -> Key:
    """The one public key in the text, and its state at `now`; `fingerprint` is the one that it must have, if any.

    Secret keys, several keys and anything else are `broken`. Raises PgpError only where GnuPG does not run.
    """
    if not armoured.strip():
        return Key(KeyState.MISSING)
    if "PRIVATE KEY" in armoured:
        return Key(KeyState.BROKEN)
    with Home(options=(f"--faked-system-time={now:%Y%m%dT%H%M%S}!",)) as home:
        home.gpg.import_keys(armoured)
        found = _only(home)
        if not found:
            return Key(KeyState.BROKEN)
        key = _judged(found, home, armoured, now)
    return Key(KeyState.BROKEN) if fingerprint and key.fingerprint != fingerprint else key


def _only(home: Home) -> dict[str, Any] | None:
    """The one key in the keyring."""
    rows = home.gpg.list_keys()
    home.known.update(row["fingerprint"] for row in rows)
    return rows[0] if len(rows) == 1 else None


def _judged(row: dict[str, Any], home: Home, armoured: str, now: datetime) -> Key:
    parts = [one for one in row.get("subkey_info", {}).values() if "e" in one["cap"]]
    parts += [row] if "e" in row["cap"] else []
    fingerprint = row["fingerprint"]
    names = tuple(one.encode("latin-1", "replace").decode("utf-8", "replace") for one in row["uids"])
    state = _state(row, parts, now)
    if state == KeyState.USABLE and not _passes_trial(home, fingerprint):
        state = KeyState.BROKEN
    return Key(state, fingerprint, _until(row, parts, now), names, _exported(home, fingerprint) or armoured)


def _state(row: dict[str, Any], parts: list[dict[str, Any]], now: datetime) -> KeyState:
    """Of the primary key, then of the best part that mail can be encrypted to."""
    if row["trust"] == "r":
        return KeyState.REVOKED
    if row["trust"] == "e" or _is_over(row, now):
        return KeyState.EXPIRED
    if _is_weak(row):
        return KeyState.WEAK
    states = [_part_state(one, now) for one in parts]
    order = (KeyState.USABLE, KeyState.WEAK, KeyState.EXPIRED, KeyState.REVOKED)
    return min(states, key=order.index, default=KeyState.BROKEN)


def _part_state(part: dict[str, Any], now: datetime) -> KeyState:
    if part["trust"] == "r":
        return KeyState.REVOKED
    if part["trust"] in ("e", "i") or _is_over(part, now):
        return KeyState.EXPIRED
    return KeyState.WEAK if _is_weak(part) else KeyState.USABLE


def _is_weak(part: dict[str, Any]) -> bool:
    return part["algo"] in _NUMBERS and int(part["length"]) < WEAKEST


def _is_over(part: dict[str, Any], now: datetime) -> bool:
    at = _moment(part["expires"])
    return at is not None and at <= now


def _moment(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text.isdigit() and int(text) else None


def _until(row: dict[str, Any], parts: list[dict[str, Any]], now: datetime) -> datetime | None:
    """When the primary key ends, or the last part that can be used, whichever comes first; None for never."""
    usable = [one for one in parts if _part_state(one, now) == KeyState.USABLE] or parts
    ends = [_moment(one["expires"]) for one in usable]
    last = None if None in ends or not ends else max(at for at in ends if at)
    return min((at for at in (last, _moment(row["expires"])) if at), default=None)


def _passes_trial(home: Home, fingerprint: str) -> bool:
    return bool(home.gpg.encrypt(TRIAL, [fingerprint], always_trust=True).ok)


def _exported(home: Home, fingerprint: str) -> str:
    return str(home.gpg.export_keys(fingerprint, minimal=True))


def soon_over(key: Key, *, now: datetime, within: timedelta) -> bool:
    """Whether mail can be encrypted to it still, but not for long."""
    return key.state == KeyState.USABLE and key.expires_at is not None and key.expires_at <= now + within
