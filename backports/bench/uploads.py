"""Real commits of stable branches as patches for the branch as it was before them, and `git am` of the same."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backports.git.errors import GitError
from backports.git.runner import run_git

_PICKED = re.compile(rb"\(cherry picked from commit ([0-9a-f]{40})\)|master commit: ([0-9a-f]{40})")
NORMAL = 64_000  # bytes; a longer patch is left out
_WHO = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")


@dataclass(frozen=True, slots=True)
class Real:
    """A patch as `git format-patch` writes it, for `branch`; `official` is the same of the commit that it names as its
    origin on master, or the patch itself where it names none.
    """

    branch: str
    patch: bytes
    official: bytes


@dataclass(frozen=True, slots=True)
class Branches:
    """A repository whose stable branches end at commits before their last ones (`tips`), and these as patches."""

    path: Path
    tips: dict[str, str]
    patches: Sequence[Real]


@contextmanager
def branches_before(source: Path, names: Sequence[str], count: int) -> Iterator[Branches]:
    """So many commits of each branch are taken off its end; master stays. It borrows the source's objects."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "before.git"
        run_git(["init", "--quiet", "--bare", str(path)])
        (path / "objects/info/alternates").write_text(f"{(source / 'objects').absolute()}\n")
        tips, found = {}, []
        _point(path, "master", _head(source, "master"))
        for name in names:
            commits = _last(source, name, count)
            tips[name] = run_git(["rev-parse", f"{commits[0]}^"], git_dir=source).decode().strip()
            _point(path, f"stable-{name}", tips[name])
            found += [one for commit in commits if (one := _real(source, name, commit)) is not None]
        run_git(["symbolic-ref", "HEAD", "refs/heads/master"], git_dir=path)
        yield Branches(path, tips, found)


def _head(source: Path, name: str) -> str:
    return run_git(["rev-parse", f"refs/heads/{name}"], git_dir=source).decode().strip()


def _point(path: Path, name: str, oid: str) -> None:
    run_git(["update-ref", f"refs/heads/{name}", oid], git_dir=path)


def _last(source: Path, name: str, count: int) -> list[str]:
    """A branch's last commits, the oldest first."""
    found = run_git(
        ["rev-list", "--first-parent", f"--max-count={count}", "--reverse", f"refs/heads/stable-{name}"], git_dir=source
    )
    return found.decode().split()


def _real(source: Path, branch: str, commit: str) -> Real | None:
    patch = _patch(source, commit)
    if not patch or len(patch) > NORMAL:
        return None
    picked = _PICKED.search(patch)
    try:
        official = _patch(source, (picked[1] or picked[2]).decode()) if picked else b""
    except GitError:
        official = b""
    return Real(branch, patch, official or patch)


def _patch(source: Path, commit: str) -> bytes:
    """Empty for a merge, and for a commit that changes nothing."""
    return run_git(["format-patch", "--stdout", "-1", commit], git_dir=source)


@dataclass(frozen=True, slots=True)
class Mailed:
    """How long one `git am` took, in milliseconds, and whether it applied."""

    milliseconds: float
    clean: bool


def git_am(branches: Branches) -> Iterator[Mailed]:
    """Each patch on its branch's end, in a worktree that is there already and clean."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        trees = {name: Path(folder) / name for name in branches.tips}
        for name, tree in trees.items():
            run_git(["worktree", "add", "--quiet", "--detach", str(tree), branches.tips[name]], git_dir=branches.path)
        for one in branches.patches:
            yield _mailed(trees[one.branch], branches.tips[one.branch], one.patch)


def _mailed(tree: Path, tip: str, patch: bytes) -> Mailed:
    began = time.perf_counter()
    try:
        run_git([*_WHO, "-C", str(tree), "am", "--quiet", "--3way"], input=patch)
        clean = True
    except GitError:
        clean = False
    took = (time.perf_counter() - began) * 1000
    if not clean:
        run_git([*_WHO, "-C", str(tree), "am", "--quit"])
    run_git(["-C", str(tree), "reset", "--quiet", "--hard", tip])
    run_git(["-C", str(tree), "clean", "--quiet", "-ffdx"])
    return Mailed(took, clean)
