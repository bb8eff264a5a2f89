"""Writes file diffs in git's style, so that reading them back gives the same values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .diff import FileDiff, FileKind, Hunk
from .paths import quote
from .tree import REGULAR

NULL_OID = "0" * 40


PREFIXES = ("a/", "b/")
BARE = ("", "")  # what `git diff --no-prefix` writes, for `patch -p0`


def render(file_diffs: Iterable[FileDiff], *, prefixes: tuple[str, str] = PREFIXES) -> bytes:
    """The diff text of these files; `parse_patch(render(files)).files == tuple(files)` but for binary ones.

    `prefixes` stand before the old and the new names.
    Git always tells the mode of a file that it adds or deletes; where it is not known, a regular file's is written.
    """
    return b"".join(line for file in file_diffs for line in _file(file, *prefixes))


def _file(file: FileDiff, one: str, other: str) -> Iterator[bytes]:
    old, new = file.old_path or file.new_path or "", file.new_path or file.old_path or ""
    yield b"diff --git %s %s\n" % (quote(one + old), quote(other + new))
    yield from _modes(file)
    if file.kind in (FileKind.RENAME, FileKind.COPY):
        word = b"rename" if file.kind is FileKind.RENAME else b"copy"
        yield b"%s from %s\n%s to %s\n" % (word, quote(old), word, quote(new))
    yield from _index(file)
    if file.binary:
        yield b"Binary files %s and %s differ\n" % (_side(one, file.old_path), _side(other, file.new_path))
    if file.hunks:
        yield b"--- %s\n+++ %s\n" % (_side(one, file.old_path), _side(other, file.new_path))
    for hunk in file.hunks:
        yield from _hunk(hunk)


def _side(prefix: str, path: str | None) -> bytes:
    if path is None:
        return b"/dev/null"
    quoted = quote(prefix + path)
    return quoted + b"\t" if b" " in quoted and not quoted.startswith(b'"') else quoted


def _modes(file: FileDiff) -> Iterator[bytes]:
    if file.kind is FileKind.ADD:
        yield b"new file mode %o\n" % (file.new_mode or REGULAR)
    elif file.kind is FileKind.DELETE:
        yield b"deleted file mode %o\n" % (file.old_mode or REGULAR)
    elif file.old_mode != file.new_mode:
        for word, mode in ((b"old", file.old_mode), (b"new", file.new_mode)):
            if mode is not None:
                yield b"%s mode %o\n" % (word, mode)


def _index(file: FileDiff) -> Iterator[bytes]:
    if file.old_oid is None and file.new_oid is None:
        return
    oids = f"index {file.old_oid or NULL_OID}..{file.new_oid or NULL_OID}"
    same = file.old_mode is not None and file.old_mode == file.new_mode
    shown = same and file.kind not in (FileKind.ADD, FileKind.DELETE)
    yield (f"{oids} {file.old_mode:o}\n" if shown else f"{oids}\n").encode()


def _hunk(hunk: Hunk) -> Iterator[bytes]:
    head = f"@@ -{_span(hunk.old_start, hunk.old_count)} +{_span(hunk.new_start, hunk.new_count)} @@"
    yield head.encode() + (b" " + hunk.section if hunk.section else b"") + b"\n"
    for line in hunk.lines:
        yield line.tag.encode() + line.text
        if not line.text.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


def _span(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"
