"""What a person must look at first in an attempt, and each hunk's way up the ladder, out of its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from backports.engine.result import Answer

from .ladder_words import ANSWERS, GUARDS, MARKS, STEPS, Term, rejection

MOST = 12  # of a kind that are named above the hunks themselves
Evidence = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: `place` says where in words, `anchor` is the hunk's id on the page, if it has one.

    `pieces` are the lines that a guard means, as evidence has them.
    """

    kind: str
    code: str
    term: Term | None
    sentence: str
    place: str
    anchor: str = ""
    pieces: Sequence[dict[str, Any]] = ()
    introduced: Sequence[dict[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """Some findings of one kind and how many more there are."""

    title: str
    tone: str
    shown: Sequence[Finding]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Rise:
    """One stretch of a hunk's way: a rung that saw a place, or several in a row that saw none."""

    answer: str
    said: str
    terms: Sequence[Term]
    line: int = 0
    term: Term | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Climb:
    """All of a hunk's way."""

    rises: Sequence[Rise]

    @property
    def told(self) -> list[Rise]:
        """What is worth a word in short: the rungs that refused it, and a guard that took it back."""
        return [rise for rise in self.rises if rise.answer == Answer.REFUSED]


def to_look_at(evidence: Evidence) -> list[Findings]:
    """What did not land, what the guards found, and which places are in doubt, in this order.

    Of evidence without flags, which is old, nothing: its reasons tell all of it.
    """
    if "flags" not in evidence:
        return []
    kinds = (
        ("Did not land", "bad", _unplaced(evidence)),
        ("The guards say", "review", _flags(evidence)),
        ("Landed, in doubt", "review", _doubts(evidence)),
    )
    found = ((title, tone, list(all_of_it)) for title, tone, all_of_it in kinds)
    return [Findings(title, tone, rows[:MOST], max(0, len(rows) - MOST)) for title, tone, rows in found if rows]


def other_reasons(reasons: Sequence[str], evidence: Evidence) -> list[str]:
    """The reasons that nothing else on the page tells."""
    told = set(evidence.get("told", ()))
    return [reason for reason in reasons if reason not in told]


def _flags(evidence: Evidence) -> Iterator[Finding]:
    for flag in evidence.get("flags", ()):
        lines = _ranges(flag["lines"])
        place = f"{flag['path']}:{lines}" if lines else flag["path"]
        introduced = flag.get("introduced", ())
        term = GUARDS.get(flag["code"])
        yield Finding("guard", flag["code"], term, flag["sentence"], place, "", flag["around"], introduced)


def _ranges(lines: Sequence[int]) -> str:
    """Lines in words: `3, 7-9`."""
    runs = [[line for _, line in run] for _, run in groupby(enumerate(lines), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:MOST])


def _hunk_at(file: dict[str, Any], line: int, patch: int, number: int, evidence: Evidence, *, path: str = "") -> str:
    """Where a hunk is, in words; the patch is named where there are several, and `path` when it is another file."""
    path = path or file["path"]
    place = f"{path}:{line}" if line else path
    of_many = f"patch {patch}, " if len(evidence["patches"]) > 1 else ""
    return f"{place} ({of_many}hunk {number})"


def files(evidence: Evidence) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Each file's part with the numbers of its patch and of itself."""
    for number, patch in enumerate(evidence.get("patches", ()), 1):
        for position, file in enumerate(patch["files"], 1):
            yield file, number, position


def _unplaced(evidence: Evidence) -> Iterator[Finding]:
    for file, patch, position in files(evidence):
        if file.get("code"):
            yield _stop(file["code"], file["note"], file["path"], f"file-{patch}-{position}")
            continue
        for number, hunk in enumerate(file["hunks"], 1):
            stopped = hunk["rejection"]
            if stopped:
                place = _hunk_at(file, stopped["line"], patch, number, evidence)
                anchor = f"hunk-{patch}-{position}-{number}"
                yield _stop(stopped["code"], stopped["sentence"], place, anchor)


def _stop(code: str, sentence: str, place: str, anchor: str) -> Finding:
    return Finding("stop", code, rejection(code), sentence, place, anchor)


def _doubts(evidence: Evidence) -> Iterator[Finding]:
    for file, patch, position in files(evidence):
        for number, hunk in enumerate(file["hunks"], 1):
            placed = hunk["placement"]
            if placed and hunk.get("note"):
                rung = placed["rung"]
                path = placed.get("path", "")
                place = _hunk_at(file, placed["line"], patch, number, evidence, path=path)
                anchor = f"hunk-{patch}-{position}-{number}"
                yield Finding("rung", rung, STEPS.get(rung), f"{hunk['note']}.", place, anchor)


def climb(hunk: dict[str, Any]) -> Climb:
    """A hunk's way up; rungs in a row that saw no place are told together."""
    rises: list[Rise] = []
    for silent, steps in groupby(hunk.get("trail", ()), lambda step: step["answer"] == Answer.NOTHING):
        if silent:
            rises.append(Rise(Answer.NOTHING, ANSWERS[Answer.NOTHING], [_step(step) for step in steps]))
        else:
            rises += [_rise(step) for step in steps]
    if hunk["rejection"] and rises and rises[-1].answer == Answer.LANDED:
        rises.append(_taken_back(hunk["rejection"]))
    return Climb(rises)


def _taken_back(stopped: dict[str, Any]) -> Rise:
    """A guard's word against a hunk that a rung had placed."""
    term = rejection(stopped["code"])
    return Rise(Answer.REFUSED, "took it back", [term] if term else [], stopped["line"], None, stopped["sentence"])


def _rise(step: dict[str, Any]) -> Rise:
    term = rejection(step["code"]) if step["code"] else None
    said = ANSWERS.get(step["answer"], step["answer"])
    return Rise(step["answer"], said, [_step(step)], step["line"], term, step["sentence"])


def _step(step: dict[str, Any]) -> Term:
    return STEPS.get(step["rung"]) or Term(step["rung"], step["rung"], "", "rungs")


def compared(evidence: Evidence) -> dict[str, Any] | None:
    """The range-diff with words for git's marks; `same` when every patch is its source's; None when there is none."""
    found = evidence.get("range_diff")
    if not found or "problem" in found:
        return found
    patches = [{**one, "word": MARKS.get(one["mark"], one["mark"])} for one in found["patches"]]
    return {**found, "patches": patches, "same": all(one["mark"] == "=" for one in patches)}
