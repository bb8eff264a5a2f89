"""What a commit would change if some of its files were written otherwise, as a patch; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping

import pygit2

from .store import tree_at
from .tree import GitTree

CONTEXT = 3


def patch_with(repo: pygit2.Repository, base: str, tip: str, files: Mapping[str, bytes]) -> bytes:
    """The change from `base` to `tip` as a git patch without a message, the contents of `files` in place of the tip's.

    `base` and `tip` are oids or full ref names, `files` are by path. Raises GitError `no-such-commit`.
    """
    before, after = GitTree(repo, base), GitTree(repo, tip)
    delta = tree_at(repo, base).diff_to_tree(tree_at(repo, tip)).deltas
    changed = {file.path for one in delta for file in (one.old_file, one.new_file)}
    return b"".join(_patch(path, before, after, files) for path in sorted(changed | set(files)))


def _patch(path: str, before: GitTree, after: GitTree, files: Mapping[str, bytes]) -> bytes:
    old, new = before.read(path), after.read(path)
    data = files.get(path, new.data if new else None)
    found = pygit2.Patch.create_from(
        old.data if old else None, data, old_as_path=path, new_as_path=path, context_lines=CONTEXT
    )
    return found.data
