"""How the ladder's time grows when a file and its patch get longer: `python -m backports.bench.ladder_growth`.

Each line doubles the file's lines, the patch's hunks, or both, and prints the processor time and by how
much it grew: 2 is linear, 4 would be quadratic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from backports.engine.diff import parse_series
from backports.engine.ladder import apply_series
from backports.engine.series import blob_oid
from backports.git.tree import diff_lines

from .ladder_files import CONTEXT, PATH, Files, Lines

FUNCTION_LINES = 40


def harbour(lines: int, *, alike: bool = False) -> Lines:
    """A file of about so many lines, in functions; `alike` gives all of them the same body."""
    made: Lines = []
    for start in range(0, lines, FUNCTION_LINES):
        made += [f"static void berth_{start}(struct berth *b)\n", "{\n"]
        body = range(FUNCTION_LINES - 4) if alike else range(start, start + FUNCTION_LINES - 4)
        made += [f"    b->step_{number} = moor(b, {number});\n" for number in body]
        made += ["}\n", "\n"]
    return made


def places(lines: Lines, hunks: int) -> list[int]:
    """Where the hunks change a line: evenly spread, never at a function's edge."""
    step = max(1, len(lines) // FUNCTION_LINES // hunks) * FUNCTION_LINES
    return list(range(FUNCTION_LINES // 2, len(lines), step))[:hunks]


def patch(lines: Lines, changed: Sequence[int]) -> bytes:
    """A git patch that changes the lines at these places."""
    after = list(lines)
    for place in changed:
        after[place] = _mended(lines[place])
    oids = blob_oid(_bytes(lines)), blob_oid(_bytes(after))
    out = [f"diff --git a/{PATH} b/{PATH}\nindex {oids[0]}..{oids[1]} 100644\n--- a/{PATH}\n+++ b/{PATH}\n"]
    for place in changed:
        start, stop = place - CONTEXT, place + CONTEXT + 1
        function = lines[place - place % FUNCTION_LINES].rstrip()
        out.append(f"@@ -{start + 1},{stop - start} +{start + 1},{stop - start} @@ {function}\n")
        out += [f" {line}" for line in lines[start:place]] + [f"-{lines[place]}", f"+{_mended(lines[place])}"]
        out += [f" {line}" for line in lines[place + 1 : stop]]
    return "".join(out).encode()


def _mended(line: str) -> str:
    return line.replace("moor(", "moor_safely(")


def _bytes(lines: Lines) -> bytes:
    return "".join(lines).encode()


def moved(lines: Lines, changed: Sequence[int]) -> Lines:  # noqa: ARG001 - one signature for all
    """The target has more lines at its start."""
    return [f"#define BERTH_{number} {number}\n" for number in range(25)] + lines


def drifted(lines: Lines, changed: Sequence[int]) -> Lines:
    """The line after next to every hunk's own is another one."""
    after = list(lines)
    for place in changed:
        after[place + 2] = after[place + 2].replace("b->", "b->old.")
    return after


def gone(lines: Lines, changed: Sequence[int]) -> Lines:  # noqa: ARG001 - one signature for all
    """Nothing of what the patch changes is there."""
    return [line.replace("step_", "was_").replace("moor", "tie") for line in lines]


TARGETS: dict[str, Callable[[Lines, Sequence[int]], Lines]] = {"moved": moved, "drifted": drifted, "gone": gone}


@dataclass(frozen=True, slots=True)
class Size:
    """A file's lines and a patch's hunks."""

    lines: int
    hunks: int


def seconds(size: Size, target: str, *, alike: bool = False, runs: int = 3) -> float:
    """The least processor time of some runs, for a patch of this size on a target of this kind."""
    lines = harbour(size.lines, alike=alike)
    changed = places(lines, size.hunks)
    data, tree = patch(lines, changed), Files({PATH: _bytes(TARGETS[target](lines, changed))}, _bytes(lines))
    return min(_once(data, tree) for _ in range(runs))


def _once(data: bytes, tree: Files) -> float:
    began = time.process_time()
    apply_series(parse_series(data), tree, differ=diff_lines)
    return time.process_time() - began


def doublings(first: Size, times: int, *, lines: bool = True, hunks: bool = True) -> list[Size]:
    """The first size, and what it is after each doubling of lines, hunks or both."""
    return [
        Size(first.lines << n if lines else first.lines, first.hunks << n if hunks else first.hunks)
        for n in range(times + 1)
    ]


def report() -> Iterator[str]:
    """The lines of the printed table."""
    sweeps = {
        "both": doublings(Size(2000, 10), 4),
        "lines": doublings(Size(2000, 10), 4, hunks=False),
        "hunks": doublings(Size(16000, 10), 4, lines=False),
    }
    for what, sizes in sweeps.items():
        for target in TARGETS:
            for alike in (False, True):
                yield f"\ndoubling {what}, target {target}" + (", all functions alike" if alike else "")
                yield from _grown(sizes, target, alike=alike)


def _grown(sizes: Sequence[Size], target: str, *, alike: bool) -> Iterator[str]:
    before = 0.0
    for size in sizes:
        now = seconds(size, target, alike=alike)
        growth = f"  x {now / before:.1f}" if before else ""
        yield f"  {size.lines:7} lines {size.hunks:5} hunks {now * 1000:9.1f} ms{growth}"
        before = now


if __name__ == "__main__":
    for line in report():
        print(line, flush=True)
