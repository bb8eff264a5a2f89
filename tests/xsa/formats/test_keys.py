"""Organisations' keys: a public one that can be used, and a sentence for everything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pysequoia import Cert, Tsk

from xsa.formats.errors import FormatError
from xsa.formats.keys import LONGEST, read_key

NOW = datetime.now(UTC)
KEY = Tsk.generate("Example Member <security@member.example>")
PUBLIC, PRIVATE = str(KEY.extract_certificate()), str(KEY)


def test_a_public_key_is_kept_armoured_with_its_fingerprint() -> None:
    found = read_key(f"\r\n  {PUBLIC}\n", now=NOW)
    assert found.fingerprint == KEY.extract_certificate().fingerprint.upper()
    assert read_key(found.armoured, now=NOW) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PRIVATE, "private-key"),
        (PUBLIC[:300], "malformed-key"),
        ("0x1234", "malformed-key"),
        ("\0" * 50, "malformed-key"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\n-----END PGP PUBLIC KEY BLOCK-----", "malformed-key"),
        ("x" * (LONGEST + 1), "key-too-long"),
    ],
    # The key is another in each process.
    ids=["private", "cut", "an id", "zeros", "empty", "long"],
)
def test_anything_else_is_refused_with_a_sentence(text: str, code: str) -> None:
    with pytest.raises(FormatError) as refusal:
        read_key(text, now=NOW)
    assert refusal.value.code == code
    assert refusal.value.sentence.endswith(".")


def test_a_key_that_is_over_is_refused() -> None:
    ends = NOW + timedelta(days=300)
    text = str(KEY.extract_certificate().set_expiration(ends, KEY.certifier()))
    assert read_key(text, now=NOW)
    with pytest.raises(FormatError, match="expired"):
        read_key(text, now=ends + timedelta(seconds=1))


def test_a_key_that_was_revoked_is_refused() -> None:
    certificate = KEY.extract_certificate()
    revoked = Cert.from_bytes(bytes(certificate) + bytes(certificate.revoke(KEY.certifier())))
    with pytest.raises(FormatError, match="revoked"):
        read_key(str(revoked), now=NOW)
