"""Whether mail can be encrypted to a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backports.pgp import KeyState, RoomKey, inspect
from backports.pgp.keys import soon_over
from tests.pgp.keys import CURVE, CURVE_FOR_SHORT, NO_PART, RSA, Correspondent, ring


def now() -> datetime:
    return datetime.now(UTC)


def test_keys_of_both_implementations_are_usable() -> None:
    reader = Correspondent()
    found = inspect(reader.public, now=now())
    assert (found.state, found.fingerprint, found.names) == (
        KeyState.USABLE,
        reader.fingerprint,
        ("Example Team <team@example.org>",),
    )
    with ring() as made:
        fingerprint = made.make(CURVE)
        assert inspect(made.public(), now=now(), fingerprint=fingerprint).state == KeyState.USABLE
        assert inspect(made.public(), now=now(), fingerprint="A" * 40).state == KeyState.BROKEN


def test_an_expired_key_and_one_about_to_be() -> None:
    with ring() as made:
        made.make(CURVE_FOR_SHORT)
        public = made.public()
    found = inspect(public, now=now())
    assert found.state == KeyState.USABLE
    assert found.expires_at is not None
    assert abs(found.expires_at - now() - timedelta(days=5)) < timedelta(minutes=5)
    assert soon_over(found, now=now(), within=timedelta(days=30))
    assert not soon_over(found, now=now(), within=timedelta(days=1))
    assert inspect(public, now=now() + timedelta(days=6)).state == KeyState.EXPIRED


def test_a_revoked_key() -> None:
    with ring() as made:
        fingerprint = made.make(CURVE)
        text = (made.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        made.gpg("--import", data=text.replace(":-----BEGIN", "-----BEGIN").encode())
        assert inspect(made.public(), now=now()).state == KeyState.REVOKED


def test_a_weak_key_and_one_without_a_part_for_encryption() -> None:
    with ring() as made:
        made.make(RSA.format(bits=1024))
        assert inspect(made.public(), now=now()).state == KeyState.WEAK
    with ring() as made:
        made.make(NO_PART)
        assert inspect(made.public(), now=now()).state == KeyState.BROKEN


def test_what_is_no_key_of_one_person(room_key: RoomKey) -> None:
    reader = Correspondent()
    assert inspect(" \n", now=now()).state == KeyState.MISSING
    assert inspect("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n", now=now()).state == KeyState.BROKEN
    assert inspect(reader.public + room_key.public, now=now()).state == KeyState.BROKEN
    assert inspect(room_key.secret.decode(), now=now()).state == KeyState.BROKEN


@pytest.mark.parametrize("cut", [200, 400, -150])
def test_a_key_that_was_cut_is_not_usable(cut: int) -> None:
    assert inspect(Correspondent().public[:cut], now=now()).state == KeyState.BROKEN
