"""A result beside its source, for the attempt's page.

    {"range_diff": {"patches": [{"mark", "subject", "lines": [text]}], "cut": true when lines were left out}}

or `{"range_diff": {"problem_code", "problem"}}` when git could not compare them. A line's first character says
which side has it, the second what that side's patch does with it (`backports.git.range_diff`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backports.engine.result import Outcome, Rung, SeriesResult
from backports.git.errors import GitError
from backports.git.range_diff import Compared, range_diff

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
    try:
        found = range_diff(mirror, results, base, tip, changed)
    except GitError as error:
        return {"range_diff": {"problem_code": error.code, "problem": error.sentence}}
    return {"range_diff": _as_json(found)}


def _as_json(found: Iterable[Compared]) -> dict[str, Any]:
    left, patches = MAX_LINES, []
    for one in found:
        lines = [text(line)[:MAX_WIDTH] for line in one.lines[: max(0, left)]]
        left -= len(one.lines)
        patches.append({"mark": one.mark, "subject": text(one.subject), "lines": lines})
    return {"patches": patches, "cut": left < 0}
