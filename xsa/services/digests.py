"""What is kept of secrets that we made ourselves."""

from __future__ import annotations

import hashlib


def digest_of(secret: str) -> str:
    """The SHA-256 of 256 random bits, which nobody can guess, so that it needs neither salt nor slowness."""
    return hashlib.sha256(secret.encode()).hexdigest()
