"""The words of the ladder's inside: what the steps of a hunk's way, the guards and the rejections mean.

Each has a place on the page of words, which the page of an attempt links to.
"""

from __future__ import annotations

from dataclasses import dataclass

from backports.engine.result import Answer, Rung

from .words import RUNGS


@dataclass(frozen=True, slots=True)
class Term:
    """A code of the engine in words; `anchor` is its place on the page of words."""

    code: str
    name: str
    sentence: str
    anchor: str


def _terms(kind: str, found: dict[str, tuple[str, str]]) -> dict[str, Term]:
    return {code: Term(code, name, sentence, f"{kind}-{code}") for code, (name, sentence) in found.items()}


def _rung(code: str, rung: Rung) -> Term:
    word = RUNGS[rung]
    return Term(code, word.name, word.sentence, f"rung-{rung.value}")


STEPS: dict[str, Term] = {
    **{rung.value: _rung(rung.value, rung) for rung in Rung},
    "already": _rung("already", Rung.ALREADY_APPLIED),
    **_terms(
        "rung",
        {
            "nearest": (
                "nearest",
                "The lines stand whole, in several places or in another function; the nearest is taken, for review.",
            ),
            "moved": (
                "moved",
                "The function that the hunk is in lives in another file of this branch; the rungs place it there.",
            ),
            "undone": (
                "undone",
                "All that it adds is here and nothing is left to remove, so the branch has it, in other surroundings.",
            ),
        },
    ),
}
"""The rungs by the names that a hunk's trail has for them."""

ANSWERS: dict[str, str] = {
    Answer.LANDED: "took it",
    Answer.REFUSED: "refused",
    Answer.NOTHING: "saw no place",
}

GUARDS: dict[str, Term] = _terms(
    "guard",
    {
        "missing-symbol": (
            "missing symbol",
            "The new lines use a name that came later than this branch. Most results with this flag are wrong.",
        ),
        "undeclared-symbol": (
            "undeclared symbol",
            "The name is somewhere in this branch, but neither in this file nor in a header within its reach.",
        ),
        "missing-header": (
            "missing header",
            "The new lines include a file that came later than this branch, or has another name here.",
        ),
        "not-included": (
            "not included",
            "The new lines use a name that this branch has, but no header that the file includes declares it here.",
        ),
        "other-type": (
            "other type",
            "A variable that a new line uses is a number, a structure or a pointer here, and was another of these.",
        ),
        "missing-format": (
            "missing format",
            "A new message prints with a conversion that nothing in this branch uses.",
        ),
        "missing-label": (
            "missing label",
            "A new goto jumps to a label that the function here does not have.",
        ),
        "missing-local": (
            "missing variable",
            "A new line uses a variable of the source's function that the function here does not have.",
        ),
        "other-exit": (
            "other exit",
            "A new return gives a constant that the function here gives in no other place.",
        ),
        "second-place": (
            "second place",
            "A hunk that was not placed by its own lines has another place that is as good.",
        ),
        "asm-arguments": (
            "arguments of a macro",
            "An assembler macro is given more arguments than the one of that name takes here.",
        ),
        "other-arity": (
            "other number of arguments",
            "A new call passes another number of arguments than the function or macro takes here.",
        ),
        "other-dialect": (
            "other dialect",
            "The new lines say something in newer words, where this file uses the older ones.",
        ),
        "rungs-disagree": (
            "rungs disagree",
            "Merging whole files gives another result than placing hunk by hunk.",
        ),
        "other-function": (
            "other function",
            "The change landed in a function that the source's change does not touch.",
        ),
        "duplicate-lines": (
            "line stands twice",
            "A new line stands right beside an equal one, unlike in the source: perhaps part of the fix was there.",
        ),
        "unreachable": (
            "unreachable statement",
            "A statement follows a return, goto, break or continue of the same block, so nothing reaches it.",
        ),
        "brace-balance": (
            "braces out of balance",
            "The change opens and closes other numbers of braces than the source's does.",
        ),
        "slot-taken": (
            "number is taken",
            "A new definition gets a number that another name of the same table has here.",
        ),
        "unfixed-twin": (
            "unfixed twin",
            "Code that the fix removes everywhere in its source stands once more in this branch.",
        ),
        "not-guarded": (
            "not looked at",
            "The change is too large for the guards, so none of them looked at it.",
        ),
    },
)

REJECTIONS: dict[str, Term] = _terms(
    "stop",
    {
        "preimage-not-found": (
            "lines not found",
            "The lines that the hunk expects do not stand together anywhere in the file.",
        ),
        "moved-by-target": (
            "moved by the branch",
            "The branch moved the lines that the hunk removes; they stand there still.",
        ),
        "touched-by-target": (
            "touched by the branch",
            "The branch changed the same lines, or lines next to them, in its own way.",
        ),
        "ambiguous": (
            "ambiguous",
            "The lines fit several places, or are too common to tell a place by.",
        ),
        "other-function": (
            "other function",
            "The lines stand only in another function than the one that the hunk is for.",
        ),
        "overlapping": (
            "place taken",
            "The lines stand only where another hunk landed, out of order, or away from the file's edge.",
        ),
        "duplicate-line": (
            "line would stand twice",
            "A line that the hunk adds would stand beside its own twin.",
        ),
        "missing-name": (
            "missing name",
            "The hunk adds names that this branch does not have, so lesser evidence for its place does not suffice.",
        ),
        "other-indent": (
            "other indentation",
            "The branch indents the lines around the place in more than one other way.",
        ),
        "no-context": (
            "no context",
            "The hunk adds lines without any context, so nothing tells where they belong.",
        ),
        "file-not-found": (
            "file not found",
            "The file is not in this branch, neither under this name nor under one that resembles it.",
        ),
        "exists-already": (
            "exists already",
            "The patch makes a file that this branch has already, with other content.",
        ),
        "changed-before-delete": (
            "changed before its deletion",
            "The file differs from the one that the patch deletes.",
        ),
        "binary-file": (
            "binary file",
            "The file is changed as a binary one; put the new file in place by hand.",
        ),
        "too-much-work": (
            "too much work",
            "The series changes the file so often that applying all of it would take too long.",
        ),
        "not-a-file": (
            "not a file",
            "The path is a link or a submodule in this branch; nothing is written through it.",
        ),
    },
)

MARKS: dict[str, str] = {
    "=": "changes the same lines to the same",
    "!": "changed on its way here",
    "<": "only in the source",
    ">": "only in the result",
}
"""What git range-diff says of a patch."""


def rejection(code: str) -> Term | None:
    """The words for what stopped a hunk: a rung's or a file's reason, or a guard that took it back."""
    return REJECTIONS.get(code) or GUARDS.get(code)
