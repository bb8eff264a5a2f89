"""The target differs in white space only where the hunk lands; what it adds is indented as the target is.

Motivated by XSA-492 eb8153a3cc1c, where a branch indents a whole function one level deeper. White space is left
out to find the place only; no line that the hunk leaves alone is touched (a merge that ignores white space would
rewrite them).
"""

from __future__ import annotations

from dataclasses import replace

from backports.engine.result import Rung

from . import offset, three_way
from .context import FileContext, Landing, Refusal

RUNGS = (offset.place, three_way.place)
DOUBT = "it was found without regard to white space; what it adds is indented as the target's lines are"
TAB = 8
REACH = 12  # lines around a landing in which its lines are looked for
BESIDE = 2  # lines beside a run whose indent tells that of its own


def place(context: FileContext, number: int) -> Landing | Refusal | None:
    """Lands where the hunk lands once all white space is left out of hunk, base and target."""
    blind = context.blind()
    if blind is None:
        return None
    for rung in RUNGS:
        answer = rung(blind, number)
        if isinstance(answer, Landing):
            return _landing(context, number, answer)
    return None


def _landing(context: FileContext, number: int, found: Landing) -> Landing | Refusal:
    edits = []
    for edit in found.edits:
        indents = _indents(context, number, found, edit.run)
        lines = None if indents is None else _all_indented(context.shapes[number].runs[edit.run].lines, indents)
        if lines is None:
            return Refusal("other-indent", "The target indents the lines around it in more than one way.", edit.start)
        edits.append(replace(edit, lines=lines))
    if context.strange(edits):
        return Refusal("missing-name", "It adds names that the target does not have.", found.start)
    placement = replace(found.placement, rung=Rung.WHITESPACE)
    return replace(found, edits=tuple(edits), placement=placement, doubt=DOUBT)


def _indents(context: FileContext, number: int, found: Landing, order: int) -> dict[bytes, bytes] | None:
    """What the target has for the indents of the lines in and right beside a run; None when it has two for one."""
    target, shape = context.index.lines, context.shapes[number]
    near = {_bare(target[at]): target[at] for at in _around(found, len(target))}
    run, known = shape.runs[order], dict[bytes, bytes]()
    for line in shape.preimage[max(0, run.start - BESIDE) : run.stop + BESIDE]:
        other = near.get(_bare(line)) if line.strip() else None
        if other is not None and known.setdefault(_indent(line), _indent(other)) != _indent(other):
            return None
    return known


def _around(found: Landing, length: int) -> range:
    return range(max(0, found.start - REACH), min(length, found.stop + REACH))


def _all_indented(lines: tuple[bytes, ...], indents: dict[bytes, bytes]) -> tuple[bytes, ...] | None:
    """The lines with the target's indents; None when those it has tell nothing of one of them.

    All move equally far; only where the target has tabs for spaces, or the reverse, each indent has its own.
    """
    moved = {_width(other) - _width(own) for own, other in indents.items()}
    retabbed = any((b"\t" in own) != (b"\t" in other) for own, other in indents.items() if own and other)
    own = {_indent(line) for line in lines if line.strip()}
    if len(moved) > 1 and not (retabbed and own <= set(indents)):
        return None
    by = moved.pop() if len(moved) == 1 else 0
    tabs = any(b"\t" in other for other in indents.values())
    return tuple(_indented(line, indents, by, tabs=tabs) for line in lines)


def _indented(line: bytes, indents: dict[bytes, bytes], by: int, *, tabs: bool) -> bytes:
    own = _indent(line)
    if not line.strip() or own in indents or not by:
        return indents.get(own, own) + line[len(own) :] if line.strip() else line
    return _made(max(0, _width(own) + by), tabs=tabs) + line[len(own) :]


def _made(wide: int, *, tabs: bool) -> bytes:
    return b"\t" * (wide // TAB) + b" " * (wide % TAB) if tabs else b" " * wide


def _indent(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _width(indent: bytes) -> int:
    return len(indent.expandtabs(TAB))


def _bare(line: bytes) -> bytes:
    return b"".join(line.split())
