"""A mail taken apart within limits: its headers, and its parts as flat bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from backports.engine.errors import EngineError
from backports.engine.headers import decoded_words

from .filenames import clean_name

MAX_MAIL = 25 * 1024 * 1024
MAX_HEAD = 256 * 1024
MAX_HEADERS = 500
MAX_PARTS = 200
MAX_DEPTH = 8
MAX_REFERENCES = 200
MAX_VALUE = 2_000
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_CONTENT_TYPE = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MULTIPART = re.compile(rb"^content-type[ \t]*:[ \t\r\n]*multipart/", re.IGNORECASE | re.MULTILINE)
_ID = re.compile(r"<[^<>\s]{1,900}>")
_ONCE = ("from", "subject", "date", "message-id", "in-reply-to", "references", "content-type", "sender")


class Unreadable(EngineError):
    """The bytes are no mail that is taken apart; the code and the sentence say why."""

    code = "unreadable-mail"


@dataclass(frozen=True, slots=True)
class Head:
    """What the headers say. Names are in lower case, values decoded and on one line.

    Of an address only what stands in angle brackets, in lower case. `date` is in UTC, None where none can be read.
    `recipients` are the addresses of To and Cc; `brought_to` are those that a mail server says it delivered to.
    """

    fields: tuple[tuple[str, str], ...] = ()
    recipients: frozenset[str] = frozenset()
    brought_to: frozenset[str] = frozenset()

    def get(self, name: str) -> str:
        """The first value of a name; "" for none."""
        return next((value for key, value in self.fields if key == name), "")

    def count(self, name: str) -> int:
        """How often a header stands there."""
        return sum(key == name for key, _ in self.fields)

    @property
    def message_id(self) -> str:
        return next(iter(_ids(self.get("message-id"))), "")

    @property
    def in_reply_to(self) -> str:
        return next(iter(_ids(self.get("in-reply-to"))), "")

    @property
    def thread(self) -> tuple[str, ...]:
        """The mails that it answers, the nearest first."""
        nearest = _ids(self.get("in-reply-to"))
        return tuple(dict.fromkeys([*nearest, *reversed(_ids(self.get("references")))]))

    @property
    def subject(self) -> str:
        return self.get("subject")

    @property
    def address(self) -> str:
        """The one address that it is from; "" where that is not plain."""
        found = getaddresses([self.get("from")])
        return found[0][1].lower() if len(found) == 1 and found[0][1].count("@") == 1 else ""

    @property
    def date(self) -> datetime | None:
        try:
            found = parsedate_to_datetime(self.get("date"))
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (TypeError, ValueError, OverflowError, IndexError):
            return None


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds no others: its type, its file's name as it may be used ("" for none), and its bytes.

    `attached`: it is a file beside the text, and no text itself.
    """

    kind: str
    name: str
    data: bytes
    charset: str = ""
    attached: bool = False

    @property
    def text(self) -> str:
        """As text; a character set that is wrong or unknown makes no error, but odd characters."""
        for charset in (self.charset, "utf-8"):
            try:
                return self.data.decode(charset or "utf-8").replace("\r\n", "\n")
            except (LookupError, UnicodeDecodeError, ValueError):
                continue
        return self.data.decode("latin-1").replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: its headers, the headers of its content, and its parts in order. `notes` are codes of what is odd."""

    head: Head
    kind: str
    parameters: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = field(default=())

    def parameter(self, name: str) -> str:
        """Of the content type; "" where it has none of that name."""
        return dict(self.parameters).get(name, "")

    @property
    def text(self) -> str:
        """The plain text that a reader sees first."""
        return next((part.text for part in self.parts if part.kind == "text/plain" and not part.attached), "")


def read(raw: bytes) -> Letter:
    """The mail in these bytes. Raises Unreadable; never anything else, whatever the bytes."""
    _refuse_at_sight(raw)
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        head = _head(mail)
        notes: list[str] = []
        parts = tuple(_parts(mail, notes))
        parameters = tuple((key.lower(), clean(value)) for key, value in _parameters(mail))
        return Letter(head, mail.get_content_type(), parameters, parts, tuple(dict.fromkeys(notes)))
    except Unreadable:
        raise
    except RecursionError as error:
        raise _too_deep() from error
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        # The standard library's parser gives up on some malformed headers in ways of its own.
        raise Unreadable("The mail's structure cannot be read. Send it again from another program.") from error


def _refuse_at_sight(raw: bytes) -> None:
    if not raw.strip():
        raise Unreadable("The mail is empty.", code="empty-mail")
    if len(raw) > MAX_MAIL:
        sentence = f"The mail has {len(raw)} bytes; the limit is {MAX_MAIL}. Upload the patches in the browser."
        raise Unreadable(sentence, code="too-large")
    end = _HEAD_ENDS.search(raw)
    if (end.start() if end else len(raw)) > MAX_HEAD:
        raise Unreadable(f"The mail's headers have more than {MAX_HEAD} bytes.", code="long-headers")
    if len(_CONTENT_TYPE.findall(raw)) > 10 * MAX_PARTS or len(_MULTIPART.findall(raw)) > 10 * MAX_DEPTH:
        raise _too_many()


def _too_many() -> Unreadable:
    return Unreadable(f"The mail has more than {MAX_PARTS} parts. Send the patches alone.", code="too-many-parts")


def _too_deep() -> Unreadable:
    sentence = f"The mail's parts stand more than {MAX_DEPTH} deep in each other. Send the patches alone."
    return Unreadable(sentence, code="nested-too-deep")


def _head(mail: Message) -> Head:
    items = mail.items()
    if len(items) > MAX_HEADERS:
        raise Unreadable(f"The mail has more than {MAX_HEADERS} headers.", code="long-headers")
    fields = tuple((name.lower(), clean(value)) for name, value in items)
    head = Head(fields, _addresses(mail, "to", "cc"), _addresses(mail, "delivered-to", "x-original-to"))
    doubled = next((name for name in _ONCE if head.count(name) > 1), "")
    if doubled:
        sentence = f"The mail has the header {doubled.title()} twice, so that two readers would see two mails."
        raise Unreadable(sentence, code="doubled-header")
    return head


def _addresses(mail: Message, *names: str) -> frozenset[str]:
    """Read before encoded words are decoded: a name is whoever's it is to choose, and may hold commas and addresses."""
    values = [str(value) for name in names for value in mail.get_all(name, [])]
    found = getaddresses([" ".join(value.split()) for value in values])
    return frozenset(address.lower() for _, address in found if address)


