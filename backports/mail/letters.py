"""What a mail is before it is encrypted: words, and files as they are."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

WIDTH = 72


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, byte for byte; a patch can be given to `git am`."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's content. `subject` goes inside what is encrypted; `outside` is what the mail's own subject says.

    `thread` is a word that is the same in all mails of one thread; `answers` is the Message-ID of a mail that this one
    answers. `secret`: without a key that can be used it is not sent, and one line is sent instead.
    """

    subject: str
    text: str
    outside: str = "Xen backports"
    thread: str = ""
    answers: str = ""
    files: tuple[File, ...] = ()
    unsubscribe: str = ""
    secret: bool = True
    headers: dict[str, str] = field(default_factory=dict)


def notice(link: str, *, unsubscribe: str = "") -> Letter:
    """All that is said where there is no key to say more."""
    text = f"There is news, log in: {link}"
    return Letter("Xen backports", text, unsubscribe=unsubscribe, secret=False)


def wrapped(text: str) -> str:
    """Each line broken at 72 columns, further lines set in as far as the first; addresses and long words stay whole."""
    return "\n".join(_wrapped(line) for line in text.split("\n"))


def _wrapped(line: str) -> str:
    if len(line) <= WIDTH:
        return line.rstrip()
    lead = line[: len(line) - len(line.lstrip(" "))]
    hang = lead + ("  " if line.lstrip().startswith(("- ", "* ")) else "")
    words = line.strip()
    return textwrap.fill(
        words, WIDTH, initial_indent=lead, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )
