"""Variables that the added lines use and that are of another kind in the target's function.

A kind is how a value may be used: a number, a structure, or a pointer to either. That a number is wider here,
or a structure has another name, is no other kind. Motivated by XSA-235 59546c1897a9 on 4.9 (a frame number that
is a structure in one tree and a plain number in the other).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator

from backports.engine.result import Flag

from . import ccode
from .changes import Case, FileChange
from .scope import adapted, functions_at

_DECLARED = re.compile(
    rb"(?:(?<=[(;{},])|^)[ \t]*((?:[A-Za-z_]\w*[ \t]+){1,5})(\**)([A-Za-z_]\w*)\s*(?=[=;,)\[])", re.MULTILINE
)
_VARIABLE = re.compile(rb"(?<![\w.>#])[A-Za-z_]\w*")
NO_TYPE = frozenset((b"return", b"goto", b"case", b"else", b"break", b"continue", b"do", b"sizeof", b"typedef", b"in"))
SILENT = frozenset(
    (b"const", b"static", b"volatile", b"register", b"extern", b"signed", b"struct", b"union", b"inline")
)
_NUMBER = re.compile(
    rb"_?_?[us](8|16|32|64)|u?int(8|16|32|64)?_t|(unsigned|char|short|int|long|u?intptr_t|u?long|uint|u?char|s?size_t"
    rb"|bool|bool_t|_Bool|(phys_|[pvm]|dma_)?addr_t|off_t|domid_t|nodeid_t|s_time_t|intpte_t|xen_(pfn|ulong)_t"
    rb"|evtchn_port_t|grant_(ref|handle)_t)"
)
Kind = tuple[bool, int]
"""Whether it is a number of any size, or a pointer to one, and how many stars it has."""
Kinds = dict[bytes, set[Kind]]


def look(case: Case) -> Iterator[Flag]:
    """`other-type`: a variable that an added line uses, as its author wrote it, is of another kind here."""
    for file in case.c_files:
        for at, names in _uses(file):
            sentence = f"{b', '.join(names).decode('latin-1')} has another type in this function."
            yield Flag("other-type", sentence, file.path, (at + 1,))


def _uses(file: FileChange) -> Iterator[tuple[int, list[bytes]]]:
    """The author's own added lines that use such variables, with these."""
    lines = dict(adapted(file))
    suspects = _redeclared(file, frozenset(_VARIABLE.findall(b"".join(lines.values())))) if lines else frozenset()
    authored = _authored(file) if suspects else ()
    known: dict[tuple[int, int], frozenset[bytes]] = {}
    for at, line in lines.items():
        used = suspects.intersection(_VARIABLE.findall(line)) if file.ours.after.lines[at] in authored else frozenset()
        body = file.ours.after.function(at) if used else (at, at)
        if body[0] < body[1] and body not in known:
            known[body] = _retyped(file, at)
        found = used.intersection(known.get(body, ()))
        if found:
            yield at, sorted(found)


def _redeclared(file: FileChange, names: frozenset[bytes]) -> frozenset[bytes]:
    """Those of the names that are declared in lines which differ between the author's file and the target's."""
    if file.theirs is None or file.drift is None:
        return frozenset()
    theirs, ours = file.drift.before.lines, file.drift.after.lines
    gone = b"".join(theirs[at] for at in file.drift.removed)
    new = b"".join(ours[at] for at in file.drift.added)
    both = [name for name in names if ccode.has_word(gone, name) and ccode.has_word(new, name)]
    return frozenset(name for name in both if _declares(gone, name) and _declares(new, name))


def _declares(text: bytes, name: bytes) -> bool:
    """Whether some line of the text that holds the name may declare it."""
    lines = b"".join(_lines_with(name, text))
    return any(found == name for _, _, found in _DECLARED.findall(lines))


def _lines_with(name: bytes, text: bytes) -> Iterator[bytes]:
    at = text.find(name)
    while at >= 0:
        stop = text.find(b"\n", at) + 1 or len(text)
        yield text[text.rfind(b"\n", 0, at) + 1 : stop]
        at = text.find(name, stop)


def _authored(file: FileChange) -> Collection[bytes]:
    """The lines that the author added; what was merged word by word, or translated, is not among them."""
    return frozenset(file.theirs.after.lines[at] for at in file.theirs.added) if file.theirs else ()


def _retyped(file: FileChange, at: int) -> frozenset[bytes]:
    """The names that the target's function around the line and the author's both declare, each otherwise."""
    ours, theirs = (_kinds(code) for code in functions_at(file, at))
    return frozenset(name for name in ours.keys() & theirs.keys() if ours[name].isdisjoint(theirs[name]))


def _kinds(code: bytes) -> Kinds:
    """What the code declares, by name."""
    found: Kinds = defaultdict(set)
    for words, stars, name in _DECLARED.findall(code):
        told = [word for word in words.split() if word not in SILENT]
        if NO_TYPE.isdisjoint(told):
            found[name].add((b"enum" in told or all(map(_NUMBER.fullmatch, told)), len(stars)))
    return found
