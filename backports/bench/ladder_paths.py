"""Paths and blobs of trees, as git names them."""

from __future__ import annotations

import pygit2
from pygit2.enums import DiffOption


def changed_paths(old: pygit2.Tree, new: pygit2.Tree) -> set[str]:
    """Every path that the two trees do not share."""
    diff = old.diff_to_tree(new, flags=DiffOption.SKIP_BINARY_CHECK)
    sides = (side for delta in diff.deltas for side in (delta.old_file, delta.new_file))
    return {side.raw_path.decode("utf-8", "surrogateescape") for side in sides}


def blob_at(tree: pygit2.Tree, path: str) -> str | None:
    """The id of what the tree has at `path`; None when it has nothing there."""
    try:
        return str(tree[path].id)
    except KeyError:
        return None
