"""What added lines need around them: a blank line above a paragraph, declarations beside declarations, arguments under
their bracket.

Motivated by XSA-293 c567b053e807 and XSA-201 f8c6a9334b25 (blank lines), XSA-380 2f6ebcec023b and XSA-166 880c29f5838f
(declarations) and XSA-290 4835974065cc (a broken line in code that the branch indents more deeply).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from backports.engine.merge import BaseMap, Run

from .context import Replace

REACH = 4  # lines above a place among which the last that is not blank is looked for
DECLARATION = re.compile(
    rb"\s+(?!(?:return|goto|else|case|delete|typedef)\b)(?:\w+\s+)*\w+(?:\s+\**|\s*\*+\s*)\w+(?:\[[^]]*\])*"
    rb"(?:\s*=.*|\s*,.*)?;\s*$"
)


def parted(run: Run, base_map: BaseMap, at: int) -> Replace:
    """The insertion at target line `at`, with the blank line above it that the author had there."""
    base, target, lines = base_map.base, base_map.target, run.lines
    above = target[at - 1].strip() if at else b""
    if not run.start or not above or above.endswith(b"{"):
        return Replace(at, at, lines)
    if _is_first_statement(run, base_map, at):
        return Replace(at, at, (target[at], *lines))
    if not _is_paragraph(run, base):
        return Replace(at, at, lines)
    if at < len(target) and not target[at].strip():
        return Replace(at + 1, at + 1, lines)
    return Replace(at, at, (lines[-1], *lines))


def _is_first_statement(run: Run, base_map: BaseMap, at: int) -> bool:
    """Whether what the author added below a statement would stand right below the last declaration here."""
    target, lines = base_map.target, run.lines
    is_last = DECLARATION.match(target[at - 1]) and at < len(target) and not target[at].strip()
    told = base_map.base[run.start - 1].strip() and lines[0].strip() and lines[-1].strip()
    return bool(is_last and told) and not any(map(DECLARATION.match, (base_map.base[run.start - 1], lines[0])))


def _is_paragraph(run: Run, base: Sequence[bytes]) -> bool:
    """Whether the run's lines begin right below a blank line and end with one of their own."""
    return not base[run.start - 1].strip() and bool(run.lines[0].strip()) and not run.lines[-1].strip()


def by_declarations(run: Run, base_map: BaseMap, order: int) -> list[Replace] | None:
    """Declarations at the start of a block where the target has a paragraph of its own ones: below those."""
    edit = next((base_map.edits[number] for number in base_map.touching(run.start, run.stop)), None)
    if edit is None or not edit.old_start == edit.old_stop == run.start == run.stop:
        return None
    at = edit.new_stop - 1
    opens = run.start > 0 and base_map.base[run.start - 1].strip() == b"{"
    own = base_map.target[edit.new_start : edit.new_stop]
    if not opens or not _are_declarations(own) or not _are_declarations(run.lines) or set(own[:-1]) & set(run.lines):
        return None
    return [Replace(at, at, run.lines[:-1], order)]


def _are_declarations(lines: Sequence[bytes]) -> bool:
    """Whether the lines are declarations, with a blank line after them."""
    return len(lines) > 1 and all(map(DECLARATION.match, lines[:-1])) and not lines[-1].strip()


def is_late(run: Run, base_map: BaseMap, at: int) -> bool:
    """Whether a declaration that the author put among others would stand below a statement at target line `at`."""
    first = next((line for line in run.lines if line.strip()), b"")
    if not DECLARATION.match(first):
        return False
    above, before = _last_told(base_map.target, at), _last_told(base_map.base, run.start)
    among = DECLARATION.match(before) is not None or before.strip() == b"{"
    is_statement = above[:1].isspace() and above.rstrip().endswith(b";") and not DECLARATION.match(above)
    return among and is_statement


def _last_told(lines: Sequence[bytes], at: int) -> bytes:
    return next((line for line in reversed(lines[max(0, at - REACH) : at]) if line.strip()), b"")


def lined_up(lines: Sequence[bytes], theirs: Sequence[bytes], ours: Sequence[bytes]) -> list[bytes]:
    """The lines, and those of them that the author began under an open bracket begun under it here, too.

    `lines` is what a merge made of the target's `ours`, which keep their indent, and the author's `theirs`.
    """
    known = set(ours)
    under = {line.strip() for above, line in pairwise(theirs) if _indent(line) == _bracket(above)}
    out = list(lines[:1])
    for line in lines[1:]:
        column = 0 if line in known or line.strip() not in under or b"\t" in out[-1] else _bracket(out[-1])
        out.append(b" " * column + line.lstrip() if column else line)
    return out


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" "))


def _bracket(line: bytes) -> int:
    """The column right of the last bracket that the line leaves open, 0 when it leaves none."""
    opened: list[int] = []
    for at, byte in enumerate(line):
        if byte in b"([":
            opened.append(at + 1)
        elif byte in b")]" and opened:
            opened.pop()
    return opened[-1] if opened else 0
