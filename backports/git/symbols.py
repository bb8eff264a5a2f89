"""Which identifiers a tree knows, from an index of its blobs that all branches share.

Every C, C++ and assembler blob is read once, whatever branch holds it: the index file keeps the
CRC-32 of each name, member and `name/arguments` in it (see `engine.guards.ccode.tokens`), never
the text. Folders are kept in memory by their own oid, so that a tree costs only the folders that
no tree before it had. A name that no file has is taken for
known about once in 30,000 times, by collision.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pygit2

from backports.engine.guards import ccode

from .errors import GitError
from .runner import refuse_option, run_git
from .store import Recent, tree_at

INDEX_NAME = "symbols-2.sqlite"  # the number changes with what tokens() gives
FOLDERS_KEPT = 12_000
BLOBS_KEPT = 40_000
TREES_KEPT = 64
BIGGEST_BLOB = 4 * 1024 * 1024
LOG_TIMEOUT = 120.0
_ARCH = re.compile(r"(?:^|/)(?:arch/|asm-)([A-Za-z0-9]+)(?=/|$)")
_BUSY_TIMEOUT = 30.0
Hashes = array  # of unsigned 32-bit numbers, ascending


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder's own files: what each header names, and what each other source names."""

    headers: tuple[Hashes[int], ...]
    sources: tuple[Hashes[int], ...]


