"""How a series of a member's differs from another one, as JSON for pages and programs.

    {"branch", "origin": of the fix that it is compared with,
     "counts": {"same", "adapted", "missing", "extra"},
     "pairs": [{"fate", "theirs": spot or null, "ours": [spot], "new_context", "new_file"}],
     "cut": true when there were more than `MAX_PAIRS`}

A spot is `{"patch", "path", "number", "header"}`; patch and hunk are numbered from 1, number 0 stands for what a
file's part does besides its hunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backports.engine.diff import Patch
from backports.engine.kinship import Fate, Kinship, Pair, Spot, compare

from .evidence import text
from .sources import Source

MAX_PAIRS = 2_000


def with_official(official: Source | None, patches: Sequence[Patch]) -> dict[str, Any]:
    """What of the official fix is in the patches; {} where there is no official fix to compare with."""
    if official is None:
        return {}
    told = {"branch": official.branch, "origin": official.origin}
    return told | as_json(compare(official.patches, patches))


def as_json(found: Kinship) -> dict[str, Any]:
    """The comparison, without its lines: those are in the patches."""
    return {
        "counts": {fate.value: found.count(fate) for fate in Fate},
        "pairs": [_pair(pair) for pair in found.pairs[:MAX_PAIRS]],
        "cut": len(found.pairs) > MAX_PAIRS,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "fate": pair.fate.value,
        "theirs": _spot(pair.theirs) if pair.theirs else None,
        "ours": [_spot(spot) for spot in pair.ours],
        "new_context": pair.new_context,
        "new_file": pair.new_file,
    }


def _spot(spot: Spot) -> dict[str, Any]:
    hunk = spot.hunk
    header = ""
    if hunk is not None:
        section = f" {text(hunk.section).strip()}" if hunk.section else ""
        header = f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@{section}"
    return {"patch": spot.patch, "path": text(spot.path), "number": spot.number, "header": header}
