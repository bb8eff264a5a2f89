"""Names that the added lines use and the target does not know.

Motivated by XSA-439 de751c3d906 (a header that was not included), XSA-322 a8922c661c2 (a function
that is static in another file), XSA-282 d792e577dcc (a helper that came later), XSA-304 9474622f022
(a structure member that had another name) and XSA-373 51278ce831a (a printf extension).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache

from backports.engine.result import Flag

from . import ccode
from .changes import Case, FileChange
from .symbols import Symbols

SHOWN = 6
_DECLARED = re.compile(
    rb"(?<![\w>.])(?!(?:return|goto|case|else|sizeof|in|ifdef|ifndef|undef)\b)[A-Za-z_]\w*+(?:\s++|\s*+\*++\s*+)"
    rb"(?:const\s++|\*\s*+){0,8}+([A-Za-z_]\w*+)\s*(?=[=;,)\[(:{]|$)",
    re.MULTILINE,
)
_MORE_DECLARED = re.compile(rb",\s*+\**+\s*+([A-Za-z_]\w*+)\s*+(?=[=;,\[])")
_DEFINED = re.compile(rb"#[ \t]*define[ \t]+([A-Za-z_]\w*)")
_ASKED = re.compile(rb"(?:#[ \t]*(?:undef|ifdef|ifndef)[ \t]+|\bdefined\s*+\(?\s*+)(?!CONFIG_)([A-Za-z_]\w*)")
GOTO = re.compile(rb"\bgoto\s+\w+")  # labels have a guard of their own
LABEL = re.compile(rb"(?:^|[;{}])[ \t]*([A-Za-z_]\w*)[ \t]*:(?!:)", re.MULTILINE)
_ENUM = re.compile(rb"^[ \t]*([A-Za-z_]\w*)[ \t]*(?:=[^=;]*)?,[ \t]*$", re.MULTILINE)
_MACRO_MADE = re.compile(rb"^[A-Z_]{4}[A-Z0-9_]*+\(\s*+([A-Za-z_]\w*+)\s*+[,)]", re.MULTILINE)


def look(case: Case) -> Iterator[Flag]:
    """`missing-symbol`: nothing in reach in the target has the name, the author's tree has it."""
    if case.symbols is None:
        return
    defined = brought_by(case)
    for file in case.c_files:
        wanted = _new_tokens(file) - defined
        missing = _absent(wanted, file, case.symbols)
        if missing:
            yield flag_of("missing-symbol", "the tree does not know {names}, which the added lines use", file, missing)


def look_undeclared(case: Case) -> Iterator[Flag]:
    """`undeclared-symbol`: the name is somewhere in the target, but neither in this file nor in a header in reach."""
    if case.symbols is None:
        return
    defined = brought_by(case)
    for file in case.c_files:
        if not file.path.endswith((".c", ".h")):
            continue
        names = {name for name in ccode.names(GOTO.sub(b"", file.ours.added_code)) - defined if not is_generated(name)}
        names = {name for name in names if not file.ours.before.has_word(name)}
        names -= case.symbols.target.declared(names, file.path)
        there = case.symbols.target.present(names, file.path)
        theirs = {name for name in there if file.theirs and file.theirs.before.has_word(name)}
        names = theirs | case.symbols.source.declared(there - theirs, file.path)
        if names:
            yield flag_of("undeclared-symbol", "no header declares {names}, which the added lines use", file, names)


def look_formats(case: Case) -> Iterator[Flag]:
    """`missing-format`: a printf extension that nothing in the target uses, and the author's tree does."""
    if case.symbols is None:
        return
    for file in case.c_files:
        lines = {at: line for at in file.ours.added if b"%" in (line := file.ours.after.lines[at])}
        forms = {b"%" + form for form in ccode.FORMAT.findall(b"".join(lines.values()))}
        missing = forms - case.symbols.target.present(forms, file.path)
        missing &= case.symbols.source.present(missing, file.path)
        if missing:
            flag = flag_of("missing-format", "nothing in the tree prints with {names}", file, missing)
            holding = (
                at for at, line in lines.items() if any(b"%" + form in missing for form in ccode.FORMAT.findall(line))
            )
            yield replace(flag, lines=tuple(at + 1 for at in holding), names=())


def _new_tokens(file: FileChange) -> set[bytes]:
    code = GOTO.sub(b"", file.ours.added_code)
    wanted = {name for name in ccode.names(code) if not is_generated(name)}
    if file.path.endswith((".S", ".s")):
        return {name for name in wanted if b"_" in name or name.isupper()}
    return wanted | ccode.members(code)


def _absent(wanted: Collection[bytes], file: FileChange, symbols: Symbols) -> set[bytes]:
    missing = {name for name in wanted if not _is_here(name, file)}
    missing -= symbols.target.present(missing, file.path)
    missing &= symbols.source.present(missing, file.path)
    return {name for name in missing if not any(part in missing for part in _parts(name))}


def _is_here(name: bytes, file: FileChange) -> bool:
    """Whether the target's own file holds the name, or uses the member."""
    before = file.ours.before
    if name[:1] != b".":
        return before.has_word(name)
    parts = name[1:].split(b".")
    return all(before.has_word(part) for part in parts) and before.has_member(parts)


def _parts(name: bytes) -> Iterator[bytes]:
    """The names that a member or a pair of members is made of."""
    if name[:1] == b".":
        parts = name[1:].split(b".")
        yield from parts
        yield from (b"." + part for part in parts if len(parts) > 1)


def is_generated(name: bytes) -> bool:
    """Whether a name is made while building, or the compiler's own."""
    return name.startswith((b"compat_", b"__")) and not name.startswith((b"__ro", b"__read", b"__init"))


def brought_by(case: Case) -> set[bytes]:
    """What the series itself brings: everything in its headers' new lines, and what its sources declare there."""
    found: set[bytes] = set()
    for file in case.c_files:
        code = file.ours.added_code
        if ccode.is_header(file.path):
            found |= declared_in(code)
            found |= {b"." + name for name in declared_in(code)} | ccode.members(code)
        else:
            found |= declared_in(code)
    return found


@lru_cache(64)
def declared_in(code: bytes) -> frozenset[bytes]:
    """Names that the code declares or defines, as far as their surroundings tell."""
    found = set(_DECLARED.findall(code)) | set(LABEL.findall(code)) | set(_ENUM.findall(code))
    found |= set(_MORE_DECLARED.findall(code)) & (found | _comma_declared(code))
    found |= set(_MACRO_MADE.findall(code))
    return frozenset(found).union(_DEFINED.findall(code), _ASKED.findall(code))


def _comma_declared(code: bytes) -> set[bytes]:
    """Names after the first in `int a, b = 0, *c;`."""
    found: set[bytes] = set()
    for line in code.split(b"\n"):
        if line.rstrip().endswith(b";") and b"(" not in line and _DECLARED.match(line.lstrip()):
            found |= set(_MORE_DECLARED.findall(line))
    return found


def flag_of(code: str, sentence: str, file: FileChange, names: Collection[bytes]) -> Flag:
    """A flag about names, with the added lines that use them; the sentence has `{names}` in it."""
    shown = sorted(name.decode("latin-1").lstrip(".") for name in names)
    words = ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")
    lines = file.ours.where({name.rpartition(b".")[2] for name in names})
    last = [name.rpartition(".")[2] for name in shown]
    return Flag(code, sentence.format(names=words) + ".", file.path, lines, tuple(dict.fromkeys(last)))
