"""The words of the pages: what each outcome, rung, confidence and class means, in a sentence each."""

from __future__ import annotations

from dataclasses import dataclass

from backports.engine.result import Confidence, Outcome, Rung
from backports.services import lacking
from xsa.models import Advisory


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its looks.

    `short` fits into a cell of the matrix; `tone` is a colour class of badge.css; `symbol`
    says the same as the colour, for whoever does not see it.
    """

    value: str
    name: str
    short: str
    symbol: str
    tone: str
    sentence: str


OUTCOMES: dict[str, Word] = {
    word.value: word
    for word in (
        Word(
            Outcome.FIXED_UPSTREAM,
            "fixed upstream",
            "fixed",
            "✓",
            "calm",
            "The branch holds the official fix.",
        ),
        Word(
            Outcome.ALREADY_APPLIED,
            "already applied",
            "has it",
            "≡",
            "calm",
            "Every change of the fix is in the branch already, though no commit says so.",
        ),
        Word(
            Outcome.APPLIED,
            "applied",
            "applied",
            "●",
            "good",
            "Every hunk of the fix landed; the finished patch can be downloaded.",
        ),
        Word(
            Outcome.NEEDS_PREREQUISITE,
            "needs a prerequisite",
            "needs",
            "↳",
            "info",
            "The fix applies once the named earlier fixes or commits are in the branch.",
        ),
        Word(
            Outcome.PARTLY_APPLIED,
            "partly applied",
            "partly",
            "◔",
            "part",
            "Some hunks landed; a person must place the others.",
        ),
        Word(
            Outcome.CONFLICT,
            "conflict",
            "confl.",
            "✕",
            "bad",
            "No hunk of the fix found its place; a person must port it.",
        ),
        Word(
            Outcome.NOT_AFFECTED,
            "not affected",
            "n/a",
            "–",
            "none",
            "The vulnerable code is not in this branch; the attempt gives the evidence.",
        ),
        Word(
            Outcome.MALFORMED,
            "malformed",
            "malf.",
            "▲",
            "bad",
            "The patch cannot be read; the attempt says what is wrong with it.",
        ),
        Word(
            Outcome.ERROR,
            "error",
            "error",
            "!",
            "bad",
            "The attempt itself failed; this says nothing about the patch.",
        ),
    )
}

BY_SOURCE = (
    "The package continues a commit of upstream's that holds the official fix, and its files of the fix are the same "
    "byte for byte."
)
SETTLED = lacking.SETTLED
"""Outcomes that leave nothing to do on a branch; any other advisory is missing there."""

RUNGS: dict[str, Word] = {
    word.value: word
    for word in (
        Word(
            Rung.ALREADY_APPLIED,
            "already applied",
            "has it",
            "≡",
            "calm",
            "The change is there already.",
        ),
        Word(Rung.EXACT, "exact", "exact", "●", "good", "Every line stands where the patch says."),
        Word(
            Rung.OFFSET,
            "offset",
            "offset",
            "●",
            "good",
            "The same lines, some way further up or down; the offset is given.",
        ),
        Word(
            Rung.THREE_WAY,
            "three-way",
            "3-way",
            "●",
            "good",
            "Merged from the file that the patch was made against, which both sides have in common.",
        ),
        Word(
            Rung.WHITESPACE,
            "white space",
            "space",
            "◐",
            "review",
            "Found without regard to white space; what it adds is indented as this branch is.",
        ),
        Word(
            Rung.ADJACENT,
            "adjacent",
            "adjacent",
            "◐",
            "review",
            "Its own lines stand unmodified; the branch differs right beside them.",
        ),
        Word(
            Rung.FUZZ,
            "fuzz",
            "fuzz",
            "◐",
            "review",
            "Some lines of context differ and were given up; their number is given.",
        ),
        Word(
            Rung.BLOCK,
            "block",
            "block",
            "◐",
            "review",
            "Lines that it removes, or stands between, read a little differently here.",
        ),
        Word(
            Rung.TOKEN,
            "token",
            "token",
            "◐",
            "review",
            "Branch and fix changed different words of the same lines; they were merged word by word.",
        ),
        Word(
            Rung.DIALECT,
            "dialect",
            "dialect",
            "◐",
            "review",
            "The change was put into the names that this branch uses.",
        ),
    )
}

CONFIDENCES: dict[str, Word] = {
    word.value: word
    for word in (
        Word(Confidence.HIGH, "high", "high", "●", "good", "May be used after a normal review."),
        Word(Confidence.REVIEW, "review", "review", "◐", "review", "A person must look at the named places."),
    )
}

STATES: dict[str, Word] = {
    "waiting": Word("waiting", "waiting", "waits", "…", "wait", "In the queue; no worker has taken it yet."),
    "running": Word("running", "running", "runs", "▸", "wait", "A worker is trying it now."),
}

DEPLOYMENT: dict[str, str] = {
    "all-permitted": "Patches and mitigations may be deployed during the embargo, even on public-facing "
    "systems; updated software goes to other members of the predisclosure list only.",
    "patches-only": "Patches may be deployed during the embargo; mitigations may not.",
    "nothing": "Neither patches nor mitigations may be deployed during the embargo, except where every affected "
    "system and guest is run and used by members only.",
    "no-embargo": "This advisory had no embargo.",
    "unknown": "The advisory does not say what may be deployed during the embargo: ask the Security Team first.",
}

NO_DEPLOYMENT = DEPLOYMENT["unknown"]


def deployment(advisory: Advisory) -> str:
    """What may be deployed while it is embargoed; where the text does not say, that one must ask."""
    found = advisory.current.deployment if advisory.current else ""
    return DEPLOYMENT.get(found, NO_DEPLOYMENT)


DEPLOYMENT_CLASSES: dict[str, str] = {
    "all-permitted": "may be deployed",
    "patches-only": "patches may be deployed, mitigations not",
    "nothing": "not to be deployed",
    "no-embargo": "no embargo",
    "unknown": "ask before deployment",
}


def deployment_class(advisory: Advisory) -> str:
    """The same in a few words."""
    found = advisory.current.deployment if advisory.current else ""
    return DEPLOYMENT_CLASSES.get(found, DEPLOYMENT_CLASSES["unknown"])


SIGNATURES: dict[str, str] = {
    "good": "signed, and the signature is good",
    "bad": "signed, and the signature does not fit the text",
    "unknown-key": "signed with a key that is not known here",
    "weak": "signed with a digest that is no longer safe",
    "broken": "has a signature that cannot be read",
    "none": "not signed",
}

ORIGINS: dict[str, str] = {
    "resolution": "the advisory's text",
    "meta": "the .meta file",
    "name": "the file's name",
    "commit": "commits in the repository",
    "result": "our own result",
}

BECAUSE: dict[str, str] = {
    "upstream": "the branch holds the official fix",
    "branch moved": "the branch moved",
    "new advisory version": "a new advisory version came in",
    "prerequisite": "a prerequisite landed",
    "on demand": "a person asked for it",
    "mined": "its fix was found in the repository",
    "demo": "the demo was loaded",
    "newer branch": "our result on the next newer branch changed",
    "disclosed": "an advisory was disclosed",
}

DIFFERENT_PATCHES = (
    "A backport may count as a significantly different patch. Members who wish to deploy one during the embargo "
    "contact the Xen Project Security Team first."
)
EMBARGO = "Embargoed: only that it exists, its number and the planned date may be known outside the predisclosure list."

CAME_BY: dict[str, str] = {
    "browser": "by browser",
    "rest": "by REST",
    "git": "by git",
    "mail": "by mail",
}

LIVES: dict[str, Word] = {
    "draft": Word("draft", "draft", "draft", "✎", "wait", "The organisation's own until it is shared."),
    "shared": Word(
        "shared", "shared", "shared", "✓", "good", "The room's: every member who sees the advisory reads it."
    ),
    "superseded": Word("superseded", "superseded", "superseded", "→", "none", "Another backport takes its place."),
    "withdrawn": Word(
        "withdrawn", "withdrawn", "withdrawn", "✗", "bad", "Taken back by its organisation; do not use it."
    ),
}

FATES: dict[str, Word] = {
    "same": Word("same", "same", "same", "=", "good", "The same lines are removed and added."),
    "adapted": Word("adapted", "adapted", "adapted", "≈", "review", "The same change with other lines."),
    "missing": Word("missing", "missing", "missing", "−", "bad", "Nothing in it does what this hunk does."),
    "extra": Word("extra", "extra", "extra", "+", "info", "The other side has nothing like it."),
}
