"""Whether two results for one fix come to the same: the one made from the nearest source, and the one from master's.

Two sources are two witnesses. Where they disagree, one of them is adapted to what this branch is not.
"""

from __future__ import annotations

import re

from .guards import ccode
from .result import SeriesResult

_SPACE = re.compile(rb"\s+")


def differing_paths(one: SeriesResult, other: SeriesResult) -> tuple[str, ...]:
    """The paths that the two results leave otherwise, comments and white space aside; in order.

    Both are whole results on one tree. A path that only one of them changes differs, unless what it
    changes there is white space or comments only, which cannot be told from the result alone.
    """
    ours, theirs = _files(one), _files(other)
    return tuple(path for path in sorted(ours.keys() | theirs.keys()) if ours.get(path, b"?") != theirs.get(path, b"?"))


def _files(result: SeriesResult) -> dict[str, bytes | None]:
    """Every changed path with its last content, normalised; None when it is deleted."""
    last = {path: change.data for patch in result.patches for path, change in patch.changes.items()}
    return {path: None if data is None else normalised(data, path) for path, data in last.items()}


def normalised(data: bytes, path: str) -> bytes:
    """The text without comments (of C) and with one blank for all white space; strings are kept."""
    return _SPACE.sub(b" ", ccode.without_comments(data) if ccode.is_c(path) else data).strip()
