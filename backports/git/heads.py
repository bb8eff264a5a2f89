"""The branches that an organisation keeps in a repository of its own, whatever it calls them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from .mirror import BranchTip, branch_name
from .store import commit_at, open_repository

MOST = 100  # of so many heads, the newest versions
_HEADS = "refs/heads/"
_VERSION = re.compile(r"(?<![\d.])(\d{1,3})\.(\d{1,2})(?!\d)")
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,99}", re.ASCII)


def version_of(name: str) -> tuple[int, int] | None:
    """The version in a branch's name, the last one where there are several ("qubes-4.2/xen-4.17" is 4.17)."""
    found = _VERSION.findall(name)
    return (int(found[-1][0]), int(found[-1][1])) if found else None


def followed(path: Path | str, wanted: Sequence[str] = ()) -> list[BranchTip]:
    """The heads with a version in their name, newest version first; of those that `wanted` names, when it names any.

    `stable-4.1` is called `4.1` as upstream's is; a "/" in a name is shown as "-". Raises GitError
    `not-a-repository`.
    """
    repo = open_repository(path)
    heads = {name.removeprefix(_HEADS): name for name in repo.references if name.startswith(_HEADS)}
    chosen = [head for head in heads if (not wanted or head in wanted) and version_of(head)]
    chosen.sort(key=lambda head: (version_of(head) or (0, 0), head), reverse=True)
    found: dict[str, BranchTip] = {}
    for head in chosen[:MOST]:
        name = branch_name(heads[head]) or head.replace("/", "-")
        if _NAME.fullmatch(name) and name not in found:
            commit = commit_at(repo, heads[head])
            date = datetime.fromtimestamp(commit.commit_time, UTC)
            found[name] = BranchTip(name, heads[head], str(commit.id), date, "")
    return list(found.values())
