"""Whether the code that a fix repairs is in a branch: what can be said, and on what evidence.

Absence of code proves nothing by itself. A branch is said never to have had the flaw only when the fix names
the commits that brought it, none of them is in the branch (under its oid or its subject), none of them repaired an
advisory itself (a branch without that repair may be worse off, and who brings it needs this fix too), and
neither the place nor any line by which the code can be told is found: not where the file is in this branch, and
not anywhere in its tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from backports.engine.diff import Patch
from backports.engine.result import Outcome, SeriesResult
from backports.git.anchors import anchors, distinctive, search, telling
from backports.git.changes import full_oid
from backports.git.errors import GitError
from backports.git.history import contained, find_by_subject_or_patch_id
from backports.git.messages import Kind, advisories
from backports.git.store import commit_at, open_repository, tree_at

from .evidence import hunk_results
from .trying import code_absent, introducing_commits

SECONDS = 4.0
NOT_FOUND = "Code not found: nothing in this branch resembles the lines that the fix changes."


class State(StrEnum):
    """`there`: the code is in the branch; `fixed`: with the fix; `never`: the branch never had the flaw, with
    evidence; `not-found`: no trace of it, which proves nothing; `unknown`: something like it may be there."""

    THERE = "there"
    FIXED = "fixed"
    NEVER = "never"
    NOT_FOUND = "not-found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Introducer:
    """A commit that the fix names as what it repairs; `repairs` are the advisories that the commit itself repaired."""

    oid: str
    subject: str
    in_branch: bool
    repairs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """What can be said, in a sentence, and the commits that the fix names."""

    state: State
    sentence: str
    introducers: tuple[Introducer, ...] = ()

    @property
    def is_surprising(self) -> bool:
        """Whether a person should read it with the outcome: no trace of the code, or of what the fix repairs."""
        missing = bool(self.introducers) and not any(one.in_branch for one in self.introducers)
        return self.state is State.NOT_FOUND or (self.state is State.UNKNOWN and missing)

    def as_json(self) -> dict[str, Any]:
        """The `presence` part of an attempt's evidence."""
        return {
            "state": self.state.value,
            "sentence": self.sentence,
            "introducers": [{**asdict(one), "repairs": list(one.repairs)} for one in self.introducers],
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A fix's result on a branch: `branch` is its name in the mirror, `base` the commit that the fix was made on.

    `base` is "" when nobody knows it; then nothing is proved.
    """

    mirror: Path
    branch: str
    tip: str
    patches: tuple[Patch, ...]
    result: SeriesResult
    base: str = ""


def presence_of(asked: Asked) -> Presence:
    """What can be said of the code that the fix repairs. Raises GitError when the mirror is broken."""
    if asked.result.outcome is Outcome.ALREADY_APPLIED:
        return Presence(State.FIXED, "The branch holds every line of the fix.")
    named = tuple(_introducers(asked))
    if not code_absent(asked.result):
        return _somewhere(asked.result, named)
    if not named:
        return Presence(State.NOT_FOUND, f"{NOT_FOUND} The fix names no commit that brought the flaw.")
    if doubt := _doubt(named):
        return Presence(State.NOT_FOUND, f"{NOT_FOUND} {doubt}", named)
    lines = _absent_lines(asked)
    if not lines:
        return Presence(State.NOT_FOUND, f"{NOT_FOUND} No line by which it can be told was proved absent.", named)
    return Presence(State.NEVER, _proof(named, len(lines)), named)


def _somewhere(result: SeriesResult, named: Sequence[Introducer]) -> Presence:
    places = sum(hunk.placement is not None for hunk in hunk_results(result))
    if not places:
        return Presence(State.UNKNOWN, "Something like the code that the fix changes is in this branch.", tuple(named))
    if named and not any(one.in_branch for one in named):
        sentence = f"Code like it is in this branch, though {_listed(named)}, which the fix repairs, is not."
        return Presence(State.UNKNOWN, sentence, tuple(named))
    return Presence(State.THERE, "The code that the fix changes is in this branch.", tuple(named))


def _doubt(named: Sequence[Introducer]) -> str:
    """Why commits that the fix names are no evidence of absence, or ""."""
    if held := [one for one in named if one.in_branch]:
        return f"But {_listed(held)}, which the fix repairs, is in this branch or not known here."
    if repairs := sorted({number for one in named for number in one.repairs}):
        numbers = ", ".join(f"XSA-{number}" for number in repairs)
        return f"The fix repairs the fix of {numbers}, which this branch does not have: who brings that needs this too."
    return ""


def _proof(named: Sequence[Introducer], lines: int) -> str:
    counted = "the line" if lines == 1 else f"none of the {lines} lines"
    stands = "stands nowhere" if lines == 1 else "stands anywhere"
    return (
        f"The fix names {_listed(named)} as what it repairs; this branch does not contain it, nothing here resembles "
        f"the lines that the fix changes, and {counted} by which that code can be told {stands} in the tree."
    )


def _listed(named: Iterable[Introducer]) -> str:
    return ", ".join(one.oid[:12] for one in named)


def _introducers(asked: Asked) -> Iterable[Introducer]:
    repo = open_repository(asked.mirror)
    for name in introducing_commits(asked.patches):
        oid = full_oid(asked.mirror, name)
        if oid is None:  # a commit that the mirror lacks proves nothing
            yield Introducer(name, "", in_branch=True)
            continue
        message = commit_at(repo, oid).message
        subject = message.partition("\n")[0]
        repairs = tuple(number for number, kind in advisories(message).items() if kind is Kind.FIX)
        yield Introducer(oid, subject, _held(asked, oid, subject), repairs)


def _held(asked: Asked, oid: str, subject: str) -> bool:
    """Whether the branch has a commit, under this oid or under its subject."""
    if oid in contained(asked.mirror, [oid], [asked.branch])[asked.branch]:
        return True
    return find_by_subject_or_patch_id(asked.mirror, asked.branch, subject, b"") is not None


def _absent_lines(asked: Asked) -> tuple[bytes, ...]:
    """The lines by which the fix's code can be told, when the tree has none of them; else ()."""
    lines = {line for patch in asked.patches for file in patch.files for hunk in file.hunks for line in anchors(hunk)}
    if not lines or not asked.base:
        return ()
    repo = open_repository(asked.mirror)
    try:
        before, tree = (str(tree_at(repo, oid).id) for oid in (asked.base, asked.tip))
        there = search(asked.mirror, before, lines, seconds=SECONDS)
        told = telling(sorted(lines), there)
        return distinctive(told, there, search(asked.mirror, tree, told, seconds=SECONDS))
    except GitError as error:
        if error.code in ("timeout", "too-large", "no-such-commit"):
            return ()
        raise
