"""Patches as frozen values; the only importer of unidiff.

The bytes are split into file sections first (scan.py), since unidiff decodes, trusts names and
takes some hunk text for headers; unidiff then reads the hunks, fed latin-1 so that every byte
survives, under names of our own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk as ParsedHunk
from unidiff.patch import PatchSet

from . import paths
from .errors import MalformedPatch, TooLarge, UnsafePath
from .headers import parse_message
from .scan import FileSection, PatchSection, scan
from .tree import EXECUTABLE, REGULAR, SUBMODULE, SYMLINK

MAX_BYTES = 10 * 1024 * 1024
MAX_HUNKS = 10_000
MAX_FILES = 10_000
MAX_LINES = 500_000
MAX_HEADER_LINE = 16_384


class FileKind(StrEnum):
    MODIFY = "modify"
    ADD = "add"
    DELETE = "delete"
    RENAME = "rename"
    COPY = "copy"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk: `tag` is ' ', '+' or '-'; `text` keeps its line ending, if it has one."""

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


def parse_patch(data: bytes, *, strip: int | None = None) -> Patch:
    """The one patch in `data`; `strip` as for `parse_series`.

    Raises MalformedPatch (`several-patches` when it is a series), UnsafePath or TooLarge.
    """
    patches = parse_series(data, strip=strip)
    if len(patches) == 1:
        return patches[0]
    raise MalformedPatch(
        f"The file holds {len(patches)} patches where one is wanted; read it as a series.",
        code="several-patches",
    )


def parse_series(data: bytes, *, strip: int | None = None) -> tuple[Patch, ...]:
    """Every patch of an mbox or of several mails in one file, in order; one patch gives a 1-tuple.

    `strip` is how many leading directories its names have too many (`patch -pN`), for who was told; without it
    the names themselves tell.

    Raises MalformedPatch, UnsafePath or TooLarge.
    """
    _check_size(data)
    sections = scan(data)
    if sum(len(section.files) for section in sections) > MAX_FILES:
        raise TooLarge(f"The patch changes more than {MAX_FILES} files. Split it.")
    patches = tuple(_patch(section, strip) for section in sections if section.files)
    if not patches:
        raise MalformedPatch(
            "There is no unified diff in this file; give a patch as git, hg, quilt or diff -u write it.",
            code="no-diff",
        )
    return patches


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise TooLarge(f"The patch has {len(data)} bytes; the limit is {MAX_BYTES}. Split it.")
    if data.count(b"\n") > MAX_LINES:
        raise TooLarge(f"The patch has more than {MAX_LINES} lines. Split it.")
    for what, mark, limit in (("hunks", b"@@ -", MAX_HUNKS), ("files", b"diff --git ", MAX_FILES)):
        count = data.count(b"\n" + mark) + data.startswith(mark)
        if count > limit:
            raise TooLarge(f"The patch has {count} {what}; the limit is {limit}. Split it.")


def _patch(section: PatchSection, told: int | None) -> Patch:
    message = parse_message(section.message)
    heads = [_FileHeader(file) for file in section.files]
    strip = _strip_level(heads) if told is None else told
    hunks = _read_hunks(section.files)
    files = tuple(head.file_diff(strip, found) for head, found in zip(heads, hunks, strict=True))
    return Patch(
        files=files,
        subject=message.subject,
        body=message.body,
        author=message.author,
        date=message.date,
        style=section.files[0].style,
        strip=strip,
        trailers=message.trailers,
    )


def _strip_level(heads: Sequence[_FileHeader]) -> int:
    votes = Counter(guess for guess in (paths.guess_strip(head.old, head.new) for head in heads) if guess is not None)
    return 0 if votes[0] > votes[1] else 1


