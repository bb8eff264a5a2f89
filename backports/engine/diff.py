"""Patches as frozen values; the only importer of unidiff."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MAX_BYTES = 10 * 1024 * 1024
MAX_HUNKS = 10_000


class FileKind(StrEnum):
    MODIFY = "modify"
    ADD = "add"
    DELETE = "delete"
    RENAME = "rename"
    COPY = "copy"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk: `tag` is ' ', '+' or '-'; `text` keeps its line ending, or has none at end of file."""

    tag: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Hunk:
    """One `@@` block. Starts are 1-based as written (0 for an empty side)."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: bytes
    lines: tuple[Line, ...]

    @property
    def preimage(self) -> tuple[bytes, ...]:
        """The lines that the hunk expects."""
        return tuple(line.text for line in self.lines if line.tag != "+")

    @property
    def postimage(self) -> tuple[bytes, ...]:
        """The lines that the hunk leaves."""
        return tuple(line.text for line in self.lines if line.tag != "-")


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file's part of a patch. Paths have no `a/` or `b/`; None stands for /dev/null."""

    old_path: str | None
    new_path: str | None
    kind: FileKind
    hunks: tuple[Hunk, ...] = ()
    old_mode: int | None = None
    new_mode: int | None = None
    old_oid: str | None = None
    new_oid: str | None = None
    binary: bool = False

    @property
    def path(self) -> str:
        """The name that the file has before the patch, or after it when the patch adds it."""
        return self.old_path or self.new_path or ""


@dataclass(frozen=True, slots=True)
class Patch:
    """One change: its message and its file diffs.

    `author` is the From line's text (may be empty), `date` the Date line's, `subject` is
    without `[PATCH …]`, `body` the rest of the message. `style` names the dialect that was
    read: `git`, `quilt`, `hg`, `plain`.
    """

    files: tuple[FileDiff, ...]
    subject: str = ""
    body: str = ""
    author: str = ""
    date: str = ""
    style: str = "git"
    strip: int = 1
    trailers: tuple[tuple[str, str], ...] = field(default=())
