"""What is inside of archives and compressed files, so that a word in them is found."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping

_COMPRESSED: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\x00": lzma.decompress,
}
_TAR = slice(257, 262)


def unpacked(data: bytes) -> Iterator[bytes]:
    """The bytes themselves, and the name and content of everything that is packed in them, however deep."""
    yield data
    for name, inside in _members(data):
        yield name.encode()
        yield from unpacked(inside)


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    for magic, decompress in _COMPRESSED.items():
        if data.startswith(magic):
            yield "", decompress(data)
    if data[_TAR] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            yield from ((one.name, _content(archive, one)) for one in archive)
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            yield from ((one, packed.read(one)) for one in packed.namelist())


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isfile() else None
    return file.read() if file else member.linkname.encode()
