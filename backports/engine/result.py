"""What an attempt found, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .diff import FileDiff, Hunk, Patch


class Outcome(StrEnum):
    """The verdict of an attempt; `best` orders them for the page."""

    FIXED_UPSTREAM = "fixed-upstream"
    ALREADY_APPLIED = "already-applied"
    APPLIED = "applied"
    PARTLY_APPLIED = "partly-applied"
    NOT_AFFECTED = "not-affected"
    NEEDS_PREREQUISITE = "needs-prerequisite"
    CONFLICT = "conflict"
    MALFORMED = "malformed"
    ERROR = "error"


class Rung(StrEnum):
    """One way of applying, in order from exact to structural."""

    ALREADY_APPLIED = "already-applied"
    EXACT = "exact"
    OFFSET = "offset"
    THREE_WAY = "three-way"
    WHITESPACE = "whitespace"
    ADJACENT = "adjacent"
    FUZZ = "fuzz"
    BLOCK = "block"
    TOKEN = "token"  # noqa: S105 - a word of the text, no password
    DIALECT = "dialect"


class Confidence(StrEnum):
    """`high`: may be used after a normal review; `review`: a person must look at the named places."""

    HIGH = "high"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a hunk landed. Lines are 1-based, in the target file before this patch.

    `offset` is landed line minus the line that the hunk names, less the drift of the
    hunks before it; `fuzz` counts context lines that were given up at either end. `path` is set when
    the line is in another file than the rest of the file diff: where the function lives that the hunk is in.
    """

    rung: Rung
    line: int
    offset: int = 0
    fuzz: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a hunk did not land, and where it should have.

    `line` is the 1-based likely place in the target (0: no place found), `ours` the
    target's lines there, `likeness` their similarity to the hunk's preimage, 0 to 1.
    """

    code: str
    sentence: str
    line: int = 0
    likeness: float = 0.0
    ours: tuple[bytes, ...] = ()


class Answer(StrEnum):
    """What a rung said of a hunk."""

    LANDED = "landed"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """One rung that a hunk asked on its way up: `rung` is its name in `rungs.name_of`.

    A rung that saw a place gives its 1-based `line` in the target (0: none), and one that refused
    it a `code` and a `sentence`.
    """

    rung: str
    answer: Answer
    line: int = 0
    code: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Nearby:
    """Another place in the target that reads like the hunk's preimage.

    `line` is 1-based, `likeness` the share of the preimage's lines that stand there, 0 to 1, and
    `heading` the section heading above what would change there, or b"".
    """

    line: int
    likeness: float
    heading: bytes = b""


@dataclass(frozen=True, slots=True)
class HunkResult:
    """One hunk and what became of it: exactly one of `placement` and `rejection` is set.

    `note` says in words why a person should look at the place, or "". `trail` are the rungs that were
    asked, in order (none where the file as a whole was decided), and `places` the second-best places of
    a hunk that did not stand at its own line, most alike first.
    """

    hunk: Hunk
    placement: Placement | None = None
    rejection: Rejection | None = None
    note: str = ""
    trail: tuple[Step, ...] = ()
    places: tuple[Nearby, ...] = ()


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file diff and what became of it.

    `path` is where it was looked for in the target (it differs from the diff's own path
    when the file moved). `outcome` is `applied`, `already-applied`, `partly-applied` or
    `conflict`. `note` says in a sentence what happened to the file as a whole, or "".
    `doubts` are sentences that ask for a person's eye; without any the result may be `high`.
    `code` is set when the file as a whole is refused (`file-not-found`, `binary-file`, `exists-already` …).
    """

    diff: FileDiff
    path: str
    outcome: Outcome
    hunks: tuple[HunkResult, ...] = ()
    rung: Rung | None = None
    note: str = ""
    doubts: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """New content of a path; `data` None means that the path is deleted."""

    data: bytes | None
    mode: int = 0o100644


@dataclass(frozen=True, slots=True)
class PatchResult:
    """One patch of the series; `changes` maps path to its content after this patch."""

    patch: Patch
    outcome: Outcome
    files: tuple[FileResult, ...]
    changes: Mapping[str, Change] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flag:
    """What a guard found in a result that applied.

    `code` names the guard (`missing-symbol` …), `sentence` tells a person what to look at,
    `lines` are 1-based in the file at `path` after the whole series (none where the lines were withheld);
    `names` are the identifiers that it is about, for whoever asks where they came from.
    """

    code: str
    sentence: str
    path: str = ""
    lines: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """A whole fix on a tree.

    `outcome` is `applied`, `already-applied`, `partly-applied` or `conflict`; `rung` is the
    highest that was needed, `fuzz` the most given up by any hunk. `reasons` are sentences
    that explain the confidence, `flags` what the guards found; with any the result is for review.
    `grounds` says in a sentence what the confidence rests on; `probability` is how likely the result
    is what the maintainers would commit, 0 to 1, or None when nothing was weighed.
    """

    outcome: Outcome
    patches: tuple[PatchResult, ...]
    rung: Rung | None = None
    fuzz: int = 0
    confidence: Confidence | None = None
    reasons: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    grounds: str = ""
    probability: float | None = None
