"""Where functions of a C file begin and end, told by layout alone: Xen's style keeps braces at the margin."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .locate import STARTS_HEADING, function_name

MAX_HEADING = 16


@dataclass(frozen=True, slots=True)
class Function:
    """A function's lines `[start, stop)`, 0-based, from its heading to its closing brace."""

    name: bytes
    start: int
    stop: int


def functions_of(lines: Sequence[bytes]) -> list[Function]:
    """Every function of the file, in order."""
    found: list[Function] = []
    firsts = [line[:1] for line in lines]
    ends = [at for at, first in enumerate(firsts) if first == b"}"]
    free = 0
    for at in [at for at, first in enumerate(firsts) if first in STARTS_HEADING]:
        function = _function_at(lines, at, ends) if at >= free else None
        if function is not None:
            found.append(function)
            free = function.stop
    return found


def _function_at(lines: Sequence[bytes], at: int, ends: Sequence[int]) -> Function | None:
    opening = next(_openings(lines, at), None)
    if opening is None or not ends or ends[-1] < opening:
        return None
    name = function_name(b" ".join(line.strip() for line in lines[at:opening]))
    return Function(name, at, ends[bisect_left(ends, opening)] + 1) if name else None


def _openings(lines: Sequence[bytes], at: int) -> Iterator[int]:
    for number in range(at, min(at + MAX_HEADING, len(lines))):
        line = lines[number].rstrip()
        if line == b"{":
            yield number
        if line.endswith((b";", b"}", b"=", b"= {")) or (number > at and not line):
            return
