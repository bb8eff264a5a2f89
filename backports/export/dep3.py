"""Headers of Debian's patch tagging guidelines (DEP-3), and messages that no tool takes for a diff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from backports.engine.diff import Patch

# What patch(1) would begin to read as a diff, also where it is indented.
_LIKE_A_DIFF = re.compile(r"\s*(?:--- |\+\+\+ |\*\*\* |@@ |diff |Index:|Prereq:|={20}|(?:\d+,)?\d+[acd]\d+)")
GUARD = "| "


@dataclass(frozen=True, slots=True)
class About:
    """What a series is, for the headers of its patches.

    `origin` is DEP-3's: `upstream`, `backport`, `vendor` or `other`, and where it is from. `applied_upstream` names
    the commits or version that hold it upstream. `reviewers` are `Name <mail>`. `updated` is the day of the version.
    """

    advisory: int
    branch: str
    origin: str
    updated: date
    applied_upstream: str = ""
    reviewers: tuple[str, ...] = ()
    bugs: tuple[str, ...] = field(default=())


def header(patch: Patch, about: About, notes: Iterable[str] = ()) -> bytes:
    """The header of one patch, up to its `---`; `notes` stand in fields of their own."""
    return ("".join(f"{line}\n" for line in _lines(patch, about, notes)) + "---\n").encode("utf-8", "surrogateescape")


def _lines(patch: Patch, about: About, notes: Iterable[str]) -> Iterator[str]:
    yield f"Description: {one_line(patch.subject) or '(no subject)'}"
    yield from (f" {line}" if line else " ." for line in map(guarded, patch.body.splitlines()))
    if patch.author:
        yield f"Author: {one_line(patch.author)}"
    yield f"Origin: {one_line(about.origin)}"
    yield from (f"Bug: {one_line(bug)}" for bug in about.bugs)
    yield "Forwarded: not-needed"
    if about.applied_upstream:
        yield f"Applied-Upstream: {one_line(about.applied_upstream)}"
    yield from (f"Reviewed-by: {one_line(reviewer)}" for reviewer in about.reviewers)
    yield f"Last-Update: {about.updated.isoformat()}"
    yield f"X-Advisory: XSA-{about.advisory}"
    yield f"X-Branch: {one_line(about.branch)}"
    yield from (f"X-Note: {one_line(note)}" for note in notes)


def one_line(text: str) -> str:
    """The text on one line, so that it cannot begin another field."""
    return " ".join(text.split())


def guarded(line: str) -> str:
    """A line of a message, marked where a tool would take it for the start of a diff."""
    line = "".join(char for char in line.rstrip() if char == "\t" or char.isprintable() or ord(char) > 0x7F)
    return GUARD + line if _LIKE_A_DIFF.match(line) else line
