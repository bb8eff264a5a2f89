"""What is offered is applied again from its own bytes, by git itself, before anybody gets it."""

from __future__ import annotations

from backports.engine import intake
from backports.engine.errors import EngineError
from backports.git.errors import GitError
from backports.git.runner import run_git
from backports.git.scratch import scratch
from backports.git.store import commit_at

from .mbox import Result

TIMEOUT = 30.0
LEVELS = {"raw": 1, "mbox": 1, "quilt": 1, "p0": 0}


def check(data: bytes, kind: str, result: Result) -> str:
    """The tree that `data` leaves on the result's base; `kind` is raw, mbox, quilt or p0.

    Raises GitError `not-the-result` when it cannot be applied there or leaves other files than the result does, and
    what `backports.git.runner` raises.
    """
    with scratch(result.mirror, result.repository) as repo:
        wanted = str(commit_at(repo, result.tip).tree.id)
        found = _applied(repo.path, str(commit_at(repo, result.base).id), _diffs(data, kind), LEVELS[kind])
    if found != wanted:
        raise _other("it leaves other files than the result has")
    return found


def _applied(git_dir: str, base: str, diffs: bytes, level: int) -> str:
    run_git(["read-tree", base], git_dir=git_dir, timeout=TIMEOUT)
    if diffs.strip():
        try:
            args = ["apply", "--cached", "--whitespace=nowarn", f"-p{level}", "-"]
            run_git(args, git_dir=git_dir, input=diffs, timeout=TIMEOUT)
        except GitError as error:
            raise _other("git does not apply it to its base") from error
    return run_git(["write-tree"], git_dir=git_dir, timeout=TIMEOUT).strip().decode()


def _diffs(data: bytes, kind: str) -> bytes:
    """The text that git reads: a quilt tar is taken apart by what would read it if it came in."""
    if kind != "quilt":
        return data
    try:
        found = intake.read("series.tar", data)
    except EngineError as error:
        raise _other("its series cannot be read back") from error
    return b"\n".join(arrived.data for arrived in found.patches)


def _other(why: str) -> GitError:
    return GitError("not-the-result", f"This file is not given out: applied again from its own bytes, {why}.")
