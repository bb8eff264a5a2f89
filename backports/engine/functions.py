"""Where functions of a C file begin and end, told by layout alone: Xen's style keeps braces at the margin."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .diff import Hunk
from .locate import STARTS_HEADING, function_name, is_heading

MAX_HEADING = 16
LONGEST = 2000


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


def functions_named(lines: Sequence[bytes], name: bytes) -> list[Function]:
    """The functions of this name, in order; far faster than finding all of a file's."""
    headings = [at for at, line in enumerate(lines) if name in line and is_heading(line)]
    ends = [at for at, line in enumerate(lines) if line.startswith(b"}")] if headings else []
    found = (_function_at(lines, _first_line(lines, at), ends) for at in headings)
    return [function for function in found if function is not None and function.name == name]


def _first_line(lines: Sequence[bytes], at: int) -> int:
    """Where a heading starts whose type may stand on a line of its own."""
    above = lines[at - 1] if at else b""
    return at - 1 if is_heading(above) and not above.rstrip().endswith((b";", b":", b")", b"}")) else at


def enclosing(lines: Sequence[bytes], start: int, stop: int) -> Function | None:
    """The function that holds lines `[start, stop)` whole, found from these lines outwards, LONGEST lines each way."""
    first, last = max(0, start - LONGEST), min(len(lines), stop + LONGEST)
    low = next((at + 1 for at in range(start - 1, first - 1, -1) if lines[at].startswith(b"}")), first)
    high = next((at + 1 for at in range(max(start, stop - 1), last) if lines[at].startswith(b"}")), low)
    found = holder(functions_of(lines[low:high]), start - low, stop - low)
    return None if found is None else Function(found.name, found.start + low, found.stop + low)


def holder(functions: Sequence[Function], start: int, stop: int) -> Function | None:
    """The function, of a file's in order, that holds lines `[start, stop)` whole."""
    at = bisect_right(functions, start, key=lambda function: function.start) - 1
    return functions[at] if at >= 0 and stop <= functions[at].stop else None


def changed_span(hunk: Hunk) -> tuple[int, int]:
    """The 0-based lines `[start, stop)` of the base that are changed; an insertion counts with both neighbours."""
    first = at = hunk.old_start - bool(hunk.old_count)
    touched = []
    for line in hunk.lines:
        if line.tag != " ":
            touched += [at - (line.tag == "+"), at + 1]
        at += line.tag != "+"
    return (min(touched), max(touched)) if touched else (first, at)


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
