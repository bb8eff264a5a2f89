"""Which files a tree has, kept per tree because a worker meets the same few trees all day."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

import pygit2

from .store import Recent

INDEXES_KEPT = 40
FOLDERS_KEPT = 12_000
FEWEST_NEIGHBOURS = 3
# Folders that moved for good between releases of Xen: where they are now, and where they were.
MOVED_FOLDERS = (
    ("xen/arch/x86/include/asm", "xen/include/asm-x86"),
    ("xen/arch/arm/include/asm", "xen/include/asm-arm"),
    ("xen/arch/x86/pv", "xen/arch/x86"),
    ("tools/libs/light", "tools/libxl"),
    ("tools/libs/ctrl", "tools/libxc"),
    ("tools/libs/guest", "tools/libxc"),
    ("tools/libs/util", "tools/libxl"),
    ("tools/libs/store", "tools/xenstore"),
    ("tools/xl", "tools/libxl"),
)


class PathIndex:
    """One tree's file names, by base name and by blob.

    Strings and oids are interned, so that trees that resemble each other share them.
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self.oids = {sys.intern(path): sys.intern(oid) for path, oid in entries}
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._by_folder: dict[str, list[str]] = defaultdict(list)
        for path in self.oids:
            self._by_stem[sys.intern(stem(path))].append(path)
            self._by_folder[sys.intern(folder_of(path) or ".")].append(path)

    def namesakes(self, path: str) -> Sequence[str]:
        """Every file with the base name of `path`; with another extension when there is none."""
        alike = self._by_stem.get(stem(path), ())
        same = [other for other in alike if base_name(other) == base_name(path)]
        return same or list(alike)

    def has_folder(self, folder: str) -> bool:
        """Whether a file stands right in the folder."""
        return (folder or ".") in self._by_folder

    def in_folder(self, folder: str) -> Sequence[str]:
        """The files right in the folder."""
        return self._by_folder.get(folder or ".", ())

    def around(self, path: str) -> list[str]:
        """Files of the same extension in the folder of `path` and the two above it, nearest first."""
        home = PurePosixPath(path).parent
        folders = [str(folder) for folder in (home, *home.parents)][:3]
        near = [other for folder in folders for other in self._by_folder.get(folder, ())]
        return [other for other in near if suffix_of(other) == suffix_of(path)]

    def holding(self, oid: str) -> list[str]:
        """Every path whose blob is `oid`."""
        return [path for path, other in self.oids.items() if other == oid]


_INDEXES: Recent[str, PathIndex] = Recent(INDEXES_KEPT)
Listing = tuple[tuple[str, str, bool], ...]
_FOLDERS: Recent[str, Listing] = Recent(FOLDERS_KEPT)


def path_index(repo: pygit2.Repository, tree: pygit2.Tree) -> PathIndex:
    """The index of a tree, from this process's cache when it was met before; folders are read once for all trees."""
    oid = str(tree.id)
    return _INDEXES.get(oid, lambda: PathIndex(_entries(repo, oid)))


def other_folders(path: str) -> list[str]:
    """Where the table of moved folders has a file of this name, in older and in newer trees."""
    pairs = [*MOVED_FOLDERS, *((old, new) for new, old in MOVED_FOLDERS)]
    return [old + path.removeprefix(new) for new, old in pairs if path.startswith(f"{new}/")]


def home_of(path: str, target: PathIndex, base: PathIndex | None) -> str:
    """Where a new file belongs: in its folder, where the table has that folder, or where its neighbours are now.

    `base` is the tree that the patch was made on. A folder that is nowhere is new itself.
    """
    folder = folder_of(path)
    if target.has_folder(folder):
        return path
    for other in other_folders(path):
        if target.has_folder(folder_of(other)):
            return other
    neighbours = [other for other in base.in_folder(folder) if other != path] if base else []
    votes = Counter(folder_of(home) for other in neighbours for home in target.namesakes(other)[:1])
    if len(neighbours) < FEWEST_NEIGHBOURS or not votes:
        return path
    home, count = votes.most_common(1)[0]
    return f"{home}/{base_name(path)}" if home and 2 * count > len(neighbours) else path


def folder_of(path: str) -> str:
    """The part before the last slash, or ""."""
    return path.rpartition("/")[0]


def base_name(path: str) -> str:
    """The part after the last slash."""
    return path.rpartition("/")[2]


def suffix_of(path: str) -> str:
    """The base name from its last dot on, as `PurePosixPath.suffix` has it, which takes ten times as long."""
    name = base_name(path)
    at = name.rfind(".")
    return name[at:] if 0 < at < len(name) - 1 else ""


def stem(path: str) -> str:
    """The base name up to its first dot (a leading dot belongs to the name)."""
    name = base_name(path)
    return name[:1] + name[1:].partition(".")[0]


def _entries(repo: pygit2.Repository, tree: str, folder: str = "") -> Iterator[tuple[str, str]]:
    for name, oid, is_folder in _FOLDERS.get(tree, lambda: _listing(repo[tree].peel(pygit2.Tree))):
        path = f"{folder}/{name}" if folder else name
        if is_folder:
            yield from _entries(repo, oid, path)
        else:
            yield path, oid


def _listing(tree: pygit2.Tree) -> Listing:
    return tuple((entry.name or "", str(entry.id), isinstance(entry, pygit2.Tree)) for entry in tree)
