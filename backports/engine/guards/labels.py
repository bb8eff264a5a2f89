"""`goto` to a label that the target's function does not have.

Motivated by XSA-191 ed77368cc90, where the older function has no `out`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backports.engine.result import Flag

from .changes import Case

_GOTO = re.compile(rb"\bgoto\s+([A-Za-z_]\w*)\s*;")
_LABEL = re.compile(rb"(?<!\w)([A-Za-z_]\w*)\s*:(?!:)")


def look(case: Case) -> Iterator[Flag]:
    """`missing-label`: an added `goto` whose label its function lacks, in a file that is not the author's own."""
    for file in (file for file in case.c_files if not file.untouched):
        labels: dict[tuple[int, int], frozenset[bytes]] = {}
        for at, line in file.ours.added_lines.items():
            for label in _GOTO.findall(line):
                low, high = file.ours.after.function(at)
                if low < high and (low, high) not in labels:
                    labels[low, high] = _labels(file.ours.after.code(low, high))
                if low < high and label not in labels[low, high]:
                    sentence = f"the function has no label {label.decode('latin-1')} to go to."
                    yield Flag("missing-label", sentence, file.path, (at + 1,))


def _labels(code: Sequence[bytes]) -> frozenset[bytes]:
    """What stands before a colon in these lines, and not behind a question mark."""
    before = (line.partition(b"?")[0] for line in code if b":" in line)
    return frozenset(label for line in before for label in _LABEL.findall(line))
