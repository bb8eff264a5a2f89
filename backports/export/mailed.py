"""A patch file as `git am` takes it, whichever tool wrote it: quilt, Mercurial, diff, or an editor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.header import Header
from email.utils import formataddr, parseaddr, parsedate_to_datetime
from pathlib import PurePath

from backports.engine.diff import Patch, parse_patch
from backports.engine.errors import EngineError
from backports.engine.render import render

# A mail: a mailbox's line, or headers from the first line on with a From among them.
_MAIL = re.compile(rb"\A(?:From [^\n]*\n|(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*From:)", re.IGNORECASE)
# Names that begin with one folder too many, as `git am` expects.
_NAMES = re.compile(rb"^(?:diff --git a/|--- (?:a/|/dev/null|[^\n/]+\.orig/))", re.MULTILINE)


def mailed(name: str, data: bytes, *, author: str) -> bytes:
    """The same change as a mail. What is one already stays byte for byte, as does what cannot be read.

    `author` is named where the patch names none, and nobody signed it off; its `name` where it has no subject.
    """
    if _MAIL.match(data) and _NAMES.search(data):
        return data
    try:
        patch = parse_patch(data)
    except EngineError:
        return data
    if not patch.files or any(file.binary for file in patch.files):
        return data
    head = "\n".join([*_headers(name, patch, author), "", *_message(patch), "---", "", ""])
    return head.encode("utf-8", "surrogateescape") + render(patch.files)


def _headers(name: str, patch: Patch, author: str) -> Iterator[str]:
    yield f"From {'0' * 40} Mon Sep 17 00:00:00 2001"
    yield f"From: {_person(patch, author)}"
    if date := _date(patch.date):
        yield f"Date: {date}"
    subject = " ".join(patch.subject.split()) or PurePath(name).stem
    yield f"Subject: {Header(f'[PATCH] {subject}', None if subject.isascii() else 'utf-8').encode(linesep=chr(10))}"
    yield "MIME-Version: 1.0"
    yield "Content-Type: text/plain; charset=UTF-8"
    yield "Content-Transfer-Encoding: 8bit"


def _person(patch: Patch, author: str) -> str:
    signed = [value for key, value in patch.trailers if key.lower() == "signed-off-by"]
    for text in (patch.author, *signed, author):
        name, address = parseaddr(text)
        if "@" in address:
            return formataddr((name or address, address))
    return "Unknown <unknown@localhost>"


def _date(text: str) -> str:
    """As the patch has it, where git would understand it as a mail's."""
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return ""
    return " ".join(text.split())


def _message(patch: Patch) -> list[str]:
    body = patch.body.strip("\n")
    return body.split("\n") if body else []
