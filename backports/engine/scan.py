"""Splits the bytes of a patch file into messages, file headers and hunks.

Only "\\n" ends a line here: form feeds, carriage returns and every other byte are text. The
split counts hunk lines as it goes, so that `--- ` or `From ` inside a hunk is never mistaken for
a header. One pass, linear in the input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import MalformedPatch

HUNK = re.compile(rb"^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
COMBINED = re.compile(rb"^@@@+ -\d")
MBOX_FROM = re.compile(rb"^From \S{1,200} .{0,200}\d{4}\s*$")
MAIL_START = re.compile(rb"^(?:From: |# HG changeset patch\s*$|commit [0-9a-f]{40}\b)")
BINARY = re.compile(rb"^(?:Binary files? .* (?:differ|has changed)|GIT binary patch)\s*$")
EXTENDED = (
    b"old mode ",
    b"new mode ",
    b"deleted file mode ",
    b"new file mode ",
    b"rename from ",
    b"rename to ",
    b"rename old ",
    b"rename new ",
    b"copy from ",
    b"copy to ",
    b"similarity index ",
    b"dissimilarity index ",
    b"index ",
)
# The first bytes of every line that can mean something outside a hunk.
STARTS = frozenset(b"-dIFc#@B\\Goinrs")
STYLES = ((b"diff --git ", "git"), (b"Index: ", "quilt"), (b"diff -r ", "hg"), (b"diff ", "plain"))


@dataclass(slots=True)
class FileSection:
    """One file's lines: the header as it stood, the raw lines of each hunk (the `@@` line first)."""

    style: str
    header: list[bytes] = field(default_factory=list)
    old: bytes | None = None
    new: bytes | None = None
    hunks: list[list[bytes]] = field(default_factory=list)
    binary: bool = False

    @property
    def label(self) -> str:
        """The name to use in an error sentence."""
        raw = self.new or self.old or (self.header[0] if self.header else b"")
        return raw.decode("utf-8", "replace").strip()[:200]


@dataclass(slots=True)
class PatchSection:
    """One patch: the lines before its first file, and its files; `start` is its first line in the file, from 0."""

    start: int = 0
    message: list[bytes] = field(default_factory=list)
    files: list[FileSection] = field(default_factory=list)


def split_lines(data: bytes) -> list[bytes]:
    """The lines of `data` with their "\\n"; the last may lack one. Joining them gives `data` back."""
    if b"\r" not in data:
        return data.splitlines(keepends=True)
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    if last:
        lines.append(last)
    return lines


def scan(data: bytes) -> list[PatchSection]:
    """All patches of a file, in order; a patch without files is kept only when it stands alone."""
    scanner = _Scanner(split_lines(data))
    scanner.run()
    with_files = [patch for patch in scanner.patches if patch.files]
    return with_files or scanner.patches[:1]


def split_patches(data: bytes) -> list[bytes]:
    """The bytes of each patch of a file that holds several, in order; a text without files is left out."""
    scanner = _Scanner(split_lines(data))
    scanner.run()
    starts = [patch.start for patch in scanner.patches]
    return [
        b"".join(scanner.lines[patch.start : stop])
        for patch, stop in zip(scanner.patches, [*starts[1:], len(scanner.lines)], strict=True)
        if patch.files
    ]


