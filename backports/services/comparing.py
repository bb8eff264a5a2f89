"""A result beside its source, for the attempt's page.

    {"range_diff": {"patches": [{"mark", "subject", "lines": [text]}], "cut": true when lines were left out}}

or `{"range_diff": {"problem_code", "problem"}}` when git could not compare them. A line's first character says
which side has it, the second what that side's patch does with it (`backports.git.range_diff`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from backports.engine.diff import Patch
from backports.engine.result import Outcome, Rung, SeriesResult
from backports.git.errors import GitError
from backports.git.range_diff import Compared, between_versions, range_diff, with_others

from .evidence import text

MAX_LINES = 4_000
MAX_WIDTH = 500


def comparison(mirror: Path, results: Path, base: str, tip: str, result: SeriesResult) -> dict[str, Any]:
    """The `range_diff` part of an attempt's evidence; {} for a result that is the source line by line.

    `tip` is the result's last commit in the repository at `results`, `base` the commit it stands on.
    """
    changed = [done.patch for done in result.patches if done.changes]
    if not changed or (result.outcome is Outcome.APPLIED and result.rung is Rung.EXACT):
        return {}
    return {"range_diff": _told(lambda: range_diff(mirror, results, base, tip, changed))}


def versions(mirror: Path, results: Path, one: tuple[str, str], other: tuple[str, str]) -> dict[str, Any]:
    """The same for two versions of a result, each told as base and tip."""
    return _told(lambda: between_versions(mirror, results, one, other))


def with_patches(mirror: Path, results: Path, span: tuple[str, str], patches: Sequence[Patch]) -> dict[str, Any]:
    """The same for patches and the commits of `span`, base and tip, which somebody made for the same fix."""
    return _told(lambda: with_others(mirror, results, *span, patches))


def _told(work: Callable[[], Iterable[Compared]]) -> dict[str, Any]:
    try:
        return _as_json(work())
    except GitError as error:
        return {"problem_code": error.code, "problem": error.sentence}


def _as_json(found: Iterable[Compared]) -> dict[str, Any]:
    left, patches = MAX_LINES, []
    for one in found:
        lines = [text(line)[:MAX_WIDTH] for line in one.lines[: max(0, left)]]
        left -= len(one.lines)
        patches.append({"mark": one.mark, "subject": text(one.subject), "lines": lines})
    return {"patches": patches, "cut": left < 0}
