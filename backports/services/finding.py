"""What an attempt found, as a value and as its row's columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from backports.engine.result import Outcome
from backports.models import Attempt
from xsa.models import Fix

from . import evidence
from .trying import Tried


@dataclass(frozen=True, slots=True)
class Finding:
    """What an attempt found, ready to be written to its row.

    `source` is the fix that the result was made from, `source_attempt` the attempt of ours that was between
    them, and `above` the result on the next newer branch that was at hand.
    """

    outcome: Outcome
    tried: Tried | None = None
    source: Fix | None = None
    source_attempt: Attempt | None = None
    above: str = ""
    result: str = ""
    reasons: tuple[str, ...] = ()
    prerequisites: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    problem_code: str = ""
    problem: str = ""

    @classmethod
    def failed(cls, code: str, sentence: str) -> Finding:
        """The environment or we ourselves failed; says nothing about the patch."""
        return cls(Outcome.ERROR, problem_code=code, problem=sentence)

    def columns(self) -> dict[str, Any]:
        """The row's columns."""
        result = self.tried.result if self.tried else None
        done, total = evidence.landed(result) if result else (0, 0)
        return {
            "outcome": self.outcome,
            "rung": (result.rung or "") if result else "",
            "fuzz": result.fuzz if result else 0,
            "confidence": (result.confidence or "") if result else "",
            "probability": result.probability if result else None,
            "hunks_landed": done,
            "hunks_total": total,
            "source": self.source,
            "source_attempt": self.source_attempt,
            "above": self.above,
            "result": self.result,
            "reasons": list(self.reasons),
            "prerequisites": list(self.prerequisites),
            "paths": list(self.paths),
            "evidence": self.evidence,
            "problem_code": self.problem_code,
            "problem": self.problem,
        }


def paths_of(tried: Iterable[Tried]) -> tuple[str, ...]:
    """Every path that the outcome depends on: where each file was looked for, and what the patches call it."""
    found = {
        path
        for one in tried
        if one.result
        for patch in one.result.patches
        for file in patch.files
        for path in (file.path, file.diff.old_path, file.diff.new_path)
        if path
    }
    return tuple(sorted(evidence.text(path) for path in found))
