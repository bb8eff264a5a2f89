"""Mails that hold patches: an mbox taken apart, transfer encodings undone, and the order that subjects tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from itertools import pairwise

from backports.engine.headers import decoded_words
from backports.engine.scan import MBOX_FROM, split_lines

from .arrived import Note, Refused

MAX_MAILS = 1_000
MAX_PLACE = 9_999
_HEADER = re.compile(rb"^[A-Za-z][A-Za-z0-9-]{1,40}:")
_SUBJECT = re.compile(rb"^Subject:[ \t]*([^\n]*(?:\n[ \t][^\n]*){0,20})", re.MULTILINE | re.IGNORECASE)
_TAG = re.compile(r"\[([^\[\]]{0,200})\]")
_PLACE = re.compile(r"(?<![\d.])(\d{1,4})/(\d{1,4})(?![\d.])")
_VERSION = re.compile(r"\bv(\d{1,3})\b", re.IGNORECASE)
_ENCODED = re.compile(rb"^Content-Transfer-Encoding:[ \t]*(?:base64|quoted-printable)", re.MULTILINE | re.IGNORECASE)
_MULTIPART = re.compile(rb"^Content-Type:[ \t]*multipart/", re.MULTILINE | re.IGNORECASE)
_PATCH_PARTS = ("text/plain", "text/x-patch", "text/x-diff", "application/octet-stream", "application/x-patch")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail: its bytes, what stands in brackets in its subject, and its place in its series (0: none told)."""

    data: bytes
    tag: str
    place: int = 0
    total: int = 0
    version: int = 1

    @classmethod
    def of(cls, data: bytes) -> Mail:
        """The mail in these bytes, encoded or not."""
        plain = _undone(data)
        tag = tag_of(plain)
        place, version = _PLACE.search(tag), _VERSION.search(tag)
        at, total = (int(place[1]), int(place[2])) if place else (0, 0)
        return cls(plain, tag, at, total, int(version[1]) if version else 1)


def tag_of(data: bytes) -> str:
    """What the subject has in brackets, without the brackets: `PATCH XSA-500 4.8 v2 1/3`; "" for nothing."""
    end = re.search(rb"\n\r?\n", data)
    found = _SUBJECT.search(data[: end.start() if end else len(data)][:65_536])
    if not found:
        return ""
    text = re.sub(rb"\r?\n[ \t]+", b" ", found[1]).decode("utf-8", "replace")
    return " ".join(_TAG.findall(decoded_words(text.strip())))


def split(data: bytes) -> list[bytes]:
    """The mails of an mbox; what is no mbox is one."""
    starts = [0]
    lines, at = split_lines(data), 0
    for number, line in enumerate(lines):
        follows = lines[number + 1] if number + 1 < len(lines) else b""
        if at and line.startswith(b"From ") and MBOX_FROM.match(line) and _HEADER.match(follows):
            starts.append(at)
        at += len(line)
    if len(starts) > MAX_MAILS:
        raise Refused(f"The mailbox holds more than {MAX_MAILS} mails. Send the patches alone.", code="too-many")
    return [data[start:stop] for start, stop in zip(starts, [*starts[1:], len(data)], strict=True)]


def in_order(mails: Sequence[Mail]) -> tuple[list[Mail], list[Note]]:
    """Mails with patches in the order that `[PATCH 1/3]` tells, else as they stand; and what to know about it.

    Raises Refused `several-versions`, `same-number-twice`.
    """
    numbered = _without_copies([mail for mail in mails if mail.total])
    if not numbered or any(not mail.total for mail in mails):
        return list(mails), []
    _one_version(numbered)
    ordered = sorted(numbered, key=lambda mail: mail.place)
    for one, other in pairwise(ordered):
        if one.place == other.place:
            raise Refused(
                f"Two mails say to be patch {one.place} of {one.total}, and they differ. Send each series by itself.",
                code="same-number-twice",
            )
    return ordered, list(_gaps(ordered))


def _without_copies(mails: Sequence[Mail]) -> list[Mail]:
    return list({(mail.place, mail.version, _body(mail.data)): mail for mail in reversed(mails)}.values())[::-1]


def _body(data: bytes) -> bytes:
    """All but the headers, which differ where one mail came twice."""
    return data.partition(b"\n\n")[2].rstrip()


def _one_version(mails: Sequence[Mail]) -> None:
    versions = sorted({mail.version for mail in mails})
    if len(versions) > 1:
        names = " and ".join(f"v{version}" for version in versions)
        raise Refused(
            f"The mailbox holds {names} of a series. Send the mails of one version only.", code="several-versions"
        )


def _gaps(ordered: Sequence[Mail]) -> Iterator[Note]:
    total = min(max(mail.total for mail in ordered), MAX_PLACE)
    there = {mail.place for mail in ordered}
    missing = [str(place) for place in range(1, total + 1) if place not in there]
    if missing:
        few = ", ".join(missing[:8]) + (" …" if len(missing) > 8 else "")
        yield Note("patch-missing", f"Of {total} patches that the subjects count, these are not here: {few}.")


def _undone(data: bytes) -> bytes:
    """The mail with its body as it was written: base64 and quoted-printable undone, attached patches in a row."""
    end = re.search(rb"\n\r?\n", data)
    head = data[: end.start() + 1] if end else data
    if not (_ENCODED.search(head) or _MULTIPART.search(head)) or not _HEADER.match(_first_header(head)):
        return data
    start = data.find(b"\n") + 1 if data.startswith(b"From ") else 0
    parsed = message_from_bytes(data[start:], policy=policy.compat32)
    body = b"\n".join(_texts(parsed))
    if body.count(b"\n") == body.count(b"\r\n"):
        body = body.replace(b"\r\n", b"\n")
    return _kept_headers(head) + b"\n" + body if body.strip() else data


def _first_header(head: bytes) -> bytes:
    return head.partition(b"\n")[2] if head.startswith(b"From ") else head


def _texts(mail: Message) -> Iterator[bytes]:
    for part in mail.walk():
        if part.get_content_type() in _PATCH_PARTS:
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload


def _kept_headers(head: bytes) -> bytes:
    """The headers but those that tell how the body was encoded."""
    return re.sub(rb"^Content-[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*", b"", head, flags=re.MULTILINE | re.IGNORECASE)
