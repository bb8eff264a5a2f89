"""The names of folders that were never indexed as a whole: files that the index knows by it, the others by their text.

A fix's own tree is asked for a few names only. Of a file that the index lacks the words are listed, those of comments
too, which takes a twentieth of the time of all that the index keeps of it. Only where a name's words are among them the
file's identifiers are read, or all that the index has of a file (`engine.guards.ccode.tokens`) when more than
identifiers is asked for; so the answers are the same.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pygit2

from backports.engine.guards import ccode

from .store import Recent

BIGGEST_BLOB = 4 * 1024 * 1024
BLOBS_KEPT = 4_000  # about 2 kB each
Hashes = array  # of unsigned 32-bit numbers, ascending


@dataclass(frozen=True, slots=True)
class File:
    """A C file of a folder; `known` holds its names when the index has them."""

    name: str
    oid: str
    is_header: bool
    known: Hashes[int] | None = None

    def with_names(self, known: Mapping[str, Hashes[int]]) -> File:
        """The same file with what is known of its blob."""
        return replace(self, known=known.get(self.oid))


@dataclass(frozen=True, slots=True)
class Glance:
    """One folder's own files, of which some are asked by their text; `read` gives a blob's content."""

    files: tuple[File, ...]
    read: Callable[[str], bytes]

    def held(self, wanted: Mapping[int, bytes], *, headers_only: bool) -> list[int]:
        """Those of the names, by number, that a file of the folder has."""
        left, found = dict(wanted), list[int]()
        for file in self.files:
            if left and (file.is_header or not headers_only):
                here = self._held_in(file, left)
                found += here
                left = {key: name for key, name in left.items() if key not in here} if here else left
        return found

    def with_name(self, name: bytes) -> Iterator[str]:
        """The folder's own files that have the name."""
        return (file.name for file in self.files if self._held_in(file, {zlib.crc32(name): name}))

    def _held_in(self, file: File, wanted: Mapping[int, bytes]) -> list[int]:
        known = file.known if file.known is not None else _hashes.find(file.oid)
        if known is not None:
            return held(known, wanted)
        words = _words.get(file.oid, lambda: _numbers(ccode.words_in(self.read(file.oid))))
        wanted = {key: name for key, name in wanted.items() if _may_have(words, name)}
        if not wanted:
            return []
        if all(map(ccode.WORD.fullmatch, wanted.values())):
            return held(_names.get(file.oid, lambda: _numbers(ccode.names_in(self.read(file.oid)))), wanted)
        return held(_hashes.get(file.oid, lambda: hashes_of(self.read(file.oid))), wanted)


_words: Recent[str, Hashes[int]] = Recent(BLOBS_KEPT)
_names: Recent[str, Hashes[int]] = Recent(BLOBS_KEPT)
_hashes: Recent[str, Hashes[int]] = Recent(BLOBS_KEPT)


def content_of(repo: pygit2.Repository, oid: str) -> bytes:
    """A blob's text; b"" of what is no text, or too big to be code."""
    blob = repo[oid].peel(pygit2.Blob)
    return b"" if blob.size > BIGGEST_BLOB or blob.is_binary else blob.data


def hashes_of(data: bytes) -> Hashes[int]:
    """The numbers of all that a text names."""
    return _numbers(ccode.tokens(data))


def _numbers(tokens: Iterable[bytes]) -> Hashes[int]:
    return array("I", sorted(set(map(zlib.crc32, tokens))))


def held(known: Hashes[int], wanted: Iterable[int]) -> list[int]:
    """Those of the numbers that a sorted array holds."""
    most = len(known)
    return [key for key in wanted if (at := bisect_left(known, key)) < most and known[at] == key]


def _may_have(words: Hashes[int], token: bytes) -> bool:
    """Whether a text of these words can have the token: of `.outer.inner` both names; a format is no word."""
    parts = {zlib.crc32(word) for word in ccode.WORD.findall(token)}
    return token.startswith(b"%") or len(held(words, parts)) == len(parts)
