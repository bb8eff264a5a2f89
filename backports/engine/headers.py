"""Messages of patches: mail headers, hg headers, DEP-3 headers or bare text, and their trailers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import format_datetime

KNOWN = frozenset(
    {"from", "subject", "date", "to", "cc", "bcc", "sender", "reply-to", "message-id", "in-reply-to", "references"}
    | {"mime-version", "author", "description", "origin", "bug", "forwarded", "last-update", "applied-upstream"}
    | {"return-path", "received", "delivered-to", "user-agent", "precedence", "patch-mainline", "git-commit"}
)
HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,40}):[ \t]*(.*)$")
TAG = re.compile(r"^\s*(?:\[[^\]]{0,120}\]\s*)+")
TRAILER = re.compile(r"^([A-Za-z][A-Za-z-]{1,30}(?: (?:commit|date))?): +(\S.*)$")
CHERRY = re.compile(r"^\((cherry picked|backported) from (?:commit )?([0-9a-f]{7,64})")
NO_TRAILERS = frozenset({"http", "https", "note", "subject", "date"})
MAX_MESSAGE_LINES = 20_000
MAX_ENCODED = 4096
LONG = "long description"  # under which DEP-3's further lines of a description are kept


@dataclass(frozen=True, slots=True)
class Message:
    """What stands before the diff of a patch; every field may be empty."""

    subject: str = ""
    body: str = ""
    author: str = ""
    date: str = ""
    trailers: tuple[tuple[str, str], ...] = ()


def parse_message(lines: Sequence[bytes]) -> Message:
    """Reads the text before a diff, in any of the shapes that patches come in."""
    text = [_decode(line).rstrip("\r\n") for line in lines[:MAX_MESSAGE_LINES]]
    while text and (not text[0].strip() or re.match(r"^From \S+ .*\d{4}\s*$", text[0])):
        text.pop(0)
    if text and text[0].startswith("# HG changeset patch"):
        return _hg(text[1:])
    if text and re.match(r"^commit [0-9a-f]{40}\b", text[0]):
        return _log(text[1:])
    return _mail(text)


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _is_known(line: str) -> bool:
    match = HEADER.match(line)
    if not match:
        return False
    name = match.group(1).lower()
    return name in KNOWN or name.startswith(("x-", "content-", "list-", "bug-"))


def _mail(text: list[str]) -> Message:
    headers: dict[str, str] = {}
    if text and _is_known(text[0]):
        headers, text = _take_headers(text)
    text = _drop_blank(text)
    inner: dict[str, str] = {}
    if text and re.match(r"^(?:From|Author|Subject): ", text[0]):
        inner, text = _take_headers(text)
    get = {**headers, **inner}
    subject = get.get("subject") or get.get("description", "")
    body = _drop_blank([*get.get(LONG, "").split("\n"), "", *_until_separator(text)])
    if not subject and body:
        subject, body = body[0].strip(), _drop_blank(body[1:])
    return _message(subject, body, get.get("from") or get.get("author", ""), get.get("date", ""))


def _take_headers(text: list[str]) -> tuple[dict[str, str], list[str]]:
    """The unfolded headers, names in lower case, and the lines after them; of a description the first line."""
    found: list[tuple[str, list[str]]] = []
    end = len(text)
    for at, line in enumerate(text):
        match = HEADER.match(line)
        if match:
            found.append((match.group(1).lower(), [match.group(2)]))
        elif line[:1] in (" ", "\t") and found and line.strip():
            found[-1][1].append(line.strip())
        else:
            end = at
            break
    headers: dict[str, str] = {}
    for name, parts in found:
        title = _title(parts) if name == "description" else len(parts)
        headers.setdefault(name, decoded_words(" ".join(parts[:title]).strip()))
        if title < len(parts):
            headers.setdefault(LONG, "\n".join("" if part == "." else part for part in parts[title:]))
    return headers, text[end:]


def _title(parts: Sequence[str]) -> int:
    """How many lines of a description are its title: the first, and those in which it plainly goes on."""
    return next((at for at, part in enumerate(parts) if at and not part[:1].islower()), len(parts))


def decoded_words(value: str) -> str:
    """RFC 2047 words decoded; a value that cannot be decoded is returned as it is."""
    if "=?" not in value or len(value) > MAX_ENCODED:
        return value
    try:
        parts = decode_header(value)
        return "".join(
            part.decode(charset or "latin-1", "replace") if isinstance(part, bytes) else part for part, charset in parts
        )
    except (HeaderParseError, LookupError, ValueError):
        return value


def _hg(text: list[str]) -> Message:
    author = date = ""
    while text and text[0].startswith("#"):
        line = text.pop(0)
        if line.startswith("# User "):
            author = line[7:].strip()
        elif line.startswith("# Date "):
            date = _hg_date(line[7:])
    body = _drop_blank(text)
    return _message(body[0].strip() if body else "", _drop_blank(body[1:]), author, date)


def _hg_date(text: str) -> str:
    """Mercurial's "seconds offset-west-of-UTC" as an RFC 5322 date; anything else as it is."""
    match = re.match(r"^(\d{1,10}) (-?\d{1,5})$", text.strip())
    if not match:
        return text.strip()
    seconds, west = (int(group) for group in match.groups())
    zone = UTC if not west or abs(west) >= 86_400 else timezone(-timedelta(seconds=west))
    return format_datetime(datetime.fromtimestamp(seconds, zone))


def _log(text: list[str]) -> Message:
    """The shape of `git show` and `git log -p`: the message is indented by four."""
    headers, rest = _take_headers([line for line in text if not line.startswith("Merge: ")])
    body = _drop_blank([line[4:] if line.startswith("    ") else line for line in rest])
    return _message(body[0] if body else "", _drop_blank(body[1:]), headers.get("author", ""), headers.get("date", ""))


def _until_separator(text: Sequence[str]) -> list[str]:
    """The lines before `---`, behind which mail keeps the diffstat."""
    for at, line in enumerate(text):
        if line.rstrip() == "---":
            return list(text[:at])
    return list(text)


def _drop_blank(text: Sequence[str]) -> list[str]:
    start, stop = 0, len(text)
    while start < stop and not text[start].strip():
        start += 1
    while stop > start and not text[stop - 1].strip():
        stop -= 1
    return list(text[start:stop])


def _message(subject: str, body: list[str], author: str, date: str) -> Message:
    subject = " ".join(TAG.sub("", subject).split())
    return Message(subject, "\n".join(body), author.strip(), date.strip(), tuple(_trailers(body)))


def _trailers(body: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`Name: value` lines of the paragraphs at the end that hold nothing else, and cherry-pick notes."""
    for line in body[_trailer_start(body) :]:
        match = TRAILER.match(line.strip())
        cherry = CHERRY.match(line.strip())
        if cherry:
            yield f"{cherry.group(1)} from commit", cherry.group(2)
        elif match and match.group(1).lower() not in NO_TRAILERS:
            yield match.group(1), match.group(2).strip()


def _trailer_start(body: Sequence[str]) -> int:
    at = len(body)
    while at and _is_trailer_or_blank(body[at - 1]):
        at -= 1
    return at


def _is_trailer_or_blank(line: str) -> bool:
    stripped = line.strip()
    return not stripped or bool(TRAILER.match(stripped) or CHERRY.match(stripped)) or line[:1] in (" ", "\t", "[")
