"""Commits as mail-style patches, made in process, as `git format-patch --full-index` writes them.

The diffstat is left out. Binary files are given in git's own binary form.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, DiffOption

from .errors import GitError
from .store import commit_at, line_between

SERIES_LIMIT = 500
DIFF_OPTIONS = DiffOption.SHOW_BINARY | DiffOption.INDENT_HEURISTIC
_INDEX_LINE = re.compile(rb"^index [0-9a-f]+\.\.[0-9a-f]+", re.MULTILINE)
_SECTION_SPACE = re.compile(rb"^(@@ -[0-9,]+ \+[0-9,]+ @@[^\n]*?)[ \t]+$", re.MULTILINE)
_NAME_LINE = re.compile(rb"^((?:---|\+\+\+) [^\n]* [^\n]*)$", re.MULTILINE)
_NAME_LINES = re.compile(rb"^--- [^\n]*\n\+\+\+ [^\n]*\n", re.MULTILINE)
_BODY_STARTS = (b"\n@@ ", b"\nGIT binary patch", b"\nBinary files ")
_WORD_LIMIT = 76
_LINE_LIMIT = 78
_CHARSET = "=?UTF-8?q?"
_NAME_PLAIN = re.compile(r"[A-Za-z0-9!*+/-]")
_TEXT_PLAIN = re.compile(r"[!-<>@-^`-~]")
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,."]')


def format_patch(repo: pygit2.Repository, oid: str, *, number: int = 1, total: int = 1, renames: bool = True) -> bytes:
    """One commit as a mail: author, date, subject, message, and a diff with full index lines and renames.

    `number` and `total` are its place in a series. Without `renames` a renamed file is one gone and one new.

    Raises GitError `no-such-commit`, `merge-commit`, `root-commit`.
    """
    commit = commit_at(repo, oid)
    prefix = "[PATCH]" if total == 1 else f"[PATCH {number:0{len(str(total))}}/{total}]"
    subject, body = _message(commit)
    head = "\n".join(_headers(commit, prefix, subject, body))
    return b"".join((_raw(head), b"\n\n", _raw(body), b"---\n\n", diff_of(commit, renames=renames), b"-- \n2.39\n\n"))


def format_series(repo: pygit2.Repository, base: str, tip: str, *, renames: bool = True) -> list[bytes]:
    """Every commit after `base` up to `tip` as mails numbered in order; `renames` as for `format_patch`.

    Raises GitError `no-such-commit`, `merge-commit`, `not-a-descendant`, `too-many`.
    """
    oids = [str(commit.id) for commit in line_between(repo, base, tip)]
    if len(oids) > SERIES_LIMIT:
        raise GitError("too-many", f"There are more than {SERIES_LIMIT} commits after the base; name a nearer one.")
    return [
        format_patch(repo, oid, number=place, total=len(oids), renames=renames) for place, oid in enumerate(oids, 1)
    ]


def author_of(repo: pygit2.Repository, oid: str) -> tuple[str, str, datetime]:
    """The author's name, mail address, and date in the author's own time zone. Raises GitError `no-such-commit`."""
    return _author(commit_at(repo, oid))


def diff_of(commit: pygit2.Commit, *, renames: bool = True) -> bytes:
    """What a commit changes against its only parent, with full index lines.

    Raises GitError `merge-commit`, `root-commit`.
    """
    if len(commit.parents) > 1:
        raise GitError("merge-commit", "A merge is no single change; name the commits that it brought in.")
    if not commit.parents:
        raise GitError("root-commit", "The first commit of a repository changes nothing; name a later one.")
    diff = commit.parents[0].tree.diff_to_tree(commit.tree, flags=DIFF_OPTIONS)
    if renames:
        diff.find_similar(DiffFind.FIND_RENAMES)
    return b"".join(full_index(patch) for patch in diff if patch is not None)


def full_index(patch: pygit2.Patch) -> bytes:
    """One file of a diff as git writes it with --full-index."""
    data, delta = _SECTION_SPACE.sub(rb"\1", patch.data), patch.delta
    starts = [place for mark in _BODY_STARTS if (place := data.find(mark)) >= 0]
    end = min(starts, default=len(data))
    if delta.status == DeltaStatus.RENAMED and not starts and delta.similarity == 100:
        return data
    line = b"index %s..%s" % (str(delta.old_file.id).encode(), str(delta.new_file.id).encode())
    head = _INDEX_LINE.sub(line, data[:end], count=1)
    head = _NAME_LINE.sub(rb"\1\t", head) if starts else _NAME_LINES.sub(b"", head)
    return head + data[end:]


def _message(commit: pygit2.Commit) -> tuple[str, str]:
    text = _decoded(commit.raw_message, commit.message_encoding).lstrip("\n")
    paragraph, _, body = text.partition("\n\n")
    subject = " ".join(line.strip() for line in paragraph.splitlines())
    body = body.strip("\n")
    return subject, f"{body}\n" if body else ""


def _decoded(raw: bytes, encoding: str | None) -> str:
    if encoding and encoding.lower().replace("-", "") != "utf8":
        try:
            return raw.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            pass
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _author(commit: pygit2.Commit) -> tuple[str, str, datetime]:
    author = commit.author
    name, mail = (_decoded(raw, commit.message_encoding) for raw in (author.raw_name, author.raw_email))
    zone = timezone(timedelta(minutes=author.offset)) if author.offset else UTC
    return name, mail, datetime.fromtimestamp(author.time, zone)


def _headers(commit: pygit2.Commit, prefix: str, subject: str, body: str) -> Iterator[str]:
    name, mail, date = _author(commit)
    yield f"From {commit.id} Mon Sep 17 00:00:00 2001"
    yield _from_line(_shown_name(name), mail)
    yield f"Date: {format_datetime(date).replace(', 0', ', ')}"
    yield f"Subject: {_folded(f'{prefix} {subject}')}"
    if not (subject + body).isascii():
        yield "MIME-Version: 1.0"
        yield "Content-Type: text/plain; charset=UTF-8"
        yield "Content-Transfer-Encoding: 8bit"


def _from_line(name: str, mail: str) -> str:
    last_line = f"From: {name}".rpartition("\n")[2]
    gap = "\n " if len(last_line) + len(f" <{mail}>") > _LINE_LIMIT else " "
    return f"From: {name}{gap}<{mail}>"


def _shown_name(name: str) -> str:
    if not name.isascii():
        return _encoded(name, len("From: "), _NAME_PLAIN)
    return '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name)) if _SPECIAL.search(name) else name


def _folded(subject: str) -> str:
    if not subject.isascii() or "=?" in subject:
        start, _, rest = subject.partition("] ")
        return f"{start}] {_encoded(rest, len('Subject: ') + len(start) + 2, _TEXT_PLAIN)}"
    indent = " " * len("Subject: ")
    lines = textwrap.wrap(
        subject,
        _LINE_LIMIT,
        initial_indent=indent,
        subsequent_indent=" ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n ".join(line.strip() for line in lines)


def _encoded(text: str, used: int, plain: re.Pattern[str]) -> str:
    """RFC 2047's q form, a character never split, in words that keep lines within its limit."""
    done, used = _CHARSET, used + len(_CHARSET)
    for char in text:
        code = char if plain.match(char) else "".join(f"={byte:02X}" for byte in _raw(char))
        if used + len(code) + 2 > _WORD_LIMIT:
            done, used = f"{done}?=\n {_CHARSET}", len(_CHARSET) + 1
        done, used = done + code, used + len(code)
    return f"{done}?="
