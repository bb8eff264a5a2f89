"""Opening repositories in process, with libgit2 set up once and the same way everywhere."""

from __future__ import annotations

import functools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import pygit2
from pygit2.enums import ConfigLevel, RepositoryOpenFlag

from .errors import GitError

OBJECT_CACHE_BYTES = 48 * 1024 * 1024
MAPPED_WINDOW_BYTES = 256 * 1024 * 1024
K = TypeVar("K")
V = TypeVar("V")
HEX = re.compile(r"[0-9a-f]{40}")


@functools.cache
def _set_up_libgit2() -> None:
    pygit2.settings.owner_validation = False
    pygit2.settings.cache_max_size(OBJECT_CACHE_BYTES)
    pygit2.settings.mwindow_mapped_limit = MAPPED_WINDOW_BYTES
    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL):
        pygit2.settings.search_path[level] = ""


def open_repository(path: Path | str) -> pygit2.Repository:
    """The bare repository at `path` itself (folders above it are not searched).

    Raises GitError `not-a-repository`.
    """
    _set_up_libgit2()
    try:
        return pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, KeyError, ValueError) as error:
        raise GitError(
            "not-a-repository", "There is no git repository at that place; check the path or add it again."
        ) from error


def commit_at(repo: pygit2.Repository, name: str) -> pygit2.Commit:
    """The commit that an oid or full ref name stands for (tags are peeled).

    Raises GitError `no-such-commit`.
    """
    try:
        return _named(repo, name).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise _no_commit(name) from error


def line_between(repo: pygit2.Repository, base: str, tip: str) -> list[pygit2.Commit]:
    """The commits from `base` to `tip`, oldest first, without `base`: each the only parent of the next.

    Goes from parent to parent, since a walk that hides `base` reads much of its history. Raises GitError
    `no-such-commit`, `merge-commit`, `not-a-descendant`.
    """
    found, commit, first = list[pygit2.Commit](), commit_at(repo, tip), commit_at(repo, base).id
    while commit.id != first:
        if len(commit.parents) > 1:
            raise GitError("merge-commit", "A merge is no single change; name the commits that it brought in.")
        if not commit.parents:
            raise GitError("not-a-descendant", "The tip does not build on the base; name the commit it started from.")
        found.append(commit)
        commit = commit.parents[0]
    return found[::-1]


def tree_at(repo: pygit2.Repository, name: str) -> pygit2.Tree:
    """The tree that an oid (of a commit, tag or tree) or full ref name stands for.

    Raises GitError `no-such-commit`.
    """
    try:
        return _named(repo, name).peel(pygit2.Tree)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise _no_commit(name) from error


def content_at(tree: pygit2.Tree, path: str) -> bytes:
    """The file at `path` of the tree, or b"" where there is none."""
    try:
        found = tree[path]
    except (KeyError, ValueError):
        return b""
    return found.data if isinstance(found, pygit2.Blob) else b""


def _named(repo: pygit2.Repository, name: str) -> pygit2.Object | pygit2.Reference:
    return repo[name] if HEX.fullmatch(name) else repo.lookup_reference(name)


def _no_commit(name: str) -> GitError:
    shown = name if HEX.fullmatch(name) else "of that name"
    return GitError("no-such-commit", f"The repository holds no commit {shown}; fetch it, or correct the name.")


class Recent(Generic[K, V]):
    """The values made last, by key; safe for threads. A value may be made twice, never torn."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of `key`, from `make` when it is not there; the one unused longest goes."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        self.put(key, value)
        return value

    def find(self, key: K) -> V | None:
        """The value of `key`, or None when it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def __contains__(self, key: K) -> bool:
        with self._lock:
            return key in self._values

    def put(self, key: K, value: V) -> None:
        """Keeps a value that was made elsewhere."""
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
