"""The same attempts by `git cherry-pick`, each in a worktree of its own, as a person would make them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backports.git.errors import GitError
from backports.git.runner import run_git


@dataclass(frozen=True, slots=True)
class Pick:
    """Commits to pick, in order, onto the commit `tip`."""

    tip: str
    commits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeerTime:
    """How long the picks took in all, in seconds, and how many came out clean."""

    seconds: float
    picks: int
    clean: int


def cherry_pick(mirror: Path, picks: Sequence[Pick]) -> PeerTime:
    """Pick each in a fresh worktree of a throwaway clone that borrows the mirror's objects."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        clone = Path(folder) / "clone.git"
        run_git(["clone", "--quiet", "--shared", "--bare", str(mirror), str(clone)])
        began = time.monotonic()
        clean = sum(_pick(clone, Path(folder) / f"tree-{number}", pick) for number, pick in enumerate(picks))
        return PeerTime(time.monotonic() - began, len(picks), clean)


def _pick(clone: Path, tree: Path, pick: Pick) -> bool:
    run_git(["worktree", "add", "--quiet", "--detach", str(tree), pick.tip], git_dir=clone)
    who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    try:
        run_git([*who, "-C", str(tree), "cherry-pick", *pick.commits])
    except GitError:
        return False
    else:
        return True
    finally:
        run_git(["worktree", "remove", "--force", str(tree)], git_dir=clone)
