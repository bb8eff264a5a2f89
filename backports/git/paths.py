"""Which files a tree has, kept per tree because a worker meets the same few trees all day."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import pygit2

from .store import Recent

INDEXES_KEPT = 40


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
            self._by_folder[sys.intern(path.rpartition("/")[0] or ".")].append(path)

    def namesakes(self, path: str) -> Sequence[str]:
        """Every file with the base name of `path`; with another extension when there is none."""
        alike = self._by_stem.get(stem(path), ())
        same = [other for other in alike if base_name(other) == base_name(path)]
        return same or list(alike)

    def around(self, path: str) -> list[str]:
        """Files of the same extension in the folder of `path` and the two above it, nearest first."""
        home, suffix = PurePosixPath(path).parent, PurePosixPath(path).suffix
        folders = [str(folder) for folder in (home, *home.parents)][:3]
        near = [other for folder in folders for other in self._by_folder.get(folder, ())]
        return [other for other in near if PurePosixPath(other).suffix == suffix]

    def holding(self, oid: str) -> list[str]:
        """Every path whose blob is `oid`."""
        return [path for path, other in self.oids.items() if other == oid]


_INDEXES: Recent[str, PathIndex] = Recent(INDEXES_KEPT)


def path_index(tree: pygit2.Tree) -> PathIndex:
    """The index of a tree, from this process's cache when it was met before."""
    return _INDEXES.get(str(tree.id), lambda: PathIndex(_entries(tree)))


def base_name(path: str) -> str:
    """The part after the last slash."""
    return path.rpartition("/")[2]


def stem(path: str) -> str:
    """The base name up to its first dot (a leading dot belongs to the name)."""
    name = base_name(path)
    return name[:1] + name[1:].partition(".")[0]


def _entries(tree: pygit2.Tree) -> Iterable[tuple[str, str]]:
    index = pygit2.Index()
    index.read_tree(tree)
    return ((entry.path, str(entry.id)) for entry in index)
