"""The patches of a version, read again from their bytes."""

from __future__ import annotations

from backports.engine.diff import Patch, parse_series
from backports.engine.errors import EngineError
from backports.models import BackportVersion


def patches_of(version: BackportVersion) -> list[Patch]:
    """In order; none where they cannot be read any more, since a stricter reader than ours was came between."""
    rows = version.patches.order_by("position")
    try:
        return [patch for row in rows for patch in parse_series(bytes(row.data), strip=row.strip)]
    except EngineError:
        return []
