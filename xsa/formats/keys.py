"""OpenPGP keys of organisations, to which mail is encrypted: read, and refused where nobody could use them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pysequoia

from .errors import FormatError

LONGEST = 200_000  # bytes; a key with many signatures of others has less


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as it is kept: armoured, with its fingerprint in upper-case hexadecimal digits."""

    armoured: str
    fingerprint: str


def read_key(text: str, *, now: datetime) -> PublicKey:
    """The public key in `text`. Raises FormatError for anything else, and for one that is revoked or over."""
    if len(text) > LONGEST:
        raise FormatError("key-too-long", f"A key has at most {LONGEST} bytes. Export it without others' signatures.")
    if "PRIVATE KEY" in text:
        raise FormatError("private-key", "This is a private key. Keep it to yourself, and give the public one.")
    try:
        found = pysequoia.Cert.from_bytes(text.encode())
    except RuntimeError as error:
        sentence = "This is no OpenPGP key that can be read: give what `gpg --armor --export` prints."
        raise FormatError("malformed-key", sentence) from error
    if found.is_revoked:
        raise FormatError("revoked-key", "This key is revoked.")
    if found.expiration is not None and found.expiration <= now:
        raise FormatError("expired-key", "This key is expired.")
    return PublicKey(str(found), found.fingerprint.upper())
