"""Code that the fix removes everywhere at its author's, and that the target has once more.

Motivated by XSA-44 68a30a91bad and 584eb7c15e4 (32-bit code that only the older tree has) and
XSA-347 1c86c830303.
"""

from __future__ import annotations

from collections.abc import Iterator

from backports.engine.result import Flag
from backports.engine.verify import is_distinctive

from .changes import Case, FileChange


def look(case: Case) -> Iterator[Flag]:
    """`unfixed-twin`: a removed line is gone from the author's file and still stands in the target's."""
    for file in case.c_files:
        lines = _left(file)
        if lines:
            sentence = "a line that the fix removes still stands here, which it does not in the source's file."
            yield Flag("unfixed-twin", sentence, file.path, lines)


def _left(file: FileChange) -> tuple[int, ...]:
    if file.theirs is None or file.untouched:
        return ()
    before, after = file.theirs.before, file.ours.after
    removed = {before.lines[at].strip() for at in file.theirs.removed if is_distinctive(before.lines[at])}
    gone = {line for line in removed if after.has_line(line) and not file.theirs.after.has_line(line)}
    new = set(file.ours.added)
    return (
        tuple(at + 1 for at, line in enumerate(after.lines) if line.strip() in gone and at not in new) if gone else ()
    )
