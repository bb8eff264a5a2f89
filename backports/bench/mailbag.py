"""A thousand mails to bring in: series, answers with reviews, advisories, and what is hostile or nobody's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count, islice

from xsa.formats.signature import clear_sign

from . import letters
from .hostile import Writer, corpus, plain


@dataclass(frozen=True, slots=True)
class Bag:
    """What mails are made of: members who may write, the room's certificate, the project's secret key, and a patch
    that lands on their branch.
    """

    writers: Sequence[Writer]
    room: bytes
    project: bytes
    patch: str
    at: datetime


def mails(bag: Bag, total: int) -> Iterator[bytes]:
    """So many mails, of all kinds by turns; answers come after what they answer."""
    return islice(_rounds(bag), total)


def _rounds(bag: Bag) -> Iterator[bytes]:
    hostile = _hostile(bag)
    for turn in count():
        writer, other = (bag.writers[(turn + step) % len(bag.writers)] for step in (0, 1))
        yield from _backport(bag, writer, turn)
        yield _answer(bag, other, turn)
        yield _advisory(bag, 20_000 + turn)
        yield from islice(hostile, 4)


def _backport(bag: Bag, writer: Writer, turn: int) -> Iterator[bytes]:
    """One patch, signed or encrypted by turns; every fifth with a letter before it."""
    tag = f"PATCH XSA-{writer.number} {writer.branch} v{turn + 1}"
    name, text = f"series-{turn}", f"Round {turn}.\n\n{bag.patch}"
    if turn % 5 == 0:
        cover = plain(writer, bag.at, name=f"{name}-0", subject=f"[{tag} 0/1] all of it", text="All of it.\n")
        yield letters.signed(cover, writer.secret)
    raw = plain(writer, bag.at, name=name, subject=f"[{tag}] table: check", text=text)
    yield letters.encrypted(raw, writer.secret, bag.room) if turn % 2 else letters.signed(raw, writer.secret)


def _answer(bag: Bag, writer: Writer, turn: int) -> bytes:
    """A remark on the last line of the patch, and a review."""
    line = next(line for line in bag.patch.split("\n") if line.startswith("+") and not line.startswith("+++"))
    text = f"> {line}\n\nWhy here?\n\nReviewed-by: Example Engineer <{writer.address}>\n"
    subject = f"Re: [PATCH XSA-{writer.number} {writer.branch} v{turn + 1}] table: check"
    head = f"In-Reply-To: <series-{turn}@hostile.example>"
    return letters.signed(
        plain(writer, bag.at, name=f"answer-{turn}", subject=subject, text=text, head=head), writer.secret
    )


def _advisory(bag: Bag, number: int) -> bytes:
    """As Xen sends them, signed by the project's key."""
    told = (
        f"            Xen Security Advisory CVE-2099-{number} / XSA-{number}\n\n             guest may pick\n\n"
        "ISSUE DESCRIPTION\n=================\n\nAn index is not checked.\n\n"
        "RESOLUTION\n==========\n\nApply the patch.\n"
    )
    mail = EmailMessage()
    mail["From"] = "Example security team <security@project.example>"
    mail["Subject"] = f"Xen Security Advisory {number} v1 (CVE-2099-{number}) - guest may pick"
    mail["Date"], mail["Message-ID"] = format_datetime(bag.at), f"<xsa{number}@project.example>"
    mail.set_content(clear_sign(told.encode(), bag.project).decode())
    return mail.as_bytes()


def _hostile(bag: Bag) -> Iterator[bytes]:
    """The hostile corpus again and again, each time another member's and another mail."""
    for turn in count():
        writer = replace(bag.writers[turn % len(bag.writers)], mark=f"-{turn}")
        yield from (one.raw for one in corpus(writer, bag.room, bag.at))
