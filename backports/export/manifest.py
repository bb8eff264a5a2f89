"""What goes with a series that is taken away: a JSON manifest, a pure function of plain values.

`version` names the format; fields are added to it, never changed. Hashes are SHA-256 in hexadecimal digits, commits and
trees git's own ids, times UTC in ISO 8601.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from backports.engine.diff import Patch
from backports.engine.lineage import hunk_key, patch_id

VERSION = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the ladder found: the words of an attempt."""

    outcome: str
    confidence: str = ""
    rung: str = ""
    hunks_landed: int = 0
    hunks_total: int = 0


@dataclass(frozen=True, slots=True)
class Review:
    """One review that stands: whose, what it says, when; `signature` is armoured, where there is one."""

    organisation: str
    verdict: str
    at: datetime
    stale: bool = False
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """What is taken away. `base` is the commit that it was applied on, `tree` the tree that it leaves.

    `origin` says what it was made from, `prerequisites` the advisories (`XSA-499`) and commits that must be in the
    branch before. `notes` are what whoever reads it must know.
    """

    advisory: int
    branch: str
    repository: str
    base: str
    tree: str
    origin: str
    verdict: Verdict
    organisation: str = ""
    number: int = 0
    prerequisites: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    notes: tuple[str, ...] = field(default=())


def as_json(series: Series, file: str, kind: str, data: bytes, patches: Sequence[Patch]) -> bytes:
    """The manifest of `data`, which goes out under the name `file` as a `kind` (raw, mbox, quilt, p0).

    The same input gives the same bytes.
    """
    return dumped(
        {"version": VERSION, "file": file_facts(file, kind, data)}
        | series_facts(series, patches)
        | {"notes": list(series.notes)}
    )


def series_facts(series: Series, patches: Sequence[Patch]) -> dict[str, Any]:
    """What is said of one series, whatever file it is in."""
    return {
        "advisory": f"XSA-{series.advisory}",
        "branch": branch_facts(series),
        "backport": {"organisation": series.organisation, "version": series.number} if series.organisation else None,
        "origin": series.origin,
        "prerequisites": list(series.prerequisites),
        "verdict": asdict(series.verdict),
        "reviews": [_review(review) for review in series.reviews],
        "patches": [_patch(patch) for patch in patches],
    }


def file_facts(file: str, kind: str, data: bytes) -> dict[str, Any]:
    """The file's name, kind, size in bytes and hash."""
    return {"name": file, "kind": kind, "size": len(data), "sha256": _sha256(data)}


def branch_facts(series: Series) -> dict[str, Any]:
    """Where it was applied, and the tree that it left."""
    return {"repository": series.repository, "name": series.branch, "base": series.base, "tree": series.tree}


def dumped(facts: dict[str, Any]) -> bytes:
    """As JSON, the same bytes for the same facts."""
    return json.dumps(facts, indent=2, sort_keys=True).encode() + b"\n"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _review(review: Review) -> dict[str, Any]:
    return asdict(review) | {"at": review.at.astimezone(UTC).isoformat().replace("+00:00", "Z")}


def _patch(patch: Patch) -> dict[str, Any]:
    keys = [hunk_key(hunk) for file in patch.files for hunk in file.hunks]
    return {
        "subject": patch.subject.encode("utf-8", "replace").decode(),
        "patch_id": patch_id(patch.files),
        "files": [file.path.encode("utf-8", "backslashreplace").decode() for file in patch.files],
        "hunks": [key for key in keys if key],
    }
