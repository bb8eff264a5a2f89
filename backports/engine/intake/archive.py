"""Archives read as streams, in memory: their files as bytes, and what is wrong with them.

Three limits hold against archives that grow: bytes in all, times the size that they came in, and members. Nothing is
unpacked to a disk, and no link is followed.
"""

from __future__ import annotations

import bz2
import lzma
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from io import RawIOBase
from typing import Any, Protocol

from .arrived import Refused

MAX_EXPANDED = 256 * 1024 * 1024
MAX_RATIO = 100
RATIO_FROM = 8 * 1024 * 1024  # bytes; below this nobody is hurt, however dense it was
MAX_MEMBERS = 5_000
MAX_KEPT = 50 * 1024 * 1024
MAX_NAME = 1024
MAX_HEADER = 64 * 1024
LZMA_MEMORY = 256 * 1024 * 1024
_CHUNK = 64 * 1024
_BLOCK = 512
_ABOUT_THE_NEXT = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_ENDED = "unexpected end of data"  # what the library says of a member that was cut
_DAMAGED = "Pack it again and send it again."


class Decompressor(Protocol):
    """What the standard library's three have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class _Gunzip:
    """zlib's, which hands back what it did not read yet, with the manners of the other two."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


MAGIC: tuple[tuple[bytes, str, Callable[[], Decompressor]], ...] = (
    (b"\x1f\x8b", "gzip", _Gunzip),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", "xz", lambda: lzma.LZMADecompressor(memlimit=LZMA_MEMORY)),
    (b"\x5d\0\0", "lzma", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=LZMA_MEMORY)),
)


