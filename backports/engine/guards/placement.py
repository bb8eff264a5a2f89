"""A second place that reads as much like the hunk's surroundings as the one that was taken.

Motivated by XSA-492 f91eab583f9, where tools with much fuzz take the first of several places.
"""

from __future__ import annotations

from collections.abc import Iterator

from backports.engine.result import Flag, HunkResult, Rung

from .changes import Case

TOO_LIKE = 0.85  # share of the preimage's lines that stand at the other place as well
BY_CONTEXT = (Rung.FUZZ, Rung.TOKEN, Rung.BLOCK, Rung.DIALECT, Rung.ADJACENT)


def look(case: Case) -> Iterator[Flag]:
    """`second-place`: a hunk that was not placed by its own lines has another place as good."""
    for patch in case.result.patches:
        for file in patch.files:
            for hunk in file.hunks:
                other = _other(hunk)
                if other and hunk.placement:
                    yield Flag(
                        "second-place", f"line {other} reads as much like the place.", file.path, (hunk.placement.line,)
                    )


def _other(hunk: HunkResult) -> int:
    if hunk.placement is None or hunk.placement.rung not in BY_CONTEXT:
        return 0
    return next((place.line for place in hunk.places if place.likeness >= TOO_LIKE), 0)
