"""Lines that stand twice, statements that nothing reaches, and braces out of balance.

Motivated by XSA-492 and XSA-451, where merging lines that touch left a second `return` behind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from backports.engine.result import Flag
from backports.engine.verify import is_distinctive

from .changes import Case, Change, FileChange, Text

_LEAVES = re.compile(rb"^(\s*)(?:return\b[^;]*+|goto\s++\w++\s*+|(?:break|continue)\s*+);\s*$")
_OPENS = re.compile(rb"^\s*(?:if|else|for|while|do|switch|case\b|default\b|#|\w+\s*:)|(?:\)|\belse|&&|\|\||,|:|\\)\s*$")
_MAY_FOLLOW = re.compile(rb"^\s*(?:[}#]|case\b|default\b|\w+\s*:(?!:)|else\b|/?\*)")


def look_duplicates(case: Case) -> Iterator[Flag]:
    """`duplicate-lines`: an added line stands right beside an equal one, which it does not at its author's."""
    for file in case.files:
        new = _pairs(file.ours, file.ours.added)
        if not new:
            continue
        theirs = Counter() if file.theirs is None else Counter(_pairs(file.theirs, file.theirs.added).values())
        lines = [at for at, line in new.items() if not theirs[line]]
        if lines:
            yield Flag("duplicate-lines", "an added line stands twice.", file.path, tuple(at + 1 for at in lines))


def _pairs(change: Change, added: list[int]) -> dict[int, bytes]:
    """Added distinctive lines that equal the next or last line but blank ones, by their place."""
    lines = change.after.lines
    found: dict[int, bytes] = {}
    for at in added:
        line = lines[at].strip()
        if not is_distinctive(lines[at]):
            continue
        beside = (lines[near].strip() for near in (at - 1, at + 1) if 0 <= near < len(lines))
        if line in beside:
            found[at] = line
    return found


def look_unreachable(case: Case) -> Iterator[Flag]:
    """`unreachable`: a new line follows `return`, `goto`, `break` or `continue` of the same block, or is one."""
    for file in case.c_files:
        ours = _unreachable(file.ours.after, file.ours.added)
        if not ours:
            continue
        known = _pairs_of(file.ours.before, ours) | (_pairs_of(file.theirs.after, ours) if file.theirs else set())
        lines = [at for at, pair in ours.items() if pair not in known]
        if lines:
            sentence = "nothing reaches the statement after it."
            yield Flag("unreachable", sentence, file.path, tuple(at + 1 for at in lines))


def _unreachable(text: Text, added: list[int]) -> dict[int, tuple[bytes, bytes]]:
    found: dict[int, tuple[bytes, bytes]] = {}
    new = set(added)
    near = {place for at in added for place in (_last(text, at), at) if place is not None}
    for at in sorted(place for place in near if _LEAVES.match(text.lines[place])):
        after = _next(text, at)
        if after is not None and (at in new or after in new) and _is_dead(text, at, after):
            found[at] = text.lines[at].strip(), text.lines[after].strip()
    return found


def _is_dead(text: Text, at: int, after: int) -> bool:
    leaves, follows = text.code_line(at), text.code_line(after)
    if not _LEAVES.match(leaves) or _MAY_FOLLOW.match(follows):
        return False
    before = _last(text, at)
    if before is None or _OPENS.search(text.code_line(before).rstrip()):
        return False
    return _indent(follows) == _indent(leaves)


def _indent(line: bytes) -> int:
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def _last(text: Text, at: int) -> int | None:
    return next((near for near in range(at - 1, max(-1, at - 20), -1) if text.lines[near].strip()), None)


def _next(text: Text, at: int) -> int | None:
    stop = min(len(text.lines), at + 20)
    return next((near for near in range(at + 1, stop) if text.lines[near].strip()), None)


def _pairs_of(text: Text, wanted: dict[int, tuple[bytes, bytes]]) -> set[tuple[bytes, bytes]]:
    """Those of the pairs that follow each other in the text."""
    sought, lines = set(wanted.values()), [line.strip() for line in text.lines if line.strip()]
    return {pair for pair in pairwise(lines) if pair in sought}


def look_braces(case: Case) -> Iterator[Flag]:
    """`brace-balance`: the change opens more braces than it closes, unlike its author's."""
    for file in case.c_files:
        if file.theirs is not None and not changed_alike(file) and _balance(file.ours) != _balance(file.theirs):
            edits = [edit.new_start + 1 for edit in file.ours.edits]
            sentence = "the braces do not balance as in the source's change."
            yield Flag("brace-balance", sentence, file.path, tuple(edits))


def _balance(change: Change) -> tuple[int, int]:
    """How many more braces, and parentheses, the change opens than it closes."""
    return _depth(change, b"{}"), _depth(change, b"()")


def _depth(change: Change, marks: bytes) -> int:
    opens, closes = marks[:1], marks[1:]
    added, removed = change.added_code, change.removed_code
    return added.count(opens) - added.count(closes) - removed.count(opens) + removed.count(closes)


def changed_alike(file: FileChange) -> bool:
    """Whether the result's removed and added lines are the source's own, in any order."""
    if file.theirs is None:
        return False
    return file.untouched or _lines(file.ours) == _lines(file.theirs)


def _lines(change: Change) -> tuple[Counter[bytes], Counter[bytes]]:
    return (
        Counter(change.before.lines[at].strip() for at in change.removed),
        Counter(change.after.lines[at].strip() for at in change.added),
    )