def clean(value: object) -> str:
    """A header's value on one line, with its encoded words decoded and nothing in it that does not print."""
    line = " ".join(str(value).encode("utf-8", "replace").decode("utf-8", "replace").split())
    shown = decoded_words(line[:MAX_VALUE]) if not line.startswith("<") else line[: 100 * MAX_VALUE]
    return "".join(char if char.isprintable() else "?" for char in shown)


def _ids(value: str) -> list[str]:
    return _ID.findall(value)[-MAX_REFERENCES:]


def _parameters(mail: Message) -> list[tuple[str, str]]:
    found = mail.get_params(failobj=[], unquote=True)
    return [(str(key), value[2] if isinstance(value, tuple) else str(value)) for key, value in found[1:]]


def _parts(mail: Message, notes: list[str]) -> Iterator[Part]:
    count = 0
    waiting = [(mail, 1)]
    while waiting:
        one, depth = waiting.pop(0)
        if depth > MAX_DEPTH:
            raise _too_deep()
        inside = one.get_payload()
        if one.is_multipart() and one.get_content_maintype() == "multipart" and isinstance(inside, list):
            waiting[:0] = [(part, depth + 1) for part in inside if isinstance(part, Message)]
            continue
        count += 1
        if count > MAX_PARTS:
            raise _too_many()
        yield _part(one, notes)


def _part(one: Message, notes: list[str]) -> Part:
    name, odd = clean_name(_name_of(one))
    if odd:
        notes.append(odd)
    charset = str(one.get_content_charset("") or "")
    data = _bytes(one)
    attached = one.get_content_disposition() == "attachment" or bool(name)
    return Part(clean(one.get_content_type())[:100], name, data, charset[:40], attached)


def _name_of(one: Message) -> str:
    try:
        return one.get_filename("") or ""
    except (ValueError, LookupError, TypeError):
        return "unnamed"


def _bytes(one: Message) -> bytes:
    """The part with its transfer encoding undone; of a mail in a mail, that mail as it is."""
    if one.is_multipart():
        inside = one.get_payload()
        return b"\n".join(part.as_bytes() for part in inside if isinstance(part, Message))
    found = one.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""
