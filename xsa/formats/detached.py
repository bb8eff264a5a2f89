"""Detached signatures over a short text, as `gpg --armor --detach-sign` and `ssh-keygen -Y sign` write them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pysequoia
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from .errors import FormatError

Kind = Literal["openpgp", "ssh"]
State = Literal["good", "intact", "unchecked"]
LONGEST = 50_000  # characters; the largest that gpg makes has a few thousand
_SSH = re.compile(r"-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----")
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_CURVES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "nistp256": hashes.SHA256,
    "nistp384": hashes.SHA384,
    "nistp521": hashes.SHA512,
}


@dataclass(frozen=True, slots=True)
class Detached:
    """What a signature proves: `good`, made by one of the keys that are known; `intact`, made over this text by the
    key `signer`, which nobody vouches for; `unchecked`, nothing, for its key is not here. `signer` is a fingerprint.
    """

    kind: Kind
    state: State
    signer: str


def check_detached(text: bytes, signature: str, *, certs: Sequence[str] = (), namespace: str) -> Detached:
    """What `signature` proves of `text`; `certs` are OpenPGP keys that are known, armoured.

    `namespace` is what an SSH signature must be for. Raises FormatError for what is no such signature, and for one
    that was made over something else.
    """
    if len(signature) > LONGEST:
        raise FormatError("signature-too-long", f"A signature has at most {LONGEST} characters.")
    if found := _SSH.search(signature):
        return _check_ssh(text, found[1], namespace)
    if "-----BEGIN PGP SIGNATURE-----" in signature:
        return _check_openpgp(text, signature, certs)
    sentence = "This is no detached signature: give what `gpg --armor --detach-sign` or `ssh-keygen -Y sign` writes."
    raise FormatError("no-signature", sentence)


def _other_text() -> FormatError:
    sentence = "The signature was made over another text. Take the text to sign anew, sign it as it is, and send that."
    return FormatError("other-text", sentence)


def _malformed() -> FormatError:
    return FormatError(
        "malformed-signature", "The signature cannot be read. Copy all of it, with its first and last line."
    )


def _check_openpgp(text: bytes, signature: str, certs: Sequence[str]) -> Detached:
    try:
        packet = pysequoia.Sig.from_bytes(signature.encode())
    except Exception as error:
        raise _malformed() from error
    issuer = (packet.issuer_fingerprint or packet.issuer_key_id or "").upper()
    known = [pysequoia.Cert.from_bytes(cert.encode()) for cert in certs if cert]
    try:
        result = pysequoia.verify(bytes=text, store=lambda _ids: known, signature=packet)
    except Exception as error:
        if _is_of(packet, known):
            raise _other_text() from error
        return Detached("openpgp", "unchecked", issuer)
    return Detached("openpgp", "good", result.valid_sigs[0].certificate.upper())


def _is_of(signature: pysequoia.Sig, certs: Sequence[pysequoia.Cert]) -> bool:
    """Whether one of the keys, or of their subkeys, claims to have made it."""
    wanted = {name.upper() for name in (signature.issuer_fingerprint, signature.issuer_key_id) if name}
    packets = [packet for cert in certs for packet in pysequoia.packet.PacketPile.from_bytes(bytes(cert))]
    return any(name.upper() in wanted for packet in packets for name in (packet.fingerprint, packet.key_id) if name)


class _Reader:
    """Strings of the SSH wire format, one after another."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if len(found) != size:
            raise _malformed()
        self.at += size
        return found

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _check_ssh(text: bytes, body: str, namespace: str) -> Detached:
    """As openssh's PROTOCOL.sshsig has it."""
    try:
        reader = _Reader(base64.b64decode("".join(body.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        raise _malformed() from error
    if reader.take(6) != b"SSHSIG" or reader.take(4) != b"\0\0\0\1":
        raise _malformed()
    key, used, reserved, algorithm, made = (reader.string() for _ in range(5))
    if used.decode("ascii", "replace") != namespace:
        raise FormatError("other-namespace", f"The signature is for another purpose: sign with `-n {namespace}`.")
    if (digest := _HASHES.get(algorithm.decode("ascii", "replace"))) is None:
        raise _malformed()
    signed = b"SSHSIG" + b"".join(map(_string, (used, reserved, algorithm, digest(text).digest())))
    signer = "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
    return Detached("ssh", "intact" if _fits(key, made, signed) else "unchecked", signer)


def _fits(key: bytes, made: bytes, signed: bytes) -> bool:
    """Whether the key made it over this; False for kinds of keys that are not checked here. Raises FormatError."""
    kind = _Reader(key).string()
    try:
        public = load_ssh_public_key(kind + b" " + base64.b64encode(key))
    except (UnsupportedAlgorithm, ValueError) as error:
        if kind.startswith(b"sk-"):
            return False
        raise _malformed() from error
    reader = _Reader(made)
    name, value = reader.string(), reader.string()
    try:
        return _verified(public, kind, name, value, signed)
    except InvalidSignature as error:
        raise _other_text() from error


def _verified(public: object, kind: bytes, name: bytes, value: bytes, signed: bytes) -> bool:
    if kind.startswith(b"sk-"):
        return False
    if isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(value, signed)
        return True
    if isinstance(public, rsa.RSAPublicKey) and name in (b"rsa-sha2-256", b"rsa-sha2-512"):
        public.verify(value, signed, padding.PKCS1v15(), hashes.SHA256() if name.endswith(b"256") else hashes.SHA512())
        return True
    if isinstance(public, ec.EllipticCurvePublicKey):
        numbers = _Reader(value)
        r, s = (int.from_bytes(numbers.string(), "big") for _ in range(2))
        public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(_CURVES[name.decode()[-8:]]()))
        return True
    raise _malformed()
