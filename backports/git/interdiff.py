"""What changed from one version of a result to another on the same base, as one diff of files."""

from __future__ import annotations

import pygit2
from pygit2.enums import DiffFind

from .errors import GitError
from .patches import DIFF_OPTIONS, full_index
from .store import commit_at

MAX_FILES = 2_000


def between(repo: pygit2.Repository, one: str, other: str) -> bytes:
    """The diff from the files of commit `one` to those of `other`, as git writes it; b"" when they are the same.

    It means something where both stand on one base. Raises GitError `no-such-commit`, `too-large`.
    """
    diff = commit_at(repo, one).tree.diff_to_tree(commit_at(repo, other).tree, flags=DIFF_OPTIONS)
    if len(diff) > MAX_FILES:
        raise GitError("too-large", f"The two differ in more than {MAX_FILES} files; they are not on one base.")
    diff.find_similar(DiffFind.FIND_RENAMES)
    return b"".join(full_index(patch) for patch in diff if patch is not None)
