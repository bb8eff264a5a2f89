"""The target differs in white space only where the hunk lands; what it adds is indented as the target is.

Motivated by XSA-492 eb8153a3cc1c, where a branch indents a whole function one level deeper. White space is left
out to find the place only; no line that the hunk leaves alone is touched (a merge that ignores white space would
rewrite them).
"""

from __future__ import annotations

from dataclasses import replace

from backports.engine.result import Rung

from . import offset, three_way
from .context import FileContext, Landing, Refusal, Replace

RUNGS = (offset.place, three_way.place)
DOUBT = "it was found without regard to white space; what it adds is indented as the target's lines are"
TAB = 8
REACH = 12


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
    indents = _indents(context, number, found)
    if len({_width(other) - _width(own) for own, other in indents.items()}) > 1:
        return Refusal(
            "other-indent", "The target indents the lines around it in more than one other way.", found.start
        )
    runs = context.shapes[number].runs
    edits = tuple(
        Replace(edit.start, edit.stop, tuple(_indented(line, indents) for line in runs[edit.run].lines), edit.run)
        for edit in found.edits
    )
    if context.strange(edits):
        return Refusal("missing-name", "It adds names that the target does not have.", found.start)
    return replace(found, edits=edits, placement=replace(found.placement, rung=Rung.WHITESPACE), doubt=DOUBT)


def _indents(context: FileContext, number: int, found: Landing) -> dict[bytes, bytes]:
    """What indents the lines of the target that stand in the hunk with another white space, by the hunk's indent."""
    target = context.index.lines
    near = {_bare(target[at]): target[at] for at in _around(found, len(target))}
    pairs = ((line, near.get(_bare(line))) for line in context.shapes[number].preimage if line.strip())
    return {_indent(line): _indent(other) for line, other in pairs if other is not None}


def _around(found: Landing, length: int) -> range:
    return range(max(0, found.start - REACH), min(length, found.stop + REACH))


def _indented(line: bytes, indents: dict[bytes, bytes]) -> bytes:
    """The line with the target's indent: as a line of the same indent has it there, or moved as far as the others."""
    own = _indent(line)
    if not line.strip() or own in indents or not indents:
        return indents.get(own, own) + line[len(own) :]
    known, other = next(iter(indents.items()))
    wide = max(0, _width(own) + _width(other) - _width(known))
    return _made(wide, tabs=any(b"\t" in other for other in indents.values())) + line[len(own) :]


def _made(wide: int, *, tabs: bool) -> bytes:
    return b"\t" * (wide // TAB) + b" " * (wide % TAB) if tabs else b" " * wide


def _indent(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _width(indent: bytes) -> int:
    return len(indent.expandtabs(TAB))


def _bare(line: bytes) -> bytes:
    return b"".join(line.split())
