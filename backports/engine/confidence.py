"""How far a result can be trusted: `high` or `review`, and on what grounds, in words.

What a result shows (its rungs, doubts, whether a plain merge agrees, how its changes meet the target's own,
how far the files drifted apart) is weighed by a logistic model that `tools/fit_confidence.py` fits on real
backports whose answer is known. A guard's flag always means `review` (flagged results were measured to be wrong
more often than right), and so does a rung's doubt about a hunk's place, and a rung that the model never saw.
The doubts of the rungs in WEIGHED, and that a file has another name here, are weighed like the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from . import confidence_model as model
from . import meeting
from .files import BY_LIKENESS
from .guards import Case
from .guards.changes import FileChange
from .guards.structure import changed_alike
from .result import Confidence, FileResult, HunkResult, Outcome, Rung, SeriesResult
from .rungs.adjacent import RENUMBERED
from .rungs.already import PARTLY_THERE
from .rungs.chunkwise import ELSEWHERE

WEIGHED = (Rung.ADJACENT, Rung.BLOCK)
NEVER_WEIGHED = (PARTLY_THERE, RENUMBERED, ELSEWHERE)  # doubts that always ask for a person
MANY = math.log2(1 + 4)
Evidence = Mapping[str, float]

SPEAKS_FOR = {
    "same-file": "the files are the very ones that the fix was made on",
    "agrees": "merging by lines gives the same",
    "symbols": "every name that it uses is known",
}
SPEAKS_AGAINST = {
    "merge-conflict": "merging by lines conflicts",
    "no-base": "the file that the fix was made on is not at hand",
    "other-lines": "the removed and added lines are not the source's own",
    meeting.INSERT_AHEAD: "new lines go ahead of ones that are not here, or read otherwise",
    meeting.REMOVE_BESIDE: "lines are removed beside ones that read otherwise here",
    meeting.OVER_CHANGED: "lines are rewritten that read otherwise here",
    "moved": "a file has another name here",
    "fuzz": "context lines were given up",
    "drift": "the files have changed much since the source",
    "hunks": "there are many hunks",
    "files": "there are many files",
}
LANDED = {
    Rung.EXACT: "Every hunk landed at its own line",
    Rung.OFFSET: "Every hunk's lines stand whole in one place",
    Rung.THREE_WAY: "Every hunk landed by three-way merge or better",
    Rung.ADJACENT: "Every hunk landed, and the lines that it changes stand unmodified",
    Rung.BLOCK: "Every hunk landed, and the lines that it removes are here in other words",
}


def settle(result: SeriesResult, case: Case) -> SeriesResult:
    """The result with its confidence, probability and grounds; what did not apply is left as it is."""
    if result.outcome not in (Outcome.APPLIED, Outcome.PARTLY_APPLIED):
        return result
    found = evidence(result, case)
    likely = probability(found) if result.outcome is Outcome.APPLIED else None
    sound = not found["flags"] and not found["doubts"] and is_known(found)
    if likely is not None and sound and likely >= model.THRESHOLD:
        return replace(result, confidence=Confidence.HIGH, grounds=_for(result, found), probability=likely)
    return replace(result, confidence=Confidence.REVIEW, grounds=_against(result, found), probability=likely)


def evidence(result: SeriesResult, case: Case) -> Evidence:
    """What a result shows, by name: 1 for true, counts as log2(1 + n), `drift` as a share."""
    files = [file for patch in result.patches for file in patch.files]
    known = [file for file in case.files if file.ours.before.data]
    states = {_state(file) for file in known}
    met = frozenset[str]().union(*(meeting.ways(file) for file in known))
    return {
        f"rung:{(result.rung or Rung.EXACT).value}": 1.0,
        "flags": float(bool(result.flags)),
        "doubts": float(any(_doubted(file, rewrites=meeting.OVER_CHANGED in met) for file in files)),
        "moved": float(any(_moved(file) for file in files)),
        "hunks": math.log2(1 + sum(len(file.hunks) for file in files)),
        "files": math.log2(1 + len(case.files)),
        "fuzz": float(result.fuzz),
        "same-file": float(states <= {"same-file"}),
        "agrees": float(states <= {"same-file", "agrees"}),
        "merge-conflict": float("merge-conflict" in states),
        "no-base": float("no-base" in states),
        "other-lines": float(any(file.theirs is not None and not changed_alike(file) for file in known)),
        "drift": max((_drift(file) for file in known), default=0.0),
        "symbols": float(case.symbols is not None),
    } | {way: float(way in met) for way in meeting.WAYS}


def _doubted(file: FileResult, *, rewrites: bool) -> bool:
    """Whether a rung doubts a place for good, or the file's line ends are not the patch's.

    No doubt is weighed where the fix rewrites lines that the target has otherwise.
    """
    noted = [hunk for hunk in file.hunks if hunk.note]
    doubts = [doubt for doubt in file.doubts if not doubt.endswith(BY_LIKENESS)]
    return len(doubts) > len(noted) or not all(map(_is_weighed, noted)) or bool(noted and rewrites)


def _is_weighed(hunk: HunkResult) -> bool:
    """Whether the model weighs what the rung doubts, so that it asks for nobody's eye by itself."""
    placed = hunk.placement
    return placed is not None and placed.rung in WEIGHED and not placed.fuzz and hunk.note not in NEVER_WEIGHED


def _moved(file: FileResult) -> bool:
    return file.path not in (file.diff.old_path, file.diff.new_path)


def _state(file: FileChange) -> str:
    if file.theirs is None:
        return "no-base"
    if file.theirs.before.data == file.ours.before.data:
        return "same-file"
    return "merge-conflict" if file.merged is None else "agrees"


def _drift(file: FileChange) -> float:
    """The share of the author's lines that the target has otherwise, 0 to 1."""
    if file.theirs is None or file.drift is None or not file.theirs.before.data:
        return 0.0
    changed = sum(edit.old_stop - edit.old_start for edit in file.drift.edits)
    return min(1.0, changed / len(file.theirs.before.lines))


def probability(found: Evidence) -> float:
    """How likely a result with this evidence is what the maintainers would commit, 0 to 1."""
    total = model.INTERCEPT + sum(model.WEIGHTS.get(name, 0.0) * value for name, value in found.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def is_known(found: Evidence) -> bool:
    """Whether the model was fitted on results of this rung."""
    return all(name in model.WEIGHTS for name in found if name.startswith("rung:"))


def _for(result: SeriesResult, found: Evidence) -> str:
    landed = LANDED.get(result.rung or Rung.EXACT, "Every hunk landed")
    return ", ".join([landed, *(words for name, words in SPEAKS_FOR.items() if found[name])]) + "."


def _against(result: SeriesResult, found: Evidence) -> str:
    words = list(_doubtful(result, found))
    return f"To be looked at: {', '.join(words)}." if words else ""


def _doubtful(result: SeriesResult, found: Evidence) -> Iterator[str]:
    if result.outcome is not Outcome.APPLIED:
        yield "some hunks did not land"
    if result.flags:
        yield f"guards found something ({', '.join(dict.fromkeys(flag.code for flag in result.flags))})"
    if found["doubts"]:
        yield "a place is in doubt"
    for name, words in SPEAKS_AGAINST.items():
        few = name in ("hunks", "files") and found[name] < MANY
        if model.WEIGHTS.get(name, 0.0) * found[name] < -model.WORTH_TELLING and not few:
            yield words
    rung = result.rung or Rung.EXACT
    if model.WEIGHTS.get(f"rung:{rung.value}", -math.inf) < -model.WORTH_TELLING:
        yield f"it took the rung {rung.value}"
