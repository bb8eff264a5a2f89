"""Which identifiers a tree knows, from an index of its blobs that all branches share.

Every C, C++ and assembler blob is read once, whatever branch holds it: the index file keeps the
CRC-32 of each name, member and `name/arguments` in it (see `engine.guards.ccode.tokens`), never
the text. A folder is two sorted arrays of those numbers, kept on disk and in memory by the folder's
own oid. Branches are read into it (`fill`); other trees, such as those that fixes were made on, are
asked file by file (`glances`). A name that no file has is taken for known about once in 30,000 times, by collision.
"""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygit2

from backports.engine.guards import ccode

from .errors import GitError
from .glances import File, Glance, Hashes, content_of, hashes_of, held
from .includes import Headers
from .store import Recent, content_at, tree_at

INDEX_NAME = "symbols-4.sqlite"  # the number changes with what tokens() gives
FOLDERS_KEPT = 8_000  # about 5 kB each: some 40 MB in a worker
LISTINGS_KEPT = 20_000
GLANCES_KEPT = 2_000
FILLED_KEPT = 100_000
HOLDERS_KEPT = 50_000
TREES_KEPT = 64
MAX_FOLDERS = 24  # a name that more folders hold is used all over
FIRST_FOLDERS = 8  # how many are asked first; each next lot is four times as large
_ARCH = re.compile(r"(?:^|/)(?:arch/|asm-)([A-Za-z0-9]+)(?=/|$)")
GENERIC = "gen"  # asm-generic, by its first letters
_BUSY_TIMEOUT = 30.0
_TABLES = (
    "blob (oid BLOB PRIMARY KEY, names BLOB)",
    "folder (oid BLOB PRIMARY KEY, headers BLOB, sources BLOB)",
)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder's own files: what its headers name, and what its other sources name."""

    headers: Hashes[int]
    sources: Hashes[int]

    def held(self, wanted: Mapping[int, bytes], *, headers_only: bool) -> list[int]:
        """Those of the names, by number, that a file of the folder has."""
        found = held(self.headers, wanted)
        return found if headers_only else found + held(self.sources, [key for key in wanted if key not in found])


class SymbolIndex:
    """The index in `folder` (made when missing); None keeps it in memory only.

    Several processes may share the folder. Methods raise GitError `broken-index` when its file is
    no index, and `no-such-commit`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = None if folder is None else folder / INDEX_NAME
        self._folders: Recent[str, Folder] = Recent(FOLDERS_KEPT)
        self._filled: Recent[str, None] = Recent(FILLED_KEPT)
        self._listings: Recent[str, _Listing] = Recent(LISTINGS_KEPT)
        self._flat: Recent[str, Folders] = Recent(LISTINGS_KEPT)
        self._trees: Recent[str, _Known] = Recent(TREES_KEPT)
        self._glances: Recent[str, Glance] = Recent(GLANCES_KEPT)
        self._holders: Recent[tuple[str, bytes], tuple[str, ...]] = Recent(HOLDERS_KEPT)

    def of(self, repo: pygit2.Repository, treeish: str) -> TreeSymbols:
        """What the tree names; nothing is read until it is asked."""
        oid = str(tree_at(repo, treeish).id)
        return TreeSymbols(self, repo, oid, self._trees.get(oid, _Known))

    def fill(self, repo: pygit2.Repository, treeish: str) -> int:
        """Reads every blob of the tree that the index lacks, and tells how many that were."""
        new = [folder for _, folder in self.of(repo, treeish).folders if folder not in self._filled]
        found, made = self._read(repo, new) if new else ({}, 0)
        for oid, folder in found.items():
            self._filled.put(oid, None)
            self._folders.put(oid, folder)
        return made

    def _read(self, repo: pygit2.Repository, folders: Sequence[str]) -> tuple[dict[str, Folder], int]:
        """The names of folders, and how many blobs had to be read for them that the index lacked."""
        with self._connection() as database:
            found = _stored_folders(database, folders)
            lacking = [oid for oid in folders if oid not in found]
            known, count = _known_blobs(database, repo, self._blobs(repo, lacking))
            merged = self._merge(repo, lacking, known)
            rows = ((bytes.fromhex(oid), one.headers.tobytes(), one.sources.tobytes()) for oid, one in merged.items())
            database.executemany("INSERT OR IGNORE INTO folder VALUES (?, ?, ?)", rows)
        return found | merged, count

    def _merge(self, repo: pygit2.Repository, folders: Sequence[str], known: dict[str, bytes]) -> dict[str, Folder]:
        unpacked = {oid: _unpacked(data) for oid, data in known.items()}
        return {oid: _merged(self._listing(repo, oid), unpacked) for oid in folders}

    def _blobs(self, repo: pygit2.Repository, folders: Iterable[str]) -> list[str]:
        return sorted({file.oid for folder in folders for file in self._listing(repo, folder).files})

    def at_hand(self, repo: pygit2.Repository, folders: Iterable[str]) -> dict[str, Folder | Glance]:
        """These folders' own files: what the index holds of them, and a glance at each that it lacks."""
        found = {oid: self._folders.find(oid) or self._glances.find(oid) for oid in folders}
        known = {oid: one for oid, one in found.items() if one is not None}
        new = [oid for oid in found if oid not in known]
        return known | self._look(repo, new) if new else known

    def _look(self, repo: pygit2.Repository, folders: Sequence[str]) -> dict[str, Folder | Glance]:
        with self._connection() as database:
            stored = _stored_folders(database, folders)
            glances = self._glance(database, repo, [oid for oid in folders if oid not in stored])
        for oid, folder in stored.items():
            self._folders.put(oid, folder)
        for oid, glance in glances.items():
            self._glances.put(oid, glance)
        return {**stored, **glances}

    def _glance(
        self, database: sqlite3.Connection, repo: pygit2.Repository, folders: Sequence[str]
    ) -> dict[str, Glance]:
        known = dict(_stored(database, "oid, names FROM blob", self._blobs(repo, folders)))
        hashes = {oid: _unpacked(data) for oid, data in known.items()}
        read = functools.partial(content_of, repo)
        return {
            folder: Glance(tuple(file.with_names(hashes) for file in self._listing(repo, folder).files), read)
            for folder in folders
        }

    def files_with(self, repo: pygit2.Repository, folder: str, name: bytes) -> tuple[str, ...]:
        """The names of a folder's own files that hold the name."""
        return self._holders.get((folder, name), lambda: tuple(self._file_glance(repo, folder).with_name(name)))

    def _file_glance(self, repo: pygit2.Repository, folder: str) -> Glance:
        known = self._glances.find(folder)
        if known is None:
            with self._connection() as database:
                known = self._glance(database, repo, [folder])[folder]
            self._glances.put(folder, known)
        return known

    def flat(self, repo: pygit2.Repository, oid: str) -> Folders:
        """Every folder at or below this one that holds C files itself, as (path from here, oid)."""
        return self._flat.get(oid, lambda: tuple(self._walk(repo, oid)))

    def _walk(self, repo: pygit2.Repository, oid: str) -> Iterator[tuple[str, str]]:
        listing = self._listing(repo, oid)
        if listing.files:
            yield "", oid
        for name, child in listing.folders:
            yield from ((f"{name}/{path}" if path else name, found) for path, found in self.flat(repo, child))

    def _listing(self, repo: pygit2.Repository, oid: str) -> _Listing:
        return self._listings.get(oid, lambda: _Listing.of(repo[oid].peel(pygit2.Tree)))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        place = self._file or ":memory:"
        try:
            with contextlib.closing(sqlite3.connect(place, timeout=_BUSY_TIMEOUT)) as database, database:
                for table in _TABLES:
                    database.execute(f"CREATE TABLE IF NOT EXISTS {table} WITHOUT ROWID")
                yield database
        except sqlite3.Error as error:
            raise GitError(
                "broken-index", "The index of identifiers cannot be used; delete its file, it is made again."
            ) from error


