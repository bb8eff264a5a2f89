"""What is pushed: taken into a repository that is thrown away, looked at there, and told as mails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pygit2

from .bulk import Bulk
from .errors import GitError
from .offering import MEMORY_BYTES
from .patches import format_patch
from .runner import run_git
from .store import commit_at, open_repository

PUSH_BYTES = 16 * 1024 * 1024  # as sent
EXPANDED_BYTES = 64 * 1024 * 1024
MAILS_BYTES = 50 * 1024 * 1024  # of all commits as patches
MOST_OBJECTS = 20_000
MOST_COMMITS = 100
UNPACK_SECONDS = 60.0
_COUNT = slice(8, 12)  # where a pack says how many objects it holds
_NAMED = re.compile(rb"(?:pack|keep)\t([0-9a-f]{40})\n")
_UNREADABLE = "The pack is damaged, or misses objects that are not here; run `git fsck`, then push again."


def take(path: Path, pack: bytes) -> None:
    """Put a pack's objects into the repository at `path`, each checked, with all that they lead to.

    Raises GitError `too-many-objects`, `too-large`, `bad-pack`.
    """
    if len(pack) > PUSH_BYTES:
        raise GitError("too-large", f"A push has at most {PUSH_BYTES} bytes; start from a ref of here, and push less.")
    if pack[:4] != b"PACK":
        raise GitError("bad-pack", _UNREADABLE)
    if int.from_bytes(pack[_COUNT], "big") > MOST_OBJECTS:
        raise GitError("too-many-objects", f"A push holds at most {MOST_OBJECTS} objects; start from a ref of here.")
    names = _unpacked(path, pack)
    asked = ["cat-file", "--batch-check=%(objectsize)"]
    sizes = run_git(asked, git_dir=path, input=names, timeout=UNPACK_SECONDS, memory=MEMORY_BYTES).split()
    if sum(map(int, sizes)) > EXPANDED_BYTES:
        raise GitError("too-large", f"A push holds at most {EXPANDED_BYTES} bytes when expanded.")


def _unpacked(path: Path, pack: bytes) -> bytes:
    """The ids of its objects, a line each."""
    limits = ["-c", "core.bigFileThreshold=1m", "-c", "pack.threads=1"]
    command = [*limits, "index-pack", "--stdin", "--fix-thin", "--strict", f"--max-input-size={PUSH_BYTES}"]
    try:
        said = run_git(command, git_dir=path, input=pack, timeout=UNPACK_SECONDS, memory=MEMORY_BYTES)
    except GitError as error:
        raise GitError("bad-pack", _UNREADABLE) from error
    if (named := _NAMED.fullmatch(said)) is None:  # what comes after a pack is given back too
        raise GitError("bad-pack", _UNREADABLE)
    index = path / "objects" / "pack" / f"pack-{named[1].decode()}.idx"
    shown = run_git(["show-index"], input=index.read_bytes(), timeout=UNPACK_SECONDS)
    return b"".join(b"%s\n" % line.split()[1] for line in shown.splitlines())


def new_commits(path: Path, tip: str, *, on: Sequence[str], beside: Sequence[str] = ()) -> list[str]:
    """The commits of `tip` that a branch has not, oldest first: `on` are commits of it, `beside` of other branches.

    Raises GitError `not-a-commit`, `nothing-new`, `too-many-commits`, `unrelated`, `merge-commit`, `other-branch`.
    """
    repo = open_repository(path)
    if not isinstance(repo.get(tip), pygit2.Commit):
        raise GitError("not-a-commit", "What is pushed is a commit, and no tag, tree or file.")
    found = _after(repo, tip, on)
    if not found:
        raise GitError("nothing-new", "The branch has all of these commits already.")
    if len(found) > MOST_COMMITS:
        raise GitError("too-many-commits", f"More than {MOST_COMMITS} commits are not on the branch; rebase onto it.")
    if not all(found.values()):
        raise GitError("unrelated", "The commits do not build on the branch; start from a ref of here.")
    if any(len(parents) > 1 for parents in found.values()):
        raise GitError("merge-commit", "A series is a line of commits on the branch, without merges; rebase onto it.")
    if len(_after(repo, tip, [*on, *beside])) < len(found):
        raise GitError("other-branch", "Some of the commits are another branch's; rebase yours onto this one.")
    return list(found)


def _after(repo: pygit2.Repository, tip: str, hidden: Sequence[str]) -> dict[str, list[str]]:
    """The commits of `tip` that none of the hidden ones has, oldest first, with their parents.

    As many as are looked at, and one more.
    """
    limit = ["--topo-order", "--reverse", "--parents", f"--max-count={MOST_COMMITS + 1}"]
    asked = "\n".join([tip, *(f"^{oid}" for oid in hidden if oid in repo), ""]).encode()
    said = run_git(["rev-list", *limit, "--stdin"], git_dir=repo.path, input=asked, timeout=UNPACK_SECONDS)
    lines = (line.split() for line in said.decode().splitlines())
    return {oid: parents for oid, *parents in lines}


def made_of(path: Path, tip: str, base: str) -> set[str]:
    """The commits of a result, but for those of what it was made on; none where it is not there."""
    repo = open_repository(path)
    return set(_after(repo, tip, [base])) if tip in repo else set()


def as_mails(path: Path, oids: Sequence[str]) -> list[bytes]:
    """These commits as mails, numbered in order. Raises GitError, `too-large` before memory is taken for it."""
    repo = open_repository(path)
    bulk = Bulk(repo)
    for oid in oids:
        bulk.add(commit_at(repo, oid))
    mails, left = list[bytes](), MAILS_BYTES
    for place, oid in enumerate(oids, 1):
        mails.append(format_patch(repo, oid, number=place, total=len(oids)))
        left -= len(mails[-1])
        if left < 0:
            raise GitError("too-large", f"The commits are patches of at most {MAILS_BYTES} bytes; push the fix alone.")
    return mails
