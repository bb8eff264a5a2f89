"""Mails as they go out: OpenPGP/MIME (RFC 3156, signed and encrypted in one), or one plain line.

Nothing of the content is in the outer headers. The inner ones repeat the mail's own (protected headers), so that a
mail program shows the real subject.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr

from .letters import Letter, wrapped

# Machines read these: ids and addresses, which stand as they are, however long.
_AS_THEY_ARE = frozenset(
    {"message-id", "in-reply-to", "references", "list-id", "list-unsubscribe", "list-unsubscribe-post"}
)


class _Policy(EmailPolicy):
    """RFC 5322, where the standard library would write a long word of any header as RFC 2047's `=?utf-8?q?…`."""

    def fold(self, name: str, value: str) -> str:
        """A header as it is written, in text."""
        if name.lower() not in _AS_THEY_ARE or not value.isascii():
            return str(super().fold(name, value))
        return _folded(f"{name}: {value}", self.max_line_length or 0, self.linesep)

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same in bytes."""
        if name.lower() not in _AS_THEY_ARE or not value.isascii():
            return bytes(super().fold_binary(name, value))
        return self.fold(name, value).encode("ascii")


def _folded(header: str, width: int, end: str) -> str:
    """A header broken at its spaces, where a line would be longer than this."""
    name, *words = header.split()
    lines = [name]
    for word in words:
        fits = len(lines[-1]) + 1 + len(word) <= width or lines == [name]
        lines[-1:] = [f"{lines[-1]} {word}"] if fits else [lines[-1], f" {word}"]
    return end.join(lines) + end


POLICY = _Policy(linesep="\r\n", max_line_length=76)
Encrypt = Callable[[bytes], bytes]
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NAME = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, and by which names: `sender` and `to` are addresses (`Name <one@example.org>`).

    `message_id` and `thread_id` are in angle brackets; `thread_id` is the first of its thread, and of no mail itself.
    """

    sender: str
    to: str
    at: datetime
    message_id: str
    thread_id: str = ""
    list_id: str = ""


def plain(letter: Letter, envelope: Envelope) -> EmailMessage:
    """A mail that is not encrypted; only for what is no secret. Raises ValueError for one that is."""
    if letter.secret:
        raise ValueError("What is secret is never sent unencrypted.")
    message = EmailMessage(policy=POLICY)
    _head(message, letter, envelope, _line(letter.subject))
    _say(message, letter.text)
    return message


def sealed(letter: Letter, envelope: Envelope, encrypt: Encrypt) -> EmailMessage:
    """A mail whose content only the holder of a key can read. `encrypt` signs and encrypts bytes, armoured."""
    inside = _inside(letter, envelope)
    armoured = encrypt(inside.as_bytes())
    message = EmailMessage(policy=POLICY)
    _head(message, letter, envelope, letter.outside)
    message["Content-Type"] = 'multipart/encrypted; protocol="application/pgp-encrypted"'
    message.attach(_part("application/pgp-encrypted", b"Version: 1\r\n"))
    message.attach(_part("application/octet-stream", armoured, name="encrypted.asc"))
    message.preamble = "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)."
    return message


def _part(kind: str, data: bytes, name: str = "") -> EmailMessage:
    part = EmailMessage(policy=POLICY)
    part["Content-Type"] = kind
    if name:
        part.set_param("name", name)
        part["Content-Disposition"] = f'inline; filename="{name}"'
    part.set_payload(data.decode("ascii"))
    return part


def _inside(letter: Letter, envelope: Envelope) -> EmailMessage:
    """What is encrypted: the text first, then the files as they are, under headers that repeat the outer ones."""
    inside = EmailMessage(policy=POLICY)
    _say(inside, letter.text)
    for file in letter.files:
        name = _NAME.sub("_", file.name)[:100] or "file"
        inside.add_attachment(file.data, maintype="text", subtype="x-patch", filename=name)
    inside.set_param("protected-headers", "v1")
    for name, value in (
        ("Subject", _line(letter.subject)),
        ("From", envelope.sender),
        ("To", envelope.to),
        ("Date", format_datetime(envelope.at)),
        ("Message-ID", envelope.message_id),
    ):
        inside[name] = value
    return inside


def _say(message: EmailMessage, text: str) -> None:
    message.set_content(wrapped(text).rstrip("\n") + "\n", cte=_encoding(text))


def _encoding(text: str) -> str:
    """As it is where every line may stand so in a mail."""
    is_plain = text.isascii() and all(len(line) < 900 for line in text.split("\n"))
    return "7bit" if is_plain else "quoted-printable"


def _head(message: EmailMessage, letter: Letter, envelope: Envelope, subject: str) -> None:
    """The outer headers. The From is the room's own, so that DMARC holds whoever is told of what."""
    message["From"] = envelope.sender
    message["To"] = envelope.to
    message["Subject"] = subject
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = envelope.message_id
    message["MIME-Version"] = "1.0"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    above = [one for one in (envelope.thread_id, letter.answers) if one]
    if above:
        message["In-Reply-To"] = above[-1]
        message["References"] = " ".join(above)
    if envelope.list_id:
        message["List-Id"] = envelope.list_id
    if letter.unsubscribe:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _line(text: str) -> str:
    """One line, whatever somebody wrote: no header is begun by it."""
    return _CONTROLS.sub(" ", text).strip()[:200] or "Xen backports"


def list_id(sender: str) -> str:
    """What names our mails together, after the sender's domain."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    return f"Xen backports <backports.{domain}>"


def mailbox(name: str, address: str) -> str:
    """An address as it stands in a header. Raises ValueError for one that cannot."""
    user, _, domain = address.rpartition("@")
    return str(Address(_line(name) if name else "", user, domain))
