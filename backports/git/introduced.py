"""The commit that brought a name: why a fix does not compile on an older branch, told by its history."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import pygit2

from .errors import GitError
from .runner import run_git
from .store import commit_at

SECONDS = 20.0  # for one name, all questions together
FILES = 3  # whose history is asked, likeliest first
_NAME = re.compile(r"[A-Za-z_]\w{0,200}")
_FORMAT = "--format=%H%x00%s%x00"


@dataclass(frozen=True, slots=True)
class Introduced:
    """A commit and its subject line."""

    oid: str
    subject: str


def introduced_by(
    repo: pygit2.Repository, symbol: str, path_hint: str, upto: str, *, seconds: float = SECONDS
) -> Introduced | None:
    """The commit at or below `upto` that brought `symbol`; None when none is found in `seconds`.

    `upto` is the commit that the fix was made on (its parent), `path_hint` the file of the fix that uses the
    name, and `symbol` a name as `engine.result.Flag.names` has it. Headers that hold the name are asked
    before other files, and those nearest the hint first; of a file's history, renames followed, the oldest
    commit counts that changed how often the name occurs (`git log -S`). It takes from a tenth of a second to
    some seconds: call it from a worker, for results with a flag `missing-symbol` only and a few names each,
    never from a page.
    Raises GitError `bad-name`, `no-such-commit`.
    """
    if not _NAME.fullmatch(symbol):
        raise GitError("bad-name", "That is no name of a program; give an identifier.")
    oid, end = str(commit_at(repo, upto).id), time.monotonic() + seconds
    for path in _holders(repo, symbol, path_hint, oid, end)[:FILES]:
        found = _oldest(repo, symbol, path, oid, end)
        if found is not None:
            return found
    return None


def _ask(repo: pygit2.Repository, args: list[str], end: float) -> bytes:
    """What git prints, or nothing when it finds nothing or time runs out."""
    left = end - time.monotonic()
    if left <= 0:
        return b""
    try:
        return run_git(args, git_dir=repo.path, timeout=left, ok_codes=(0, 1))
    except GitError as error:
        if error.code == "timeout":
            return b""
        raise


def _holders(repo: pygit2.Repository, symbol: str, hint: str, oid: str, end: float) -> list[str]:
    """The C files of the commit that hold the name as a word, headers and those near the hint first."""
    top = hint.partition("/")[0] if "/" in hint else "."
    told = _ask(repo, ["grep", "-l", "-w", "-z", "-F", "-e", symbol, oid, "--", top], end)
    paths = [line.partition(b":")[2].decode("utf-8", "surrogateescape") for line in told.split(b"\0") if line]
    return sorted((path for path in paths if path.endswith((".h", ".c", ".S"))), key=lambda path: _rank(path, hint))


def _rank(path: str, hint: str) -> tuple[bool, int, str]:
    shared = 0
    for one, other in zip(path.split("/"), hint.split("/"), strict=False):
        if one != other:
            break
        shared += 1
    return not path.endswith(".h"), -shared, path


def _oldest(repo: pygit2.Repository, symbol: str, path: str, oid: str, end: float) -> Introduced | None:
    told = _ask(repo, ["log", "--follow", f"-S{symbol}", _FORMAT, oid, "--", path], end)
    parts = told.decode("utf-8", "replace").split("\0")
    return Introduced(parts[-3].strip(), parts[-2]) if len(parts) >= 3 else None
