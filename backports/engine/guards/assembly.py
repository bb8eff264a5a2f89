"""Assembler macros that take fewer arguments in the target than the added lines give them.

Motivated by XSA-254 3877c024ea4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backports.engine.result import Flag

from . import ccode
from .changes import Case
from .symbols import Symbols

_USE = re.compile(rb"^\s*(?:\w+:\s*)?([A-Za-z_]\w*)[ \t]++(?![=:])(\S[^\n]*)$")


def look(case: Case) -> Iterator[Flag]:
    """`asm-arguments`: the target's macro of that name has fewer parameters, the author's has enough."""
    for file in case.c_files:
        if case.symbols is None or not file.path.endswith((".S", ".s")):
            continue
        for at, line in file.ours.added_lines.items():
            use = _USE.match(line)
            if use and _takes_fewer(use.group(1), ccode.asm_arguments(use.group(2)), file.path, case.symbols):
                shown = use.group(1).decode("latin-1")
                yield Flag("asm-arguments", f"the macro {shown} takes fewer arguments here.", file.path, (at + 1,))


def _takes_fewer(name: bytes, given: int, path: str, symbols: Symbols) -> bool:
    fewer = [b"@%s/%d" % (name, count) for count in range(given)]
    enough = [b"@%s/%d" % (name, count) for count in range(given, ccode.MAX_ARGUMENTS + 1)]
    if not symbols.target.present(fewer, path) or symbols.target.present(enough, path):
        return False
    return bool(symbols.source.present(enough, path))
