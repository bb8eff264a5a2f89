"""Carrying a result from one result repository into another."""

from __future__ import annotations

from pathlib import Path

from .runner import run_git


def copy_ref(source: Path, ref: str, target: Path, name: str) -> None:
    """Copy what `ref` of the repository at `source` holds into the one at `target`, under the full ref `name`.

    Only objects that the target cannot reach yet are copied. Raises GitError when there is no such ref.
    """
    run_git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(source), f"+{ref}:{name}"], git_dir=target)