class SymbolIndex:
    """The index in `folder` (made when missing); None keeps it in memory only.

    Several processes may share the folder. Methods raise GitError `broken-index` when its file is
    no index, and `no-such-commit`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = None if folder is None else folder / INDEX_NAME
        self._folders: Recent[str, Folder] = Recent(FOLDERS_KEPT)
        self._children: Recent[str, _Children] = Recent(FOLDERS_KEPT)
        self._trees: Recent[str, _Known] = Recent(TREES_KEPT)
        self._blobs: Recent[str, Hashes[int]] = Recent(BLOBS_KEPT)

    def of(self, repo: pygit2.Repository, treeish: str) -> TreeSymbols:
        """What the tree names; reads nothing but the tree's folders until it is asked."""
        tree = tree_at(repo, treeish)
        oid = str(tree.id)
        return TreeSymbols(self, repo, self._trees.get(oid, lambda: _Known(tuple(self._walk(repo, oid, "")))))

    def fill(self, repo: pygit2.Repository, treeish: str) -> int:
        """Reads every blob of the tree that the index lacks, and tells how many that were."""
        return self.load(repo, [folder for _, folder in self.of(repo, treeish).folders])

    def load(self, repo: pygit2.Repository, folders: Iterable[str]) -> int:
        """Has the names of all files of these folders at hand; tells how many had to be read from the repository."""
        new = [folder for folder in folders if folder not in self._folders]
        oids = {blob for folder in new for blob, _ in self._listing(repo, folder).files}
        wanted = [oid for oid in oids if oid not in self._blobs]
        if not wanted:
            return 0
        if self._file is None:
            made = {oid: _packed(repo, oid) for oid in wanted}
            known: dict[str, bytes] = {}
        else:
            known, made = self._fetch(self._file, repo, wanted)
        for oid, data in (*known.items(), *made.items()):
            self._blobs.put(oid, _unpacked(data))
        return len(made)

    def folder(self, repo: pygit2.Repository, oid: str) -> Folder:
        """The names of one folder's own files."""
        return self._folders.get(oid, lambda: self._read_folder(repo, oid))

    def _walk(self, repo: pygit2.Repository, oid: str, path: str) -> Iterator[tuple[str, str]]:
        listing = self._listing(repo, oid)
        if listing.files:
            yield path, oid
        for name, child in listing.folders:
            yield from self._walk(repo, child, f"{path}/{name}" if path else name)

    def _listing(self, repo: pygit2.Repository, oid: str) -> _Children:
        return self._children.get(oid, lambda: _Children.of(repo[oid].peel(pygit2.Tree)))

    def _read_folder(self, repo: pygit2.Repository, oid: str) -> Folder:
        headers: list[Hashes[int]] = []
        sources: list[Hashes[int]] = []
        for blob, is_header in self._listing(repo, oid).files:
            known = self._blobs.get(blob, lambda blob=blob: _unpacked(_packed(repo, blob)))  # type: ignore[misc]
            (headers if is_header else sources).append(known)
        return Folder(tuple(headers), tuple(sources))

    def _fetch(
        self, file: Path, repo: pygit2.Repository, oids: Sequence[str]
    ) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The packed names of blobs: those that the index had, and those made and stored now."""
        with self._connection(file) as database:
            known = _stored(database, oids)
            made = {oid: _packed(repo, oid) for oid in oids if oid not in known}
            if made:
                rows = ((bytes.fromhex(oid), data) for oid, data in made.items())
                database.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?)", rows)
        return known, made

    @contextlib.contextmanager
    def _connection(self, file: Path) -> Iterator[sqlite3.Connection]:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(file, timeout=_BUSY_TIMEOUT)) as database, database:
                database.execute("CREATE TABLE IF NOT EXISTS blob (oid BLOB PRIMARY KEY, names BLOB) WITHOUT ROWID")
                yield database
        except sqlite3.Error as error:
            raise GitError(
                "broken-index", "The index of identifiers cannot be used; delete its file, it is made again."
            ) from error


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found out about a tree: its folders with C files as (path, oid), those in reach of a path, answers."""

    folders: tuple[tuple[str, str], ...]
    near: dict[str, list[str]] = field(default_factory=dict)
    answers: dict[tuple[str, bool], dict[bytes, bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Children:
    """What a folder holds: C files as (oid, whether it is a header), folders as (name, oid)."""

    files: tuple[tuple[str, bool], ...]
    folders: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, tree: pygit2.Tree) -> _Children:
        files, folders = [], []
        for entry in tree:
            name = entry.name or ""
            if isinstance(entry, pygit2.Tree):
                folders.append((name, str(entry.id)))
            elif isinstance(entry, pygit2.Blob) and ccode.is_c(name):
                files.append((str(entry.id), ccode.is_header(name)))
        return cls(tuple(files), tuple(folders))


class TreeSymbols:
    """One tree's names, as `engine.guards.symbols.SymbolReader`."""

    def __init__(self, index: SymbolIndex, repo: pygit2.Repository, known: _Known) -> None:
        self._index, self._repo, self._known = index, repo, known

    @property
    def folders(self) -> Sequence[tuple[str, str]]:
        """Every folder that holds C files itself, as (path, oid)."""
        return self._known.folders

    def declared(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those of the names that some header in reach of `path` holds."""
        return self._find(names, path, headers_only=True)

    def present(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those of the names that any C file in reach of `path` holds."""
        return self._find(names, path, headers_only=False)

    def _find(self, names: Collection[bytes], path: str, *, headers_only: bool) -> frozenset[bytes]:
        known = self._known.answers.setdefault((path, headers_only), {})
        new = [name for name in names if name not in known]
        if new:
            found = self._search(new, path, headers_only=headers_only)
            known.update((name, name in found) for name in new)
        return frozenset(name for name in names if known[name])

    def _search(self, names: Collection[bytes], path: str, *, headers_only: bool) -> set[bytes]:
        wanted = {zlib.crc32(name): name for name in names}
        found: set[bytes] = set()
        near = self._in_reach(path)
        self._index.load(self._repo, near)
        for oid in near:
            if not wanted:
                break
            folder = self._index.folder(self._repo, oid)
            for known in folder.headers if headers_only else folder.headers + folder.sources:
                for key in [key for key in wanted if _holds(known, key)]:
                    found.add(wanted.pop(key))
        return found

    def _in_reach(self, path: str) -> list[str]:
        """The folders that code at `path` can use, those first that are likeliest to hold a name."""
        if path not in self._known.near:
            near = [folder for folder in self.folders if in_reach(folder[0], path)]
            near.sort(key=lambda folder: _distance(folder[0], path))
            self._known.near[path] = [oid for _, oid in near]
        return self._known.near[path]


def in_reach(folder: str, path: str) -> bool:
    """Whether code at `path` can use what `folder` declares: one program, and no other architecture's part."""
    top = path.partition("/")[0]
    if folder and folder.partition("/")[0] != top and not folder.startswith("xen/include/public"):
        return False
    own, other = _ARCH.search(path), _ARCH.search(folder + "/")
    return own is None or other is None or own.group(1)[:3] == other.group(1)[:3] or other.group(1) == "generic"


def _distance(folder: str, path: str) -> tuple[bool, int]:
    shared = 0
    for one, other in zip(folder.split("/"), path.split("/"), strict=False):
        if one != other:
            break
        shared += 1
    return "include" not in folder, -shared


def _holds(known: Hashes[int], key: int) -> bool:
    at = bisect_left(known, key)
    return at < len(known) and known[at] == key


def _stored(database: sqlite3.Connection, oids: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for start in range(0, len(oids), 500):
        some = [bytes.fromhex(oid) for oid in oids[start : start + 500]]
        marks = ",".join("?" * len(some))
        query = f"SELECT oid, names FROM blob WHERE oid IN ({marks})"  # noqa: S608 - only question marks are put in
        found.update((oid.hex(), data) for oid, data in database.execute(query, some))
    return found


def _packed(repo: pygit2.Repository, oid: str) -> bytes:
    blob = repo[oid].peel(pygit2.Blob)
    if blob.size > BIGGEST_BLOB or blob.is_binary:
        return b""
    return array("I", sorted({zlib.crc32(token) for token in ccode.tokens(blob.data)})).tobytes()


def _unpacked(data: bytes) -> Hashes[int]:
    hashes = array("I")
    hashes.frombytes(data)
    return hashes


def introduced_by(git_dir: Path | str, name: str, tip: str, paths: Sequence[str] = ()) -> str | None:
    """The first commit below `tip` that changed how often `name` occurs, by `git log -S`; None when none did.

    Takes seconds on a large history: for a page that asks, never for the ladder. `paths` narrow it.
    Raises GitError `bad-name`, `no-such-commit`, `timeout`.
    """
    refuse_option(tip, "commit")
    found = run_git(
        ["log", f"-S{name}", "--format=%H", "--reverse", tip, "--", *paths], git_dir=git_dir, timeout=LOG_TIMEOUT
    )
    return found.split()[0].decode() if found.split() else None
