"""Commits of several results carried onto one another, each change where git's own three-way merge puts it."""

from __future__ import annotations

from collections.abc import Mapping

import pygit2
from pygit2.enums import FileMode, ObjectType

from backports.engine.result import Change
from backports.engine.tree import Blob

from .results import tree_with
from .store import commit_at, line_between
from .tree import GitTree

NAME = "file"


class Stack:
    """A chain of commits that grows on the commit `tip` of `repo`, a repository that is thrown away."""

    def __init__(self, repo: pygit2.Repository, tip: str) -> None:
        self.repo = repo
        self.tip = tip

    def carry(self, source: pygit2.Repository, base: str, tip: str) -> tuple[str, ...]:
        """Put the commits of `source` after `base` up to `tip` on top, in order; all of them, or none.

        A commit of which everything is there already makes none. The files are given in which something else was
        done at the same lines, so that nothing was put on top; none when all went well. Raises GitError
        `no-such-commit`, `merge-commit`, `not-a-descendant`.
        """
        found = commit_at(self.repo, self.tip)
        for commit in line_between(source, base, tip):
            changes, stuck = self._changes(source, commit, found)
            if stuck:
                return tuple(sorted(stuck))
            if changes:
                found = self._commit(commit, found, changes)
        self.tip = str(found.id)
        return ()

    def _changes(
        self, source: pygit2.Repository, commit: pygit2.Commit, on: pygit2.Commit
    ) -> tuple[dict[str, Change], set[str]]:
        """What the commit changes on top of another, and the files where it cannot."""
        before, after = commit.parents[0].tree, commit.tree
        deltas = before.diff_to_tree(after, flags=pygit2.enums.DiffOption.SKIP_BINARY_CHECK).deltas
        names = {file.raw_path for one in deltas for file in (one.old_file, one.new_file)}
        trees = GitTree(source, str(before.id)), GitTree(self.repo, str(on.tree.id)), GitTree(source, str(after.id))
        changes: dict[str, Change] = {}
        stuck = set()
        for path in (raw.decode("utf-8", "surrogateescape") for raw in names):
            base, ours, theirs = (tree.read(path) for tree in trees)
            if ours == theirs:
                continue
            merged = _change(theirs) if ours == base else self._merged(base, ours, theirs)
            if merged is None:
                stuck.add(path)
            else:
                changes[path] = merged
        return changes, stuck

    def _merged(self, base: Blob | None, ours: Blob | None, theirs: Blob | None) -> Change | None:
        """The file with both changes; None when they are at the same lines."""
        if base is None or ours is None or theirs is None or ours.mode != base.mode:
            return None
        index = self.repo.merge_trees(self._tree(base), self._tree(ours), self._tree(theirs))
        if index.conflicts is not None:
            return None
        return Change(self.repo[index[NAME].id].read_raw(), theirs.mode)

    def _tree(self, file: Blob) -> pygit2.Tree:
        """A tree with nothing but this file."""
        builder = self.repo.TreeBuilder()
        builder.insert(NAME, self.repo.create_blob(file.data), FileMode.BLOB)
        return self.repo[builder.write()].peel(pygit2.Tree)

    def _commit(self, like: pygit2.Commit, parent: pygit2.Commit, changes: Mapping[str, Change]) -> pygit2.Commit:
        """A commit with these changes on `parent`, its author, dates and message as another's."""
        head, gap, message = like.read_raw().partition(b"\n\n")
        lines = [line for line in head.split(b"\n") if not line.startswith((b"tree ", b"parent "))]
        tree = tree_with(self.repo, parent.tree, changes)
        raw = b"\n".join([b"tree %s" % str(tree).encode(), b"parent %s" % str(parent.id).encode(), *lines])
        return self.repo[self.repo.write(ObjectType.COMMIT, raw + gap + message)].peel(pygit2.Commit)


def _change(file: Blob | None) -> Change:
    return Change(file.data, file.mode) if file else Change(None)
