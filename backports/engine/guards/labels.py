"""`goto` to a label that the target's function does not have.

Motivated by XSA-191 ed77368cc90, where the older function has no `out`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backports.engine.result import Flag

from .changes import Case, FileChange

_GOTO = re.compile(rb"\bgoto\s+([A-Za-z_]\w*)\s*;")


def look(case: Case) -> Iterator[Flag]:
    """`missing-label`: an added `goto` whose label is not in the function around it."""
    for file in case.c_files:
        for at, line in file.ours.added_lines.items():
            for label in _GOTO.findall(line):
                if not _has_label(file, at, label):
                    sentence = f"the function has no label {label.decode('latin-1')} to go to."
                    yield Flag("missing-label", sentence, file.path, (at + 1,))


def _has_label(file: FileChange, at: int, label: bytes) -> bool:
    text = file.ours.after
    low, high = text.function(at)
    if low == high:
        return True
    found = re.compile(rb"^[^?]*?(?<![\w?])" + label + rb"\s*:(?!:)")
    return any(found.search(line) for line in text.code(low, high) if label in line)