class Expanding(RawIOBase):
    """What compressed bytes expand to, read piece by piece, within the limits; other bytes as they are.

    Reading raises Refused `expands-too-far` or `damaged-archive`. `read_so_far` counts what came out.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._make = next((make for magic, _, make in MAGIC if data.startswith(magic)), None)
        self._one = self._make() if self._make else None
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; b"" at the end."""
        wanted = size if size >= 0 else MAX_EXPANDED + 1
        got = bytearray()
        while len(got) < wanted and (more := self._more(wanted - len(got))):
            got += more
            self._count(more)
        return bytes(got)

    @property
    def is_cut(self) -> bool:
        """Whether the compressed bytes ended before what they hold did."""
        return self._one is not None and not self._one.eof

    def _more(self, wanted: int) -> bytes:
        if self._one is None:
            return self._piece(wanted)
        while not self._finished():
            piece = self._piece(_CHUNK) if self._one.needs_input else b""
            made = self._expand(piece, wanted)
            if made or (not piece and self._one.needs_input):
                return made
        return b""

    def _piece(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _finished(self) -> bool:
        """Whether the compressed stream is over; another one right behind it is gone on with."""
        if self._one is None or self._make is None or not self._one.eof:
            return False
        end = self._at - len(self._one.unused_data)
        magic = next(magic for magic, _, make in MAGIC if make is self._make)
        if not self._data.startswith(magic, end):
            return True
        self._at, self._one = end, self._make()
        return False

    def _expand(self, piece: bytes, wanted: int) -> bytes:
        try:
            return self._one.decompress(piece, wanted) if self._one else b""
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            where = f"after {self.read_so_far} bytes of what it holds"
            raise Refused(f"The compressed file is damaged {where}. {_DAMAGED}", code="damaged-archive") from error

    def _count(self, more: bytes) -> None:
        self.read_so_far += len(more)
        if self._one is None:
            return
        far = self.read_so_far > max(RATIO_FROM, MAX_RATIO * len(self._data))
        if far or self.read_so_far > MAX_EXPANDED:
            raise Refused(
                f"The compressed file of {len(self._data)} bytes expands to more than {self.read_so_far} bytes; "
                f"at most {MAX_RATIO} times its size and {MAX_EXPANDED} bytes are read. Send the patches alone.",
                code="expands-too-far",
            )


def compression_of(data: bytes) -> str:
    """The name of the compression, "" for none."""
    return next((name for magic, name, _ in MAGIC if data.startswith(magic)), "")


def expanded(data: bytes) -> bytes:
    """All that compressed bytes expand to. Raises Refused."""
    stream = Expanding(data)
    whole = stream.read()
    if stream.is_cut:
        raise _cut(stream, "")
    return whole


def is_tar(head: bytes) -> bool:
    """Whether bytes start as a tar archive does: a header whose sum is right."""
    if len(head) < _BLOCK or not head[:_BLOCK].strip(b"\0"):
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


@dataclass(slots=True)
class Unpacked:
    """An archive's files by name, in its order, and the names of members that are none with what they are."""

    files: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    kept: int = 0
    members: int = 0


def unpack(data: bytes, wanted: Callable[[str], bool], most: int) -> Unpacked:
    """The files of a tar whose names are `wanted` and that have at most `most` bytes.

    Raises Refused: `unsafe-path`, `too-many-members`, `too-large`, `truncated`, `damaged-archive`,
    `expands-too-far`.
    """
    stream, found = Expanding(data), Unpacked()
    name = ""
    try:
        with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape", tarinfo=_Header) as tar:
            for member in tar:
                name = member.name
                _take(tar, member, found, wanted, most)
        while stream.read(_CHUNK):
            pass
    except (tarfile.TarError, EOFError, ValueError, OverflowError, IndexError, RecursionError) as error:
        raise (_cut if stream.is_cut or str(error) == _ENDED else _damaged)(stream, name) from error
    if stream.is_cut:
        raise _cut(stream, name)
    return found


class _Header(tarfile.TarInfo):
    """A header that is refused aloud where the library would take a damaged one for the archive's end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> tarfile.TarInfo:  # type: ignore[override]
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(_ENDED) from error
        except tarfile.HeaderError as error:
            raise tarfile.ReadError("bad header") from error
        if found.size < 0 or (found.type in _ABOUT_THE_NEXT and found.size > MAX_HEADER):
            raise tarfile.ReadError("bad size")
        return found


def _take(
    tar: tarfile.TarFile, member: tarfile.TarInfo, found: Unpacked, wanted: Callable[[str], bool], most: int
) -> None:
    name = safe_name(member.name)
    found.members += 1
    if found.members > MAX_MEMBERS:
        raise Refused(
            f"The archive has more than {MAX_MEMBERS} members. Send the patches alone.", code="too-many-members"
        )
    if member.isdir():
        return
    if not member.isreg() or member.issparse():
        found.others[name] = _what(member)
    elif not wanted(name):
        found.passed_over.append(name)
    else:
        found.files[name] = _bytes(tar, member, found, most)


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo, found: Unpacked, most: int) -> bytes:
    found.kept += member.size
    if member.size > most or found.kept > MAX_KEPT:
        raise Refused(
            f"{shown(member.name)} has {member.size} bytes, which is too much for patches: at most {most} each and "
            f"{MAX_KEPT} together. Split it.",
            code="too-large",
        )
    stream: Any = tar.extractfile(member)
    data: bytes = stream.read()
    if len(data) != member.size:
        raise tarfile.ReadError(_ENDED)
    return data


def safe_name(name: str) -> str:
    """A member's name without `./`. Raises Refused `unsafe-path` when it leads out of the archive."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    outside = name.startswith("/") or ".." in parts or ".." in name.split("\\") or name[1:3] in (":\\", ":/")
    if outside or len(name) > MAX_NAME or any(ord(char) < 32 for char in name):
        raise Refused(
            f"The archive has a member {shown(name)!r}, which is an absolute name, or leads out of it by '..'. "
            "Pack the folder of the patches itself.",
            code="unsafe-path",
        )
    return "/".join(parts)


def _what(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "link"
    return "sparse file" if member.isreg() else "special file"


def shown(name: str) -> str:
    """A name from outside for a sentence: short, and nothing in it that is no text."""
    return "".join(char if char.isprintable() else "?" for char in name)[:120]


def _cut(stream: Expanding, name: str) -> Refused:
    where = f"; the last file that it names is {shown(name)}" if name else ""
    return Refused(
        f"The file was cut: it ends after {stream.read_so_far} bytes of what it holds{where}. Send it again.",
        code="truncated",
    )


def _damaged(_: Expanding, name: str) -> Refused:
    where = f"behind {shown(name)}" if name else "at its start"
    return Refused(f"The archive is damaged {where}. {_DAMAGED}", code="damaged-archive")