class _Scanner:
    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.at = 0
        self.patches = [PatchSection()]
        self.file: FileSection | None = None

    @property
    def patch(self) -> PatchSection:
        return self.patches[-1]

    def run(self) -> None:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if self._is_plain_text(line) or not (
                self._starts_patch(line) or self._starts_file(line) or self._in_file(line)
            ):
                self._text(line)

    def _is_plain_text(self, line: bytes) -> bool:
        return line[0] not in STARTS and (self.file is None or line == b"\n")

    def _starts_patch(self, line: bytes) -> bool:
        if not (MBOX_FROM.match(line) or (self.patch.files and MAIL_START.match(line))):
            return False
        if self.patch.files or self.patch.message:
            self.patches.append(PatchSection(self.at))
        self.file = None
        self._text(line)
        return True

    def _text(self, line: bytes) -> None:
        if not self.patch.files:
            self.patch.message.append(line)
        self.at += 1

    def _open(self, style: str) -> FileSection:
        self.file = FileSection(style)
        self.patch.files.append(self.file)
        return self.file

    def _starts_file(self, line: bytes) -> bool:
        if self._is_pair(0):
            # Two names without a hunk before the next two are what `diff -r` leaves of an edited patch.
            if self._is_pair(2):
                self.at += 2
            else:
                self._names(line, self._peek(1))
            return True
        for prefix, style in STYLES:
            if line.startswith(prefix) and (style == "git" or self._leads_to_names()):
                self._open(style).header.append(line)
                self.at += 1
                return True
        return False

    def _is_pair(self, ahead: int) -> bool:
        return self._peek(ahead).startswith(b"--- ") and self._peek(ahead + 1).startswith(b"+++ ")

    def _peek(self, ahead: int) -> bytes:
        at = self.at + ahead
        return self.lines[at] if at < len(self.lines) else b""

    def _leads_to_names(self) -> bool:
        """A plain header counts only when the two names, or word of a binary file, follow at once."""
        for ahead in range(1, 5):
            line = self._peek(ahead)
            if line.startswith(b"--- ") or BINARY.match(line):
                return True
            if not line.startswith((b"=====", b"diff ", b"retrieving ", b"RCS ", b"new file", b"deleted file")):
                return False
        return False

    def _names(self, old: bytes, new: bytes) -> None:
        file = self.file
        if file is None or file.hunks or file.old is not None or file.binary:
            file = self._open("plain")
        file.old, file.new = old[4:].rstrip(b"\r\n"), new[4:].rstrip(b"\r\n")
        self.at += 2

    def _in_file(self, line: bytes) -> bool:
        if COMBINED.match(line):
            raise MalformedPatch(
                "This is a combined diff of a merge; give the patch of one parent instead.",
                code="combined-diff",
            )
        if line.startswith(b"@@ -") and (self.file or HUNK.match(line)):
            self._hunk(line)
            return True
        if self.file is None:
            return False
        return self._header_line(self.file, line)

    def _header_line(self, file: FileSection, line: bytes) -> bool:
        if BINARY.match(line):
            self._binary(file, line)
        elif line.startswith(EXTENDED) and not file.hunks and file.old is None:
            file.header.append(line)
            self.at += 1
        elif line.strip() and not line.startswith((b"=====", b"diff ")):
            self.file = None
            return False
        else:
            self.at += 1
        return True

    def _binary(self, file: FileSection, line: bytes) -> None:
        if file.hunks or file.old is not None or file.binary:
            file = self._open("plain")
        file.header.append(line)
        file.binary = True
        self.at += 1
        if line.startswith(b"GIT "):
            while self.at < len(self.lines) and not self.lines[self.at].startswith(
                (b"diff --git ", b"-- \n", b"From ")
            ):
                self.at += 1

    def _hunk(self, line: bytes) -> None:
        file, match = self.file, HUNK.match(line)
        if file is None or (file.old is None and file.new is None):
            raise MalformedPatch(
                f"Line {self.at + 1} starts a hunk, but names no file before it; the patch lost its file header.",
                code="hunk-without-file",
            )
        if match is None:
            raise self._bad_hunk(file, "its @@ line cannot be read")
        old, new = (int(count) if count is not None else 1 for count in match.group(2, 4))
        if not old and not new:
            raise self._bad_hunk(file, "it is empty")
        start, self.at = self.at, self.at + 1
        self._hunk_lines(file, old, new)
        file.hunks.append(self.lines[start : self.at])
        self._must_end(file)

    def _hunk_lines(self, file: FileSection, old: int, new: int) -> None:
        while old > 0 or new > 0:
            tag = self._peek(0)[:1]
            if tag == b"\\":
                self.at += 1
                continue
            if tag not in b" +-\r\n" or not tag:
                raise self._bad_hunk(file, "it ends before it has the lines that its @@ line promises")
            old -= tag != b"+"
            new -= tag != b"-"
            if old < 0 or new < 0:
                raise self._bad_hunk(file, "its lines do not add up to what its @@ line promises")
            self.at += 1
        if self._peek(0).startswith(b"\\"):
            self.at += 1

    def _must_end(self, file: FileSection) -> None:
        line = self._peek(0)
        if not line.startswith((b" ", b"+", b"-")) or line.rstrip() in (b"--", b"---", b""):
            return
        if line.startswith(b"--- ") and self._peek(1).startswith(b"+++ "):
            return
        raise self._bad_hunk(file, "it has more lines than its @@ line promises", done=True)

    def _bad_hunk(self, file: FileSection, what: str, *, done: bool = False) -> MalformedPatch:
        number = len(file.hunks) + (0 if done else 1)
        return MalformedPatch(
            f"Hunk {number} of {file.label} (patch line {self.at + 1}) cannot be used: {what}. "
            "The patch was cut or edited by hand; get it again from where it came from.",
            code="bad-hunk",
        )
