"""The room's own key: a file outside the database, which only the account that runs this can read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from .errors import PgpError
from .home import Home

LASTS = "2y"


@dataclass(frozen=True, slots=True)
class RoomKey:
    """The room's secret key and its certificate, both armoured; the secret has no password."""

    secret: bytes
    public: str
    fingerprint: str

    def __repr__(self) -> str:
        return f"RoomKey({self.fingerprint})"


def load_room_key(path: Path) -> RoomKey:
    """The key in the file. Raises PgpError `no-room-key`, `open-room-key` (others can read it) or `no-secret-key`."""
    try:
        mode, secret = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise PgpError("no-room-key", "The room has no key yet: make one with `manage.py room_key`.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise PgpError("open-room-key", "Others can read the room's key: give its file the mode 0600.")
    with Home(secret=secret) as home:
        public = str(home.gpg.export_keys(home.fingerprint))
        return RoomKey(secret, public, home.fingerprint)


def make_room_key(path: Path, *, name: str, address: str) -> RoomKey:
    """A new key without a password in a new file of mode 0600. Raises PgpError `room-key-exists` or `no-key-made`."""
    if path.exists():
        raise PgpError("room-key-exists", "The room has a key already; move its file away to make another one.")
    secret = _generated(name, address)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
    return load_room_key(path)


def _generated(name: str, address: str) -> bytes:
    """An Ed25519 key to sign with, and one to be encrypted to."""
    with Home(agent=True) as home:
        wanted = home.gpg.gen_key_input(
            key_type="EDDSA",
            key_curve="ed25519",
            key_usage="sign",
            subkey_type="ECDH",
            subkey_curve="cv25519",
            subkey_usage="encrypt",
            no_protection=True,
            name_real=name,
            name_email=address,
            expire_date=LASTS,
        )
        made = home.gpg.gen_key(wanted)
        if not made.fingerprint:
            raise PgpError("no-key-made", "GnuPG made no key.")
        return str(home.gpg.export_keys(made.fingerprint, secret=True, expect_passphrase=False)).encode()
