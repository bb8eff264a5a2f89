"""OpenPGP clear-signing (RFC 9580, section 7): taking it apart, checking it, and making it for the demo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import pysequoia
from pysequoia.packet import HashAlgorithm, Packet, PacketPile, Tag

from .errors import FormatError

State = Literal["good", "bad", "unknown-key", "none", "weak", "broken"]

_BEGIN = re.compile(rb"^-----BEGIN PGP SIGNED MESSAGE-----[ \t\r]*$", re.M)
_ARMOR = re.compile(rb"^-----BEGIN PGP SIGNATURE-----[ \t\r]*$", re.M)
_END = re.compile(rb"^-----END PGP SIGNATURE-----[ \t\r]*$", re.M)
_BLANK = re.compile(rb"^[ \t\r]*\n", re.M)
_DASHED = re.compile(rb"^- ", re.M)
_WEAK_HASHES = (HashAlgorithm.MD5, HashAlgorithm.SHA1, HashAlgorithm.RipeMD)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature proves.

    `fingerprint` is the primary key's for `good`, else the issuer's as the signature claims it
    (40 upper-case hex digits, a key id of 16, or ""). `created` is when the text was signed, in UTC,
    as the signature claims it. Only `good` proves anything.
    """

    state: State
    fingerprint: str
    sentence: str
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignedParts:
    """A file cut at its clear-signing: `block` is the signed part as it stood, `outside` the rest."""

    payload: bytes
    armor: bytes | None
    block: bytes
    outside: bytes


def cut(data: bytes) -> SignedParts:
    """Finds the first clear-signed block; without one everything is payload and `armor` is None."""
    begin = _BEGIN.search(data)
    if begin is None:
        return SignedParts(data, None, data, b"")
    blank = _BLANK.search(data, begin.end() + 1)
    start = blank.end() if blank else len(data)
    armor = _ARMOR.search(data, start)
    if armor is None:
        return SignedParts(_unescape(data[start:]), b"", data[begin.start() :], data[: begin.start()])
    end = _END.search(data, armor.end())
    stop = end.end() if end else len(data)
    return SignedParts(
        payload=_unescape(data[start : armor.start()]),
        armor=data[armor.start() : stop],
        block=data[begin.start() : stop] + b"\n",
        outside=data[: begin.start()] + data[stop:],
    )


def split_clearsigned(data: bytes) -> tuple[bytes, bytes | None]:
    """The signed text without its dash escapes, and the signature's armor.

    The armor is None for a text that is not signed, and b"" for one whose signature was cut off.
    """
    parts = cut(data)
    return parts.payload, parts.armor


def verify(data: bytes, certs: Sequence[bytes]) -> Signature:
    """Checks the clear-signed text `data` against the certificates (binary or armored).

    Raises FormatError("bad-certificate") when a certificate cannot be read: that is a setting of
    this installation, not a property of the text.
    """
    known = [cert for data_ in certs for cert in _read_certs(data_)]
    parts = cut(data)
    if parts.armor is None:
        return Signature("none", "", "The text is not signed.")
    try:
        packets = [packet for packet in PacketPile.from_bytes(parts.armor) if packet.tag == Tag.Signature]
    except Exception:
        packets = []
    if not packets:
        return Signature("broken", "", "The signature cannot be read; fetch the file again.")
    return replace(_judge(parts, packets[0], known), created=_created(packets[0]))


def make_demo_key(name: str, email: str) -> tuple[bytes, bytes]:
    """A new key without a password: (secret key, certificate), both armored. For demonstrations and tests."""
    secret = pysequoia.Tsk.generate(user_id=f"{name} <{email}>")
    return str(secret).encode(), str(secret.extract_certificate()).encode()


def clear_sign(data: bytes, secret: bytes) -> bytes:
    """`data` clear-signed with a secret key that has no password."""
    signer = pysequoia.Tsk.from_bytes(secret).signer()
    return bytes(pysequoia.sign(signer, data, mode=pysequoia.SignatureMode.CLEAR))


def _unescape(data: bytes) -> bytes:
    return _DASHED.sub(b"", data)


def _read_certs(data: bytes) -> list[pysequoia.Cert]:
    try:
        certs = list(pysequoia.Cert.split_bytes(data))
    except Exception:
        certs = []
    if not certs:
        raise FormatError("bad-certificate", "A signing certificate cannot be read; give an OpenPGP public key.")
    return certs


def _created(packet: Packet) -> datetime | None:
    created: datetime | None = packet.signature_created
    return created.astimezone(UTC) if created else None


def _judge(parts: SignedParts, packet: Packet, known: list[pysequoia.Cert]) -> Signature:
    issuer = (packet.issuer_fingerprint or packet.issuer_key_id or "").upper()
    if packet.hash_algorithm in _WEAK_HASHES:
        return Signature("weak", issuer, "The signature uses an outdated digest (SHA-1 or older) and proves nothing.")
    candidates = [cert for cert in known if not issuer or issuer in _key_ids(cert)]
    if not candidates:
        return Signature("unknown-key", issuer, "The text is signed by a key that this installation does not know.")
    return _check(parts, issuer, candidates)


def _check(parts: SignedParts, issuer: str, candidates: list[pysequoia.Cert]) -> Signature:
    try:
        result = pysequoia.verify(bytes=parts.block, store=lambda _ids: candidates)
    except Exception:
        return Signature("bad", issuer, _bad_sentence(candidates))
    if not result.valid_sigs or _canonical(result.bytes or b"") != _canonical(parts.payload):
        return Signature("bad", issuer, "The signature covers another text than the one that is shown.")
    fingerprint = result.valid_sigs[0].certificate.upper()
    return Signature("good", fingerprint, "The signature is good.")


def _bad_sentence(candidates: list[pysequoia.Cert]) -> str:
    if any(cert.is_revoked for cert in candidates):
        return "The signing key is revoked; do not trust this text."
    return "The signature does not fit the text: the text was changed, or the key was not valid when it signed."


def _key_ids(cert: pysequoia.Cert) -> set[str]:
    packets = PacketPile.from_bytes(bytes(cert))
    ids = {name for packet in packets for name in (packet.fingerprint, packet.key_id) if name}
    return {name.upper() for name in ids}


def _canonical(data: bytes) -> bytes:
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    return b"\n".join(line.rstrip(b" \t\r") for line in lines).rstrip(b"\n")
