"""Code that the fix removes everywhere at its author's, and that the target has once more.

Motivated by XSA-44 68a30a91bad and 584eb7c15e4 (32-bit code that only the older tree has) and
XSA-347 1c86c830303.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from backports.engine.result import Flag
from backports.engine.verify import is_distinctive

from .changes import Case, FileChange, Text


def look(case: Case) -> Iterator[Flag]:
    """`unfixed-twin`: a removed line is gone from the author's file and still stands in the target's."""
    for file in case.c_files:
        lines = _left(file)
        if lines:
            sentence = "a line that the fix removes still stands here, which it does not in the source's file."
            yield Flag("unfixed-twin", sentence, file.path, lines)


def _left(file: FileChange) -> tuple[int, ...]:
    if file.theirs is None:
        return ()
    gone = {
        file.theirs.before.lines[at].strip()
        for at in file.theirs.removed
        if is_distinctive(file.theirs.before.lines[at])
    }
    gone -= _stripped(file.theirs.after)
    if not gone:
        return ()
    there = Counter(line.strip() for line in file.ours.before.lines)
    gone = {line for line in gone if there[line]}
    return tuple(at for at, line in enumerate(file.ours.after.lines, 1) if line.strip() in gone)


def _stripped(text: Text) -> set[bytes]:
    return {line.strip() for line in text.lines}
