"""Names that only the author's function has, and exits that the target's function does not know.

Motivated by XSA-167 47abf29a925 (a status that is called `rc` in one tree and `okay` in the other) and
XSA-220 aedaa82c2f6 (`return X86EMUL_EXCEPTION` where the older function must go to its own label).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backports.engine.locate import function_name
from backports.engine.result import Flag

from . import ccode
from .changes import Case, FileChange, Text
from .missing import GOTO, LABEL, declared_in

LONGEST_HEAD = 1000  # bytes from a function's name to its brace
HEADING = 12  # lines above a body that can belong to its function's head
_LOCAL = re.compile(rb"(?<![\w.>#'\"])([a-z_]\w*+)\b(?!\s*\()")
_WORDS = re.compile(rb"\w+")
_PAREN = re.compile(rb"\s*\(")
_EXIT = re.compile(rb"\breturn\s+(-?[A-Z][A-Z0-9_]{2,})\s*;")
_WAY_OUT = re.compile(rb"\b(?:goto\s+(\w+)|return\s+(-?[A-Z][A-Z0-9_]{2,}))\s*;")


def look_locals(case: Case) -> Iterator[Flag]:
    """`missing-local`: an added line uses a variable of the author's function that the target's function lacks."""
    for file in case.c_files:
        declared = declared_in(file.ours.added_code) if file.theirs else frozenset()
        known: Known = {}
        for at, line in adapted(file):
            own = _foreign(frozenset(_LOCAL.findall(GOTO.sub(b"", line))) - ccode.KEYWORDS - declared, file, at, known)
            if own:
                shown = ", ".join(sorted(name.decode("latin-1") for name in own))
                sentence = f"the function has no {shown}, which the added lines use."
                yield Flag("missing-local", sentence, file.path, (at + 1,))


def look_exits(case: Case) -> Iterator[Flag]:
    """`other-exit`: an added `return` of a constant, in a function that the target leaves by labels only."""
    for file in case.c_files:
        for at, line in adapted(file):
            for value in _EXIT.findall(line):
                ours, theirs = functions_at(file, at)
                if theirs and _leaves_by(value, theirs) and _leaves_otherwise(ours):
                    sentence = (
                        f"the function returns no constant, as {value.decode('latin-1')} is; it is left by labels."
                    )
                    yield Flag("other-exit", sentence, file.path, (at + 1,))


def adapted(file: FileChange) -> Iterator[tuple[int, bytes]]:
    """The added lines of a file that drifted from its author's."""
    if file.theirs is not None and file.theirs.before.data != file.ours.before.data:
        yield from file.ours.added_lines.items()


Known = dict[tuple[int, int], tuple[tuple[int, int], frozenset[bytes] | None]]
"""By the body of a function its extent and the words in its lines that are not new; None when all are."""


def _foreign(used: frozenset[bytes], file: FileChange, at: int, known: Known) -> frozenset[bytes]:
    """Those of the names that the author's function around the line declares, and the target's does not hold."""
    body = file.ours.after.function(at) if used else (at, at)
    if body[0] == body[1]:
        return frozenset()
    if body not in known:
        extent = _extent(file.ours.after, at)
        ours = _own(file, extent)
        known[body] = extent, frozenset(_WORDS.findall(ours)) if ours else None
    extent, words = known[body]
    unknown = frozenset() if words is None else used - words
    return unknown & _variables(_authors(file, extent)) if unknown else unknown


def _variables(code: bytes) -> frozenset[bytes]:
    """What the code declares, without labels; a second line of `a ? b : c` reads like one."""
    return frozenset(declared_in(code)) - frozenset(LABEL.findall(code))


def functions_at(file: FileChange, at: int) -> tuple[bytes, bytes]:
    """The code of the target's function around line `at` without its new lines, and of the author's."""
    extent = _extent(file.ours.after, at)
    return (_own(file, extent), _authors(file, extent)) if extent[0] < extent[1] else (b"", b"")


def _own(file: FileChange, extent: tuple[int, int]) -> bytes:
    new = file.ours.added_lines
    lines = enumerate(file.ours.after.code(*extent), extent[0])
    return b"".join(line for place, line in lines if place not in new)


def _authors(file: FileChange, extent: tuple[int, int]) -> bytes:
    name = _name(file.ours.after, extent[0])
    return _named(file.theirs.before, name) if name and file.theirs else b""


def _extent(text: Text, at: int) -> tuple[int, int]:
    """A function's lines from its head to the end of its body; an empty range outside of functions."""
    low, high = text.function(at)
    if low == high:
        return at, at
    start = low
    while start > max(0, low - HEADING) and text.lines[start - 1].strip() and text.lines[start - 1][:1] not in b"}#*/":
        start -= 1
    return start, high


def _name(text: Text, low: int) -> bytes:
    return function_name(b" ".join(line.strip() for line in text.lines[low : low + HEADING]))


def _named(text: Text, name: bytes) -> bytes:
    """The code of the only function of this name, or nothing."""
    found = {
        extent
        for head in _heads(text.data, name)
        if (brace := text.data.find(b"\n{", head, head + LONGEST_HEAD)) >= 0 and b";" not in text.data[head:brace]
        if (extent := _extent(text, text.data.count(b"\n", 0, brace) + 2))[0] < extent[1]
    }
    return b"".join(text.code(*found.pop())) if len(found) == 1 else b""


def _heads(data: bytes, name: bytes) -> Iterator[int]:
    """Where the name stands before a parenthesis."""
    at = data.find(name)
    while at >= 0:
        if _PAREN.match(data, at + len(name)):
            yield at
        at = data.find(name, at + 1)


def _leaves_by(value: bytes, code: bytes) -> bool:
    return re.search(rb"\breturn\s+" + re.escape(value) + rb"\s*;", code) is not None


def _leaves_otherwise(code: bytes) -> bool:
    """Whether the function is left by labels, and nowhere by a constant."""
    found = _WAY_OUT.findall(code)
    return any(label for label, _ in found) and not any(constant for _, constant in found)
