"""Clear-signed texts and what is proven by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pysequoia import ArmorKind, armor
from pysequoia.packet import PacketPile

from xsa.formats.errors import FormatError
from xsa.formats.signature import clear_sign, make_demo_key, split_clearsigned, verify

SHA1 = 2
TEXT = b"Kettle\n- a point\n-- dashes\nFrom here\ntrailing  \n\nCaf\xc3\xa9\n"


@pytest.fixture(scope="module")
def key() -> tuple[bytes, bytes]:
    return make_demo_key("Security Engineer One", "one@example.org")


@pytest.fixture(scope="module")
def signed(key) -> bytes:
    return clear_sign(TEXT, key[0])


def test_a_good_signature_names_its_key_and_time(key, signed):
    found = verify(signed, [key[1]])
    assert found.state == "good"
    assert len(found.fingerprint) == 40
    assert found.created is not None
    assert timedelta(0) <= datetime.now(UTC) - found.created < timedelta(minutes=5)


def test_the_payload_comes_back_without_escapes(signed):
    payload, armor = split_clearsigned(signed)
    assert [line.rstrip() for line in payload.split(b"\n")][:6] == [line.rstrip() for line in TEXT.split(b"\n")][:6]
    assert armor is not None
    assert armor.startswith(b"-----BEGIN PGP SIGNATURE-----")


def test_crlf_on_the_way_breaks_nothing(key, signed):
    assert verify(signed.replace(b"\n", b"\r\n"), [key[1]]).state == "good"


def test_a_footer_of_a_mailing_list_breaks_nothing(key, signed):
    assert verify(b"Hello,\n\n" + signed + b"\n_____\nlist\n", [key[1]]).state == "good"


def test_latin_1_is_signed_and_checked_as_bytes(key):
    assert verify(clear_sign(b"Caf\xe9\n", key[0]), [key[1]]).state == "good"


def test_a_changed_text_is_bad(key, signed):
    assert verify(signed.replace(b"Kettle", b"Kittle"), [key[1]]).state == "bad"


def test_a_line_slipped_into_the_armor_headers_is_not_taken_for_signed_text(key, signed):
    forged = signed.replace(b"\n\n", b"\nComment: x\n \t\nForged line\n\n", 1)
    assert b"Forged line" in split_clearsigned(forged)[0]
    assert verify(forged, [key[1]]).state == "bad"


def test_signed_text_that_the_reader_would_not_show_is_bad(key):
    signed = clear_sign(b"Hidden warning\n\nShown text\n", key[0])
    forged = signed.replace(b"\n\nHidden", b"\n\x0c\nHidden", 1)
    assert b"Hidden" not in split_clearsigned(forged)[0]
    assert verify(forged, [key[1]]).state == "bad"


def test_an_unknown_key_is_not_a_bad_signature(signed):
    _, other = make_demo_key("Security Engineer Two", "two@example.org")
    found = verify(signed, [other])
    assert found.state == "unknown-key"
    assert len(found.fingerprint) == 40
    assert verify(signed, []).state == "unknown-key"


def test_one_of_several_certificates_is_enough(key, signed):
    _, other = make_demo_key("Security Engineer Two", "two@example.org")
    assert verify(signed, [other, key[1]]).state == "good"
    assert verify(signed, [other + key[1]]).state == "good"


def test_an_unsigned_text_has_no_signature():
    assert verify(TEXT, []).state == "none"
    assert split_clearsigned(TEXT) == (TEXT, None)


@pytest.mark.parametrize("keep", [-60, -200])
def test_a_cut_armor_is_broken(key, signed, keep):
    assert verify(signed[:keep], [key[1]]).state == "broken"


def test_a_signature_that_was_cut_off_is_broken_and_the_text_still_read(key, signed):
    start = signed.index(b"-----BEGIN PGP SIGNATURE")
    assert verify(signed[:start], [key[1]]).state == "broken"
    assert split_clearsigned(signed[:start])[1] == b""
    assert split_clearsigned(signed[:start])[0].startswith(b"Kettle\n- a point\n")


def test_a_certificate_that_is_none_is_a_setting_to_mend(signed):
    with pytest.raises(FormatError) as caught:
        verify(signed, [b"no certificate"])
    assert caught.value.code == "bad-certificate"


def test_a_sha_1_signature_is_weak_even_with_its_key(key, signed):
    found = verify(with_digest(signed, SHA1), [key[1]])
    assert found.state == "weak"
    assert len(found.fingerprint) == 40


def with_digest(signed: bytes, algorithm: int) -> bytes:
    """`signed` with another digest algorithm in its signature packet (RFC 9580, section 5.2.3)."""
    start = signed.index(b"-----BEGIN PGP SIGNATURE")
    packet = next(iter(PacketPile.from_bytes(signed[start:])))
    raw, body = bytes(packet), bytes(packet.body)
    at = raw.index(body) + 3
    return signed[:start] + armor(raw[:at] + bytes([algorithm]) + raw[at + 1 :], ArmorKind.Signature).encode()
