"""Names the commits that brought what a result lacks, in the evidence of its flags."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import pygit2

from backports.git.errors import GitError
from backports.git.introduced import introduced_by

from .evidence import text

ASKED = ("missing-symbol", "undeclared-symbol")
MOST_NAMES = 6


def with_commits(
    flags: Iterable[Mapping[str, Any]], repo: pygit2.Repository, base: str, *, seconds: float
) -> list[dict[str, Any]]:
    """The flags as `services.evidence` writes them, those of missing names with `introduced`.

    `base` is the commit that the fix was made on. At most `MOST_NAMES` names are asked, for `seconds`
    all together; a name of which nothing is found goes without.
    """
    end, left, done = time.monotonic() + seconds, MOST_NAMES, []
    for flag in flags:
        names = flag.get("names", ())[:left] if flag["code"] in ASKED else ()
        left -= len(names)
        found = [one for name in names if (one := _asked(repo, name, flag["path"], base, end))]
        done.append({**flag, "introduced": found} if found else dict(flag))
    return done


def _asked(repo: pygit2.Repository, name: str, path: str, base: str, end: float) -> dict[str, str] | None:
    left = end - time.monotonic()
    if left <= 0:
        return None
    try:
        found = introduced_by(repo, name, path, base, seconds=left)
    except GitError:
        return None
    return {"name": name, "oid": found.oid, "subject": text(found.subject)} if found else None