Folders = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found out about a tree: the folders near a path, its headers, and answers by reach and kind."""

    near: dict[str, Folders] = field(default_factory=dict)
    headers: dict[Reach, Headers] = field(default_factory=dict)
    answers: dict[tuple[Reach, bool], dict[bytes, bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Listing:
    """What a folder holds itself: C files, and folders as (name, oid)."""

    files: tuple[File, ...]
    folders: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, tree: pygit2.Tree) -> _Listing:
        files, folders = [], []
        for entry in tree:
            name = entry.name or ""
            if isinstance(entry, pygit2.Tree):
                folders.append((name, str(entry.id)))
            elif isinstance(entry, pygit2.Blob) and ccode.is_c(name):
                files.append(File(name, str(entry.id), ccode.is_header(name)))
        return cls(tuple(files), tuple(folders))


class TreeSymbols:
    """One tree's names, as `engine.guards.symbols.SymbolReader`."""

    def __init__(self, index: SymbolIndex, repo: pygit2.Repository, oid: str, known: _Known) -> None:
        self._index, self._repo, self._oid, self._known = index, repo, oid, known

    @property
    def folders(self) -> Folders:
        """Every folder that holds C files itself, as (path, oid)."""
        return self._index.flat(self._repo, self._oid)

    def declared(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those of the names that some header in reach of `path` holds."""
        return self._find(names, path, headers_only=True)

    def present(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those of the names that any C file in reach of `path` holds."""
        return self._find(names, path, headers_only=False)

    def holding(self, name: bytes, path: str) -> Iterator[str]:
        """The C files in reach of `path` that hold the identifier, near folders first."""
        near, wanted = self._near(path), {zlib.crc32(name): name}
        known = self._index.at_hand(self._repo, (oid for _, oid in near))
        folders = [(folder, oid) for folder, oid in near if known[oid].held(wanted, headers_only=False)]
        for folder, oid in folders if len(folders) <= MAX_FOLDERS else ():
            for file in self._index.files_with(self._repo, oid, name):
                yield f"{folder}/{file}" if folder else file

    def read(self, path: str) -> bytes:
        """The tree's file at `path`, or b"" where there is none."""
        return content_at(self._repo[self._oid].peel(pygit2.Tree), path)

    def headers(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those of the names that an `#include` at `path` would find."""
        home = path.rpartition("/")[0]
        return frozenset(name for name in names if self._headers(path).find(name, home))

    def brought(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:
        """Those of the identifiers that stand in the headers `includes` themselves."""
        return self._headers(path).brought(names, path, includes) if names else frozenset()

    def reached(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:
        """Those of the identifiers that the headers `includes` bring into `path`."""
        return self._headers(path).reached(names, path, includes) if names else frozenset()

    def _headers(self, path: str) -> Headers:
        reach = reach_of(path)
        if reach not in self._known.headers:
            self._known.headers[reach] = Headers(self._repo, [one for one in self.folders if in_reach(one[0], path)])
        return self._known.headers[reach]

    def _find(self, names: Collection[bytes], path: str, *, headers_only: bool) -> frozenset[bytes]:
        known = self._known.answers.setdefault((reach_of(path), headers_only), {})
        new = [name for name in names if name not in known and name not in ccode.KEYWORDS]
        if new:
            found = self._search(new, path, headers_only=headers_only)
            known.update((name, name in found) for name in new)
        return frozenset(name for name in names if known.get(name))

    def _search(self, names: Collection[bytes], path: str, *, headers_only: bool) -> set[bytes]:
        wanted = {zlib.crc32(name): name for name in names}
        found: set[bytes] = set()
        for lot in _lots(self._near(path)):
            known = self._index.at_hand(self._repo, (oid for _, oid in lot))
            for _, oid in lot:
                found.update(wanted.pop(key) for key in known[oid].held(wanted, headers_only=headers_only))
                if not wanted:
                    return found
        return found

    def _near(self, path: str) -> Folders:
        """The folders that code at `path` can use, those first that are likeliest to hold a name."""
        home = path.rpartition("/")[0]
        if home not in self._known.near:
            near = [folder for folder in self.folders if in_reach(folder[0], path)]
            near.sort(key=lambda folder: _distance(folder[0], home))
            self._known.near[home] = tuple(near)
        return self._known.near[home]


Reach = tuple[str, str]


@functools.lru_cache(8192)
def reach_of(path: str) -> Reach:
    """What decides which folders code at `path` can use: its top folder, and its architecture's first letters."""
    own = _ARCH.search(path)
    return path.partition("/")[0], own.group(1)[:3] if own else ""


def in_reach(folder: str, path: str) -> bool:
    """Whether code at `path` can use what `folder` declares: one program, and no other architecture's part."""
    (top, own), (other_top, other) = reach_of(path), reach_of(folder + "/")
    if folder and other_top != top and not folder.startswith("xen/include/public"):
        return False
    return not own or other in ("", own, GENERIC)


def _distance(folder: str, home: str) -> tuple[bool, bool, int]:
    shared = 0
    for one, other in zip(folder.split("/"), home.split("/"), strict=False):
        if one != other:
            break
        shared += 1
    return folder != home, "include" not in folder, -shared


def _lots(folders: Folders) -> Iterator[Folders]:
    start, size = 0, FIRST_FOLDERS
    while start < len(folders):
        yield folders[start : start + size]
        start, size = start + size, size * 4


def _merged(listing: _Listing, known: dict[str, Hashes[int]]) -> Folder:
    headers, sources = (
        array("I", sorted(set().union(*(known[file.oid] for file in listing.files if file.is_header is wanted))))
        for wanted in (True, False)
    )
    return Folder(headers, sources)


def _known_blobs(
    database: sqlite3.Connection, repo: pygit2.Repository, oids: Sequence[str]
) -> tuple[dict[str, bytes], int]:
    """The packed names of blobs, and how many of them were made and stored now."""
    found = dict(_stored(database, "oid, names FROM blob", oids))
    made = {oid: _packed(repo, oid) for oid in oids if oid not in found}
    rows = ((bytes.fromhex(oid), data) for oid, data in made.items())
    database.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?)", rows)
    return found | made, len(made)


def _stored_folders(database: sqlite3.Connection, oids: Sequence[str]) -> dict[str, Folder]:
    rows = _stored(database, "oid, headers, sources FROM folder", oids)
    return {oid: Folder(_unpacked(headers), _unpacked(sources)) for oid, headers, sources in rows}


def _stored(database: sqlite3.Connection, what: str, oids: Sequence[str]) -> Iterator[Any]:
    """The rows of these oids, which come first in each, as hex digits."""
    for start in range(0, len(oids), 500):
        some = [bytes.fromhex(oid) for oid in oids[start : start + 500]]
        marks = ",".join("?" * len(some))
        query = f"SELECT {what} WHERE oid IN ({marks})"
        for oid, *rest in database.execute(query, some):
            yield oid.hex(), *rest


def _packed(repo: pygit2.Repository, oid: str) -> bytes:
    return hashes_of(content_of(repo, oid)).tobytes()


def _unpacked(data: bytes) -> Hashes[int]:
    hashes = array("I")
    hashes.frombytes(data)
    return hashes
