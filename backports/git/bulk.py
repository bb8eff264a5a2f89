"""How much a commit changes, asked before anything writes it out.

A few nested folders that each name the next one ten times say a milliard of files in a pack of a few kilobytes. Two
folders are therefore compared once, however many paths lead to them, and counted by how often they are there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pygit2

from .errors import GitError

MOST_FILES = 20_000
MOST_FOLDERS_DEEP = 100
MOST_BYTES = 128 * 1024 * 1024  # of a commit's changed files, as they were and as they are
MOST_ENTRIES = 2_000_000  # of folders that are compared
Side = pygit2.Oid | None
Size = tuple[int, int]


class Bulk:
    """Adds up what the commits of one repository change, file by file and by their bytes."""

    def __init__(self, repo: pygit2.Repository) -> None:
        self._repo = repo
        self._known: dict[tuple[Side, Side], Size] = {}
        self._entries = 0
        self._files = 0

    def add(self, commit: pygit2.Commit) -> None:
        """Count what `commit` changes of its first parent. Raises GitError `too-large` when all is too much."""
        before = commit.parents[0].tree_id if commit.parents else None
        files, size = self._changed(before, commit.tree_id, 0)
        self._files += files
        if self._files > MOST_FILES:
            raise GitError("too-large", f"A push changes at most {MOST_FILES} files; push the fix alone.")
        if size > MOST_BYTES:
            raise GitError("too-large", f"A commit changes files of at most {MOST_BYTES} bytes; push the fix alone.")

    def _changed(self, before: Side, after: Side, depth: int) -> Size:
        if before == after:
            return 0, 0
        if depth > MOST_FOLDERS_DEEP:
            raise GitError("too-large", f"Folders are at most {MOST_FOLDERS_DEEP} deep; push the fix alone.")
        if (before, after) not in self._known:
            sizes = [self._of_entry(*sides, depth) for sides in self._pairs(before, after)]
            self._known[before, after] = sum(files for files, _ in sizes), sum(size for _, size in sizes)
        return self._known[before, after]

    def _pairs(self, before: Side, after: Side) -> Iterator[tuple[pygit2.Object | None, pygit2.Object | None]]:
        """What two folders hold by a name, where that differs."""
        old, new = self._held(before), self._held(after)
        for name in old.keys() | new.keys():
            one, other = old.get(name), new.get(name)
            if one is None or other is None or (one.id, one.filemode) != (other.id, other.filemode):
                yield one, other

    def _held(self, tree: Side) -> dict[str | None, pygit2.Object]:
        found = {entry.name: entry for entry in self._repo[tree].peel(pygit2.Tree)} if tree is not None else {}
        self._entries += len(found)
        if self._entries > MOST_ENTRIES:
            raise GitError("too-large", f"A push has folders of at most {MOST_ENTRIES} entries; push the fix alone.")
        return found

    def _of_entry(self, before: pygit2.Object | None, after: pygit2.Object | None, depth: int) -> Size:
        files, size = self._changed(_folder(before), _folder(after), depth + 1)
        blobs = [one for one in (before, after) if one is not None and not isinstance(one, pygit2.Tree)]
        return files + bool(blobs), size + sum(one.size for one in blobs if isinstance(one, pygit2.Blob))


def _folder(entry: pygit2.Object | None) -> Side:
    return entry.id if isinstance(entry, pygit2.Tree) else None
