"""An attempt's evidence as JSON: what was tried, file by file and hunk by hunk.

    {"sources": [{"branch", "origin", "outcome", "rung", "confidence", "landed", "total",
                  "problem_code", "problem", "chosen",
                  "differs_in": [path], where it is a whole result beside the one that is used}],
     "patches": [{"subject", "author", "outcome",
                  "files": [{"path", "old_path", "new_path", "kind", "outcome", "rung", "note", "code",
                             "hunks": [{"header", "lines": [[tag, text]], "placement", "rejection", "note",
                                        "trail": [{"rung", "answer", "line", "code", "sentence"}],
                                        "places": [{"line", "likeness", "heading"}]}]}]}],
     "cut": true when it was longer than `MAX_LINES` lines of hunks,
     "flags": [{"code", "sentence", "path", "lines": [line], "names": [identifier],
                "around": [{"line": of the first, "lines": [[is one of the flag's, text]]}],
                "introduced": [{"name", "oid", "subject"}], where a commit brought a missing name}],
     "grounds": what the confidence rests on, in a sentence,
     "probability": 0 to 1, or null,
     "told": the attempt's reasons that the parts above tell already,
     "range_diff": what `services.comparing` writes}

A `trail` is left out where the hunk stood at its own line. Evidence that was written before a key existed
goes without it. Text is decoded as UTF-8 with replacement, and NUL is shown as its symbol: PostgreSQL's JSON
cannot hold either. The bytes themselves are in the patch files and in git.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from backports.engine.result import FileResult, Flag, HunkResult, Outcome, PatchResult, Placement, SeriesResult, Step
from backports.engine.scan import split_lines

MAX_LINES = 20_000
MAX_FLAGS = 100
MAX_SHOWN = 30  # lines of a file that are shown for one flag
AROUND = 2


def text(raw: bytes | str) -> str:
    """Any bytes, or a path with surrogates, as text that a page and a JSON column can hold."""
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace").replace("\0", "\u2400")


def hunk_results(result: SeriesResult) -> list[HunkResult]:
    """All hunks of a series, in order."""
    return [hunk for patch in result.patches for file in patch.files for hunk in file.hunks]


def landed(result: SeriesResult) -> tuple[int, int]:
    """How many hunks landed, or were there already, of how many; a file without hunks counts as one."""
    files = [file for patch in result.patches for file in patch.files]
    total = sum(max(1, len(file.hunks)) for file in files)
    return sum(_landed_in(file) for file in files), total


def _landed_in(file: FileResult) -> int:
    if not file.hunks:
        return int(file.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED))
    return sum(hunk.placement is not None for hunk in file.hunks)


def as_json(result: SeriesResult) -> dict[str, Any]:
    """The evidence for one result: all but `sources` and `range_diff`."""
    budget = _Budget(MAX_LINES)
    return {
        "patches": [_patch(patch, budget) for patch in result.patches],
        "cut": budget.spent,
        "flags": [_flag(flag, result) for flag in result.flags[:MAX_FLAGS]],
        "grounds": result.grounds,
        "probability": result.probability,
        "told": [] if result.outcome is Outcome.ALREADY_APPLIED else [text(reason) for reason in result.reasons],
    }


class _Budget:
    """Lines that may still be written; the rest is left out and the page says so."""

    def __init__(self, lines: int) -> None:
        self.left = lines

    @property
    def spent(self) -> bool:
        return self.left <= 0

    def take(self, lines: int) -> bool:
        self.left -= lines
        return self.left > 0


def _patch(patch: PatchResult, budget: _Budget) -> dict[str, Any]:
    return {
        "subject": text(patch.patch.subject),
        "author": text(patch.patch.author),
        "outcome": patch.outcome.value,
        "files": [_file(file, budget) for file in patch.files],
    }


def _file(file: FileResult, budget: _Budget) -> dict[str, Any]:
    return {
        "path": text(file.path),
        "old_path": text(file.diff.old_path or ""),
        "new_path": text(file.diff.new_path or ""),
        "kind": file.diff.kind.value,
        "outcome": file.outcome.value,
        "rung": file.rung.value if file.rung else "",
        "note": text(file.note),
        "code": file.code,
        "hunks": [_hunk(hunk, budget) for hunk in file.hunks],
    }


def _hunk(result: HunkResult, budget: _Budget) -> dict[str, Any]:
    hunk = result.hunk
    section = f" {text(hunk.section).strip()}" if hunk.section else ""
    return {
        "header": f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@{section}",
        "lines": [[line.tag, text(line.text).rstrip("\n")] for line in hunk.lines]
        if budget.take(len(hunk.lines))
        else [],
        "placement": _placement(result.placement),
        "rejection": _rejection(result),
        "note": text(result.note),
        "trail": [_step(step) for step in result.trail] if len(result.trail) > 1 else [],
        "places": [{**asdict(place), "heading": text(place.heading)} for place in result.places],
    }


def _step(step: Step) -> dict[str, Any]:
    answer = step.answer.value
    return {"rung": step.rung, "answer": answer, "line": step.line, "code": step.code, "sentence": step.sentence}


def _placement(placement: Placement | None) -> dict[str, Any] | None:
    if placement is None:
        return None
    return {**asdict(placement), "rung": placement.rung.value, "path": text(placement.path)}


def _rejection(result: HunkResult) -> dict[str, Any] | None:
    rejection = result.rejection
    if rejection is None:
        return None
    return {
        "code": rejection.code,
        "sentence": text(rejection.sentence),
        "line": rejection.line,
        "likeness": round(rejection.likeness, 2),
        "ours": [text(line).rstrip("\n") for line in rejection.ours],
    }


def _flag(flag: Flag, result: SeriesResult) -> dict[str, Any]:
    return {
        "code": flag.code,
        "sentence": text(flag.sentence),
        "path": text(flag.path),
        "lines": list(flag.lines[:MAX_SHOWN]),
        "names": [text(name) for name in flag.names[:MAX_SHOWN]],
        "around": list(_around(flag.lines, _after(result, flag.path))),
    }


def _after(result: SeriesResult, path: str) -> Sequence[bytes]:
    """The lines of a file after the whole series; none when the series leaves it alone."""
    made = [patch.changes[path].data for patch in result.patches if path in patch.changes]
    return split_lines(made[-1] or b"") if made else ()


def _around(numbers: Sequence[int], lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """The flagged lines with a few before and after, in pieces, as far as MAX_SHOWN lines go."""
    wanted = sorted({near for at in numbers for near in range(at - AROUND, at + AROUND + 1) if 0 < near <= len(lines)})
    pieces = groupby(enumerate(wanted[:MAX_SHOWN]), lambda pair: pair[1] - pair[0])
    for _, piece in pieces:
        shown = [number for _, number in piece]
        marked = [[number in numbers, text(lines[number - 1]).rstrip("\n")] for number in shown]
        yield {"line": shown[0], "lines": marked}