class _FileHeader:
    """The names, modes and ids that stand before a file's hunks."""

    def __init__(self, section: FileSection) -> None:
        self.section = section
        if any(len(line) > MAX_HEADER_LINE for line in (*section.header, section.old or b"", section.new or b"")):
            raise MalformedPatch("The patch names a file by more than 16 kB; it cannot be used.", code="bad-name")
        self.values = dict(self._pairs(section.header))
        self.old: str | None = None
        self.new: str | None = None
        self._read_names()

    @staticmethod
    def _pairs(header: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
        for line in header:
            for name in ("rename from", "rename to", "copy from", "copy to", "old mode", "new mode"):
                if line.startswith(name.encode() + b" "):
                    yield name, line[len(name) + 1 :].rstrip(b"\r\n")
            for name in ("deleted file mode", "new file mode", "index"):
                if line.startswith(name.encode() + b" "):
                    yield name, line[len(name) + 1 :].strip()

    def _read_names(self) -> None:
        section = self.section
        if section.old is not None and section.new is not None:
            self.old, self.new = paths.name_of(section.old), paths.name_of(section.new)
        elif section.style == "git":
            self._names_of_git_line()
        else:
            self.old = self.new = self._name_of_binary()
        if self.old is None and self.new is None:
            raise MalformedPatch("The patch names /dev/null on both sides of a file; it cannot be used.")

    def _names_of_git_line(self) -> None:
        names = paths.git_names(self.section.header[0])
        if names is None and not self._renamed():
            raise MalformedPatch(
                f"The line {self.section.label!r} does not tell which file it is about.",
                code="bad-git-header",
            )
        self.old, self.new = names or ("a/" + self._moved("from"), "b/" + self._moved("to"))
        if "new file mode" in self.values:
            self.old = None
        if "deleted file mode" in self.values:
            self.new = None

    def _name_of_binary(self) -> str:
        line = self.section.header[0]
        if line.startswith(b"Index: "):
            return paths.to_text(line[7:].rstrip())
        text = paths.to_text(line.rstrip()).removeprefix("Binary files ").removeprefix("Binary file ")
        names = text.removesuffix(" differ").removesuffix(" has changed").split(" and ")
        return next((name for name in reversed(names) if name != "/dev/null"), "")

    def _renamed(self) -> bool:
        return ("rename from" in self.values and "rename to" in self.values) or (
            "copy from" in self.values and "copy to" in self.values
        )

    def _moved(self, way: str) -> str:
        raw = self.values.get(f"rename {way}", self.values.get(f"copy {way}", b""))
        return paths.to_text(paths.unquote(raw))

    def file_diff(self, strip: int, hunks: tuple[Hunk, ...]) -> FileDiff:
        old_mode, new_mode = self._modes()
        kind = self._kind(hunks, old_mode, new_mode)
        old, new = self._paths(kind, strip)
        old_oid, new_oid = self._oids()
        if not hunks and not self.section.binary and kind is FileKind.MODIFY:
            raise MalformedPatch(f"The patch names {self.section.label} but changes nothing in it.", code="no-hunks")
        return FileDiff(old, new, kind, hunks, old_mode, new_mode, old_oid, new_oid, self.section.binary)

    def _modes(self) -> tuple[int | None, int | None]:
        get = self.values.get
        index = get("index", b"").partition(b" ")[2] if self._oids()[0] else b""
        old = get("old mode") or get("deleted file mode") or index
        new = get("new mode") or get("new file mode") or index
        return _mode(old), _mode(new)

    def _oids(self) -> tuple[str | None, str | None]:
        old, dots, new = self.values.get("index", b"").partition(b" ")[0].partition(b"..")
        if not dots or not all(_is_hex(oid) for oid in (old, new)):
            return None, None
        return old.decode(), new.decode()

    def _kind(self, hunks: tuple[Hunk, ...], old_mode: int | None, new_mode: int | None) -> FileKind:
        if self._renamed():
            return FileKind.RENAME if "rename from" in self.values else FileKind.COPY
        if self.old is None or "new file mode" in self.values or self._is_new(hunks):
            return FileKind.ADD
        if self.new is None or "deleted file mode" in self.values or self._is_gone(hunks):
            return FileKind.DELETE
        if not hunks and old_mode != new_mode and not self.section.binary:
            return FileKind.MODE
        return FileKind.MODIFY

    def _is_new(self, hunks: tuple[Hunk, ...]) -> bool:
        plain = self.section.style != "git" and len(hunks) == 1
        return plain and hunks[0].old_start == 0 and hunks[0].old_count == 0

    def _is_gone(self, hunks: tuple[Hunk, ...]) -> bool:
        if self.section.style == "git" or len(hunks) != 1 or hunks[0].new_count or hunks[0].new_start:
            return False
        stamp = paths.stamp_of(self.section.new or b"")
        return b"1970" in stamp or b"1969-12-31" in stamp

    def _paths(self, kind: FileKind, strip: int) -> tuple[str | None, str | None]:
        for raw in (self.old, self.new):
            if raw is not None:
                paths.check_path(raw)
        if kind in (FileKind.RENAME, FileKind.COPY):
            return paths.check_path(self._moved("from")), paths.check_path(self._moved("to"))
        old, new = (
            None if raw is None else paths.check_path(paths.strip_path(raw, strip)) for raw in (self.old, self.new)
        )
        if kind is FileKind.ADD:
            return None, new or old
        if kind is FileKind.DELETE:
            return old or new, None
        one = _one_name(old or new or "", new or old or "")
        return one, one


def _one_name(old: str, new: str) -> str:
    """The file that a diff without rename is about, as GNU patch chooses: fewest parts, then the shortest."""
    return min((new, old), key=lambda name: (name.count("/"), len(name.rpartition("/")[2]), len(name)))


def _mode(raw: bytes) -> int | None:
    if not raw:
        return None
    if not raw.isdigit() or len(raw) > 6 or set(raw) & set(b"89"):
        raise MalformedPatch(f"The file mode {raw.decode('latin-1')[:20]!r} cannot be read.", code="bad-mode")
    mode = int(raw, 8)
    if mode == SYMLINK:
        raise UnsafePath("The patch makes or changes a symbolic link; links are not applied.", code="symlink")
    if mode == SUBMODULE:
        raise UnsafePath("The patch makes or changes a submodule; submodules are not applied.", code="submodule")
    if mode & 0o170000 not in (0, 0o100000):
        raise UnsafePath("The patch makes a special file; only regular files are applied.", code="special-file")
    return EXECUTABLE if mode & 0o100 else REGULAR


def _is_hex(oid: bytes) -> bool:
    return 4 <= len(oid) <= 64 and not set(oid) - set(b"0123456789abcdef")


def _read_hunks(sections: Sequence[FileSection]) -> Iterator[tuple[Hunk, ...]]:
    """The hunks of each section, in order; () for one without."""
    try:
        parsed = iter(PatchSet(_canonical(sections)))
    except UnidiffParseError as error:
        raise MalformedPatch("The hunks of this patch cannot be read; get it again.", code="bad-hunk") from error
    for section in sections:
        yield tuple(_hunk(found) for found in next(parsed)) if section.hunks else ()


def _canonical(sections: Sequence[FileSection]) -> Iterator[str]:
    for number, section in enumerate(sections):
        if section.hunks:
            yield f"--- a/{number}\n"
            yield f"+++ b/{number}\n"
        for hunk in section.hunks:
            for line in hunk:
                yield "\\ No newline at end of file\n" if line.startswith(b"\\") else line.decode("latin-1")


def _hunk(found: ParsedHunk) -> Hunk:
    lines: list[Line] = []
    for line in found:
        if line.line_type == "\\":
            if lines:
                lines[-1] = Line(lines[-1].tag, lines[-1].text.removesuffix(b"\n"))
        else:
            lines.append(Line(line.line_type or " ", line.value.encode("latin-1")))
    return Hunk(
        old_start=found.source_start,
        old_count=found.source_length,
        new_start=found.target_start,
        new_count=found.target_length,
        section=found.section_header.rstrip("\r\n").encode("latin-1"),
        lines=tuple(lines),
    )
