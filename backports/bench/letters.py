"""Mails as members' programs write them, for the bench and the tests: signed and encrypted with Sequoia, so that what
the room opens with GnuPG was made by another implementation.
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pysequoia

PROTECTED = ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References")
_EOL = re.compile(rb"\r?\n")


def signed(raw: bytes, secret: bytes, *, protect: bool = True) -> bytes:
    """A mail signed as OpenPGP/MIME; its headers stand under the signature too, unless told otherwise."""
    content = _content(raw, protect=protect)
    made = pysequoia.sign(pysequoia.Tsk.from_bytes(secret).signer(), content, mode=pysequoia.SignatureMode.DETACHED)
    head = 'Content-Type: multipart/signed; micalg=pgp-sha512; protocol="application/pgp-signature"; boundary="signed"'
    parts = b"--signed\r\n" + content + b"\r\n--signed\r\nContent-Type: application/pgp-signature\r\n\r\n"
    return _outer(raw) + _crlf(head.encode()) + b"\r\n\r\n" + parts + _crlf(bytes(made)) + b"\r\n--signed--\r\n"


def encrypted(raw: bytes, secret: bytes | None, to: bytes, *, subject: str = "...", protect: bool = True) -> bytes:
    """A mail signed (with `secret`) and encrypted to a certificate, with its subject out of sight."""
    signer = pysequoia.Tsk.from_bytes(secret).signer() if secret else None
    content = _content(raw, protect=protect)
    made = pysequoia.encrypt(content, [pysequoia.Cert.from_bytes(to)], signer=signer)
    return wrapped_as_encrypted(raw, bytes(made), subject=subject)


def wrapped_as_encrypted(raw: bytes, armoured: bytes, *, subject: str = "...") -> bytes:
    """OpenPGP/MIME around an encrypted message."""
    head = b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="sealed"\r\n\r\n'
    parts = b"--sealed\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--sealed\r\n"
    parts += b"Content-Type: application/octet-stream\r\n\r\n" + _crlf(armoured) + b"\r\n--sealed--\r\n"
    outer = re.sub(rb"^Subject:[^\r]*(?:\r\n[ \t][^\r]*)*", f"Subject: {subject}".encode(), _outer(raw), flags=re.M)
    return outer + head + parts


def _content(raw: bytes, *, protect: bool) -> bytes:
    """What is signed: the mail's body with the headers of its content, and those that are protected before them."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    kept = [(name, str(value)) for name, value in mail.items() if name in PROTECTED] if protect else []
    kind = mail.get("Content-Type", "text/plain")
    told = [(name, str(value)) for name, value in mail.items() if name.lower() == "content-transfer-encoding"]
    mark = '; protected-headers="v1"' if protect else ""
    lines = [f"{name}: {value}" for name, value in [*kept, *told]] + [f"Content-Type: {kind}{mark}"]
    body = _EOL.split(raw, 1)[0] and re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[1]
    return _crlf("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n\n" + body.rstrip(b"\r\n") + b"\n")


def _outer(raw: bytes) -> bytes:
    """The headers of the mail but those of its content."""
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0] + b"\n"
    kept = re.sub(rb"^(?:Content-[^\n]*|MIME-Version[^\n]*)\n(?:[ \t][^\n]*\n)*", b"", head, flags=re.M | re.I)
    return _crlf(kept.replace(b"\r\n", b"\n") + b"MIME-Version: 1.0\n")


def _crlf(data: bytes) -> bytes:
    return _EOL.sub(b"\r\n", data)
