"""A hunk that landed in another function than the one it was made for.

Motivated by XSA-492 f91eab583f9, which GNU patch with much fuzz puts into another function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from backports.engine.locate import function_name, is_heading, same_function
from backports.engine.result import Flag

from .changes import Case, Change, Text


def look(case: Case) -> Iterator[Flag]:
    """`other-function`: an edit's function is one that the author's file has, and the fix leaves alone.

    A clean merge that gives the same is better evidence, so nothing is said against it.
    """
    for file in case.c_files:
        if file.theirs is None or file.merged == file.ours.after.data:
            continue
        theirs = [heading for heading, _ in _headings(file.theirs)]
        for heading, at in _headings(file.ours):
            name = function_name(heading)
            if not name or not theirs or any(same_function(heading, other) for other in theirs):
                continue
            if name in _functions(file.theirs.before):
                sentence = f"the change landed in {name.decode('latin-1')}, which the source's change does not touch."
                yield Flag("other-function", sentence, file.path, (at + 1,))


def _functions(text: Text) -> set[bytes]:
    return {function_name(line) for line in text.lines if is_heading(line)}


def _headings(change: Change) -> Iterator[tuple[bytes, int]]:
    """The section heading and line of every edit; one heading once."""
    seen: Counter[bytes] = Counter()
    for edit in change.edits:
        heading = change.before.heading(edit.old_start)
        seen[heading] += 1
        if heading and seen[heading] == 1:
            yield heading, edit.new_start
