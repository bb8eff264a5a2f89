"""One advisory on one tree: tries its sources in order of nearness and keeps the best result.

Knows nothing of the database, so that the shell command and the worker do the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from backports.engine.confidence_model import THRESHOLD
from backports.engine.diff import Patch
from backports.engine.guards import Symbols
from backports.engine.ladder import apply_series
from backports.engine.result import Confidence, Outcome, SeriesResult
from backports.git.tree import GitTree, diff_lines

from .evidence import hunk_results, landed

ENGINE = "ladder-2"  # part of every attempt's input key: a better ladder tries again
RESEMBLES = 0.5  # from this likeness on, the place may well be the vulnerable code in other clothes

_RANK = {
    Outcome.ALREADY_APPLIED: 6,
    Outcome.APPLIED: 5,
    Outcome.NEEDS_PREREQUISITE: 4,
    Outcome.PARTLY_APPLIED: 2,
    Outcome.CONFLICT: 1,
    Outcome.MALFORMED: 0,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What one candidate gave. `result` is None when its patches could not be read."""

    label: str
    outcome: Outcome
    result: SeriesResult | None = None
    problem_code: str = ""
    problem: str = ""

    @property
    def confident(self) -> bool:
        """Whether nothing better can be found further away."""
        if self.outcome is Outcome.ALREADY_APPLIED:
            return True
        return self.outcome is Outcome.APPLIED and self.result is not None and self.result.confidence is Confidence.HIGH


def try_patches(label: str, patches: tuple[Patch, ...], tree: GitTree, symbols: Symbols | None = None) -> Tried:
    """Run the ladder once; with `symbols` the guards also look for names that the tree lacks."""
    result = apply_on(tree, patches, symbols)
    return Tried(label, result.outcome, result)


def apply_on(tree: GitTree, patches: tuple[Patch, ...], symbols: Symbols | None = None) -> SeriesResult:
    """The ladder with libgit2's line differ."""
    return apply_series(patches, tree, differ=diff_lines, symbols=symbols)


def inherited(tried: Tried, share: float | None) -> Tried:
    """A try of a result of ours as its source, which is right at most as likely as that one was: `share`, 0 to 1.

    Both probabilities are multiplied, and the result stays `high` only when the product still is enough;
    one that was never told counts for nothing, since only a `high` result becomes a source.
    """
    result = tried.result
    if result is None:
        return tried
    known = [one for one in (result.probability, share) if one is not None]
    product = math.prod(known) if known else None
    enough = product is None or product >= THRESHOLD
    if result.confidence is Confidence.HIGH and not enough:
        words = "To be looked at: its source is a result of ours, and both together are not sure enough."
        result = replace(result, confidence=Confidence.REVIEW, grounds=words)
    return replace(tried, result=replace(result, probability=product))


def choose(tried: Sequence[Tried]) -> Tried:
    """The best by outcome, then by confidence, then by how much landed; of equals the nearest."""
    return max(tried, key=_merit)


def _merit(tried: Tried) -> tuple[int, bool, float]:
    if tried.result is None:
        return _RANK[tried.outcome], False, 0.0
    done, total = landed(tried.result)
    return _RANK[tried.outcome], tried.confident, done / total if total else 0.0


_FIXES = re.compile(r"^fixes:\s*([0-9a-f]{8,40})\b", re.IGNORECASE | re.MULTILINE)


def introducing_commits(patches: Iterable[Patch]) -> list[str]:
    """The commits that the patches name in `Fixes:` lines."""
    found: dict[str, None] = {}
    for patch in patches:
        lines = "\n".join([patch.body, *(f"{key}: {value}" for key, value in patch.trailers)])
        found.update(dict.fromkeys(_FIXES.findall(lines)))
    return list(found)


def code_absent(result: SeriesResult) -> bool:
    """Whether no hunk found its code, nor anything that resembles it."""
    rejections = [hunk.rejection for hunk in hunk_results(result)]
    return landed(result)[0] == 0 and all(one is not None and one.likeness < RESEMBLES for one in rejections)
