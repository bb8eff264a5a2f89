"""A series as a page shows it: cheap enough for thousands of lines, and every line with an address of its own.

Anchors are made of places (`p1-f2-h3`, and `p1-f2-h3-17` for the hunk's 17th line), all counted from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from backports.engine.diff import FileDiff, FileKind, Hunk, Line, Patch

from .stamp import stamp
from .text import visible

_KINDS = {"+": "add", "-": "del", " ": "ctx"}
_WORDS = {
    FileKind.ADD: "new file",
    FileKind.DELETE: "deleted",
    FileKind.RENAME: "renamed",
    FileKind.COPY: "copied",
    FileKind.MODE: "new mode",
    FileKind.MODIFY: "",
}
MOST_LINES = 20_000  # of a series on one page


@dataclass(frozen=True, slots=True)
class ShownHunk:
    """A hunk: its `@@` line, and its lines as HTML; None where the page has too many already."""

    anchor: str
    header: str
    lines: SafeString | None


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file's part; `word` is what happens to it besides its lines, `before` the name that it had, if another."""

    anchor: str
    path: str
    before: str
    word: str
    added: int
    removed: int
    hunks: Sequence[ShownHunk]


@dataclass(frozen=True, slots=True)
class ShownPatch:
    """One patch with its message."""

    anchor: str
    subject: str
    author: str
    date: str
    body: str
    files: Sequence[ShownFile]


def shown(patches: Sequence[Patch], prefix: str = "p") -> list[ShownPatch]:
    """The patches for `parts/_diff.html`; `prefix` begins their anchors, for pages with several series."""
    room = _Room(MOST_LINES)
    return [_patch(f"{prefix}{at}", patch, room) for at, patch in enumerate(patches, start=1)]


class _Room:
    """How many lines a page still takes."""

    def __init__(self, left: int) -> None:
        self.left = left

    def takes(self, count: int) -> bool:
        self.left -= count
        return self.left >= 0


def _patch(anchor: str, patch: Patch, room: _Room) -> ShownPatch:
    files = [_file(f"{anchor}-f{at}", file, room) for at, file in enumerate(patch.files, start=1)]
    return ShownPatch(anchor, patch.subject, patch.author, patch.date, patch.body, files)


def _file(anchor: str, file: FileDiff, room: _Room) -> ShownFile:
    tags = [line.tag for hunk in file.hunks for line in hunk.lines]
    hunks = [_hunk(f"{anchor}-h{at}", hunk, room) for at, hunk in enumerate(file.hunks, start=1)]
    path = file.new_path or file.path
    return ShownFile(
        anchor=anchor,
        path=_text(path),
        before=_text(file.old_path) if file.old_path and file.old_path != path else "",
        word="binary file, not shown" if file.binary else _WORDS[file.kind],
        added=tags.count("+"),
        removed=tags.count("-"),
        hunks=hunks,
    )


def _text(path: str) -> str:
    """A path for a page: bytes that are no UTF-8 as the sign for them."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _hunk(anchor: str, hunk: Hunk, room: _Room) -> ShownHunk:
    section = f" {_decoded(hunk.section)}" if hunk.section else ""
    header = f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@{section}"
    return ShownHunk(anchor, header, _lines(anchor, hunk) if room.takes(len(hunk.lines)) else None)


def _lines(anchor: str, hunk: Hunk) -> SafeString:
    return mark_safe("".join(_numbered(anchor, hunk)))  # noqa: S308 - made of template parts


def _numbered(anchor: str, hunk: Hunk) -> Iterator[str]:
    old, new = hunk.old_start, hunk.new_start
    for at, line in enumerate(hunk.lines, start=1):
        is_old, is_new = line.tag != "+", line.tag != "-"
        yield _line(f"{anchor}-{at}", line, old if is_old else "", new if is_new else "")
        old, new = old + is_old, new + is_new


def _line(anchor: str, line: Line, old: int | str, new: int | str) -> str:
    look = (("kind", _KINDS[line.tag]), ("tag", line.tag), ("cut", not line.text.endswith(b"\n")))
    text = visible(_decoded(line.text).removesuffix("\n"))
    return stamp("parts/_diff_line.html", look, anchor=anchor, old=str(old), new=str(new), text=text)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
