"""Why hunks did not land and what would help, as JSON for an attempt's evidence.

    {"culprits": {"complete": false when time ran out,
                  "hunks": [{"patch", "file", "hunk" (from 1), "path", "header",
                             "commits": [{"oid", "subject", "side", "lines", "strange", "files", "changed",
                                          "tree_wide", "is_there", "words": [[[tag, text]]]}]}]},
     "prerequisite_sets": [{"commits": [{"oid", "subject", "files", "changed", "tree_wide"}],
                            "rung", "flags", "result"}],
     "drops": {"parts": [{"path", "header" ("" for the whole file), "name", "lines", "sentence", "origin"}],
               "outcome", "landed", "total", "rung", "result"}}

A key is there only when something was found. `result` is the oid of a proposal's last commit in the
advisory's result repository, or "". Words are `[tag, text]` with a space, `-` or `+` as their tag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backports.engine.diff import Hunk
from backports.engine.result import SeriesResult
from backports.git.culprits import Culprit, Culprits, Place
from backports.git.drops import Drop
from backports.git.prerequisites import PrerequisiteSet

from .evidence import landed, text

MAX_HUNKS = 60
MAX_WIDTH = 300
MAX_WORDS = 30_000  # bytes of the words of all commits together; the commits themselves are told beyond that


def culprits_json(found: Culprits, result: SeriesResult) -> dict[str, Any]:
    """The `culprits` part."""
    shown = dict(list(found.hunks.items())[:MAX_HUNKS])
    hunks = [_hunk(place, some, result) for place, some in _within(shown).items()]
    return {"culprits": {"complete": found.complete, "hunks": hunks}} if hunks else {}


def _within(hunks: Mapping[Place, Sequence[Culprit]]) -> dict[Place, list[Culprit]]:
    """The same with as many words as may be kept, the first hunks' before the last ones'."""
    left, kept = MAX_WORDS, defaultdict(list)
    for place, one in ((place, one) for place, some in hunks.items() for one in some):
        left -= sum(len(piece.text) for pieces in one.wordings for piece in pieces)
        kept[place].append(one if left >= 0 else replace(one, wordings=()))
    return dict(kept)


def _hunk(place: Place, some: Sequence[Culprit], result: SeriesResult) -> dict[str, Any]:
    file = result.patches[place.patch].files[place.file]
    return {
        "patch": place.patch + 1,
        "file": place.file + 1,
        "hunk": place.hunk + 1,
        "path": text(file.path),
        "header": _header(file.hunks[place.hunk].hunk),
        "commits": [_culprit(one) for one in some],
    }


def _header(hunk: Hunk) -> str:
    section = f" {text(hunk.section).strip()}" if hunk.section else ""
    return f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@{section}"


def _culprit(one: Culprit) -> dict[str, Any]:
    return {
        "oid": one.oid,
        "subject": text(one.subject)[:MAX_WIDTH],
        "side": one.side.value,
        "lines": [_line(line) for line in one.lines],
        "strange": [_line(line) for line in one.strange],
        "files": one.files,
        "changed": one.changed,
        "tree_wide": one.tree_wide,
        "is_there": one.is_there,
        "words": [[[piece.tag, text(piece.text)] for piece in pieces] for pieces in one.wordings],
    }


def _line(line: bytes) -> str:
    return text(line)[:MAX_WIDTH]


def set_json(found: PrerequisiteSet, made: str) -> dict[str, Any]:
    """The `prerequisite_sets` part; `made` is the last commit of the set with the fix on it."""
    result = found.result
    commits = [
        {
            "oid": one.oid,
            "subject": text(one.subject)[:MAX_WIDTH],
            "files": one.files,
            "changed": one.changed,
            "tree_wide": one.tree_wide,
        }
        for one in found.commits
    ]
    one = {
        "commits": commits,
        "rung": result.rung.value if result.rung else "",
        "flags": [text(flag.sentence) for flag in result.flags],
        "result": made,
    }
    return {"prerequisite_sets": [one]}


def drops_json(drops: Sequence[Drop], result: SeriesResult, rest: SeriesResult | None, made: str) -> dict[str, Any]:
    """The `drops` part; `rest` is the result of what is left of the fix, None when that is nothing."""
    done, total = landed(rest) if rest else (0, 0)
    found = {
        "parts": [_drop(drop, result) for drop in drops],
        "outcome": rest.outcome.value if rest else "",
        "landed": done,
        "total": total,
        "rung": rest.rung.value if rest and rest.rung else "",
        "result": made,
    }
    return {"drops": found}


def _drop(drop: Drop, result: SeriesResult) -> dict[str, Any]:
    file = result.patches[drop.patch].files[drop.file]
    return {
        "path": text(drop.path),
        "header": "" if drop.hunk is None else _header(file.hunks[drop.hunk].hunk),
        "name": text(drop.name),
        "lines": [_line(line) for line in drop.lines],
        "sentence": text(drop.sentence),
        "origin": drop.origin,
    }
