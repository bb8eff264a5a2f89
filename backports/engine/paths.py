"""Names of files in patches: C-style quoting, the level to strip, and what is refused."""

from __future__ import annotations

import re

from .errors import UnsafePath

ESCAPES = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
UNESCAPES = {value: key for key, value in ESCAPES.items()}
ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-3][0-7]{2})')
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"')
STAMP = re.compile(rb"(?<!\s)\s++(?:\d{4}-\d\d-\d\d \d\d:\d\d|[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ \d\d:\d\d).{0,60}$")
LETTERS = frozenset({"a", "b", "c", "i", "o", "w", "1", "2", ".", "old", "new", "orig"})
RELEASE_DIR = re.compile(r"^[\w+.]*(?:-[\w+~.]*\d|\.orig|\.old|\.new|\.hg|\.git)[\w+~.-]*$")
MAX_NAME = 255  # bytes that a directory's name may have on any usual file system
BACKUP = re.compile(r"(?:\.orig|\.old|\.bak|~)$")
# Code points that HFS+ ignores in names, so that ".g<ZWNJ>it" is ".git" there.
IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
DOT_GIT = re.compile(r"^(?:\.git(?::.*)?|git~\d+)$", re.IGNORECASE | re.DOTALL)


def to_text(raw: bytes) -> str:
    """A path's bytes as the `str` that the engine uses everywhere."""
    return raw.decode("utf-8", "surrogateescape")


def to_bytes(path: str) -> bytes:
    """The bytes of a path."""
    return path.encode("utf-8", "surrogateescape")


def unquote(raw: bytes) -> bytes:
    """A path as git or diff wrote it, without quotes and escapes; an unquoted one is returned as it is."""
    if not QUOTED.fullmatch(raw):
        return raw
    return ESCAPE.sub(_unescape, raw[1:-1])


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    return bytes([ESCAPES[code] if code in ESCAPES else int(code, 8)])


def quote(path: str) -> bytes:
    """The path as git writes it with core.quotePath: quoted only when it must be."""
    raw = to_bytes(path)
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in raw):
        return raw
    return b'"' + b"".join(_escape(byte) for byte in raw) + b'"'


def _escape(byte: int) -> bytes:
    if byte in UNESCAPES:
        return b"\\" + UNESCAPES[byte]
    return bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte


def name_of(raw: bytes) -> str | None:
    """The name on a `---`/`+++` line without its time stamp; None stands for /dev/null."""
    quoted = QUOTED.match(raw)
    text = quoted.group() if quoted else STAMP.sub(b"", raw.split(b"\t", 1)[0]).rstrip(b" ")
    name = to_text(unquote(text))
    return None if name == "/dev/null" else name


def stamp_of(raw: bytes) -> bytes:
    """What stands behind the name on a `---`/`+++` line, or b""."""
    head, tab, tail = raw.partition(b"\t")
    found = None if tab else STAMP.search(head)
    return tail if tab else (found.group() if found else b"")


def git_names(line: bytes) -> tuple[str, str] | None:
    """Both names of a `diff --git` line, or None when they cannot be told apart.

    Two unquoted names are told apart only when they are of one length, as they are for
    every file that keeps its name; the other headers name the rest.
    """
    text = line[len(b"diff --git ") :].rstrip(b"\r\n")
    first = QUOTED.match(text)
    if first:
        return to_text(unquote(first.group())), to_text(unquote(text[first.end() + 1 :]))
    last = QUOTED.fullmatch(text, max(0, text.find(b'"')))
    if last:
        return to_text(text[: last.start() - 1]), to_text(unquote(last.group()))
    middle = len(text) // 2
    if len(text) % 2 and text[middle : middle + 1] == b" ":
        return to_text(text[:middle]), to_text(text[middle + 1 :])
    old, _, new = text.partition(b" ")
    return (to_text(old), to_text(new)) if new and b" " not in new else None


def guess_strip(old: str | None, new: str | None) -> int | None:
    """How many leading directories to drop (`patch -pN`), from one file's two names; None: cannot tell."""
    if old is None or new is None:
        head, slash, _ = (old or new or "").partition("/")
        return 1 if slash and _is_prefix(head) else None
    old_head, _, old_tail = old.partition("/")
    new_head, _, new_tail = new.partition("/")
    if not old_tail or not new_tail:
        return 0 if BACKUP.sub("", old) == BACKUP.sub("", new) else None
    if _is_prefix(old_head) and _is_prefix(new_head):
        return 1
    if BACKUP.sub("", old_tail) != BACKUP.sub("", new_tail):
        return None
    return 0 if old_head == new_head else 1


def _is_prefix(head: str) -> bool:
    return head in LETTERS or (len(head) <= MAX_NAME and bool(RELEASE_DIR.match(head)))


def strip_path(name: str, level: int) -> str:
    """The name without its first `level` directories; a name that has fewer keeps its last part."""
    for _ in range(level):
        head, slash, tail = name.partition("/")
        if not slash:
            return head
        name = tail
    return name


def check_path(path: str) -> str:
    """The path itself when it stays inside a tree; otherwise UnsafePath says why not."""
    if not path or path.endswith("/"):
        raise UnsafePath("The patch names a file without a name; it cannot be used.")
    if "\0" in path:
        raise UnsafePath("The patch names a path with a NUL byte in it; it cannot be used.")
    parts = re.split(r"[/\\]", path)
    if not parts[0] or re.match(r"^[A-Za-z]:$", parts[0]):
        raise UnsafePath("The patch names an absolute path; make it relative to the top of the tree.")
    if ".." in parts:
        raise UnsafePath("The patch names a path with '..' in it, which leaves the tree; it is refused.")
    if any(_is_dot_git(part) for part in parts):
        raise UnsafePath("The patch names a path inside .git, which no patch may write; it is refused.")
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _is_dot_git(part: str) -> bool:
    return bool(DOT_GIT.match(part.translate(IGNORED).rstrip(". ")))
