"""The names that trees know, for the guards: an index that all workers share, filled after each fetch.

An attempt never writes to it: where a branch was never indexed, the attempt goes on without it and is tried again
once the index is there. Files that came after the last filling, and those of the tree that a fix was made on, are
asked by their text.
"""

from __future__ import annotations

import functools
import logging
import os
from pathlib import Path

import pygit2
from pygit2.enums import DeltaStatus, DiffOption

from backports.engine.guards import SymbolReader, Symbols, ccode
from backports.git.store import commit_at, open_repository
from backports.git.symbols import INDEX_NAME, SymbolIndex
from backports.models import Branch, Repository

from .places import mirror_path, symbols_path

log = logging.getLogger(__name__)
NO_NAMES = "no-names"  # the code of an attempt that went on without the index


def fill(repository: Repository) -> int:
    """Index the tips of a repository's branches; returns how many blobs were new. Raises GitError.

    Minutes for a large repository that was never indexed, seconds after that.
    """
    repo, index = open_repository(mirror_path(repository.name)), _index(symbols_path())
    read = 0
    for branch in repository.branches.filter(gone=False, history_only=False):
        read += index.fill(repo, branch.tip)
        _mark(branch).touch()
    log.info("names indexed repository=%s blobs=%d", repository.pk, read)
    return read


def is_filled(branch: Branch) -> bool:
    """Whether the branch was indexed, at this tip or an earlier one."""
    return _mark(branch).exists()


def symbols_of(repo: pygit2.Repository, target: str, source: str) -> Symbols:
    """What two commits' trees name, from the shared index. Raises GitError."""
    index = _index(symbols_path())
    return Symbols(target=index.of(repo, target), source=index.of(repo, source))


def names_at(branch: Branch) -> SymbolReader:
    """What the tip of a branch names, whichever repository has it. Raises GitError."""
    return _index(symbols_path()).of(open_repository(mirror_path(branch.repository.name)), branch.tip)


def symbols_without_server(repo: pygit2.Repository, target: str, source: str) -> Symbols:
    """The same for a shell command: from the shared index when there is one to write to, else read anew."""
    shared = symbols_path() / INDEX_NAME
    index = _index(symbols_path()) if os.access(shared, os.W_OK) else SymbolIndex()
    return Symbols(target=index.of(repo, target), source=index.of(repo, source))


def added_names(repo: pygit2.Repository, old: str, new: str) -> frozenset[bytes]:
    """What the files name that differ between two commits, as the second has them; nothing of it is kept."""
    diff = commit_at(repo, old).tree.diff_to_tree(commit_at(repo, new).tree, flags=DiffOption.SKIP_BINARY_CHECK)
    after = [delta.new_file for delta in diff.deltas if delta.status != DeltaStatus.DELETED]
    blobs = [repo.get(file.id) for file in after if ccode.is_c(file.path)]
    return frozenset(name for blob in blobs if isinstance(blob, pygit2.Blob) for name in ccode.tokens(blob.data))


@functools.cache
def _index(folder: Path) -> SymbolIndex:
    """This process's view of the index in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return SymbolIndex(folder)


def _mark(branch: Branch) -> Path:
    """A file that is there once the branch was indexed in the index's present form."""
    folder = symbols_path() / f"{INDEX_NAME}.filled"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / str(branch.pk)
