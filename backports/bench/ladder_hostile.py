"""Worst inputs under a megabyte, timed: `python -m backports.bench.ladder_hostile`.

Each line is one patch and one tree that are made to cost as much as they can: the processor time of reading and
applying it, and the most memory that the process held up to then.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from backports.engine.diff import parse_series
from backports.engine.errors import MalformedPatch
from backports.engine.ladder import apply_series
from backports.engine.series import blob_oid
from backports.git.tree import diff_lines

from .ladder_files import CONTEXT, PATH, Files, Lines


@dataclass(frozen=True, slots=True)
class Case:
    """A patch and the tree that it is tried on."""

    patch: bytes
    tree: Files


def edited(lines: Lines, every: int, target: Lines) -> Case:
    """A patch that changes every so many lines, on another target."""
    places = range(CONTEXT, len(lines) - CONTEXT, every)
    after = list(lines)
    for at in places:
        after[at] = lines[at].replace("(", "_safely(", 1)
    old, new = _bytes(lines), _bytes(after)
    hunks = (_hunk(lines, after, at) for at in places)
    return Case(_head(PATH, blob_oid(old), blob_oid(new)) + "".join(hunks).encode(), Files({PATH: _bytes(target)}, old))


def _hunk(lines: Lines, after: Lines, at: int) -> str:
    start, stop = max(0, at - CONTEXT), min(len(lines), at + CONTEXT + 1)
    above, below = (" ".join(["", *part]) for part in (lines[start:at], lines[at + 1 : stop]))
    header = f"@@ -{start + 1},{stop - start} +{start + 1},{stop - start} @@\n"
    return f"{header}{above}-{lines[at]}+{after[at]}{below}"


def _head(path: str, old: str = "1234567", new: str = "89abcde") -> bytes:
    return f"diff --git a/{path} b/{path}\nindex {old}..{new} 100644\n--- a/{path}\n+++ b/{path}\n".encode()


def _bytes(lines: Lines) -> bytes:
    return "".join(lines).encode()


def equal_lines() -> Case:
    """100,000 equal lines, forty hunks."""
    return edited(["f();\n"] * 100_000, 2500, ["g();\n"] + ["f();\n"] * 100_000)


def equal_lines_many_hunks() -> Case:
    """50,000 equal lines, 3,500 hunks."""
    return edited(["f();\n"] * 50_000, 14, ["g();\n"] + ["f();\n"] * 50_000)


def equal_lines_gone() -> Case:
    """The same where nothing of it stands."""
    return edited(["f();\n"] * 50_000, 14, ["f(); \n"] * 50_000)


def giant_function() -> Case:
    """3,000 hunks in one function, of which nothing stands."""
    body = [f"    moor({number});\n" for number in range(30_000)]
    head = ["int harbour(void)\n", "{\n"]
    return edited([*head, *body, "}\n"], 10, [*head, *(line.replace("moor", "tie") for line in body), "}\n"])


def open_functions() -> Case:
    """30,000 headings, and no function that ends."""
    lines = [f"f{number}(void)\n" if number % 2 else "{\n" for number in range(60_000)]
    return edited(lines, 2000, [line if number % 7 else "{ \n" for number, line in enumerate(lines)])


def twenty_thousand_hunks() -> Case:
    """More hunks than a patch may have."""
    hunks = "".join(f"@@ -{at} +{at} @@\n-a\n+b\n" for at in range(1, 20_001))
    return Case(_head(PATH) + hunks.encode(), Files({PATH: b"a\n" * 20_000}))


def one_line() -> Case:
    """A file and a patch of one line of 300 kB."""
    line = "    moor(" + "x" * 300_000 + ");\n"
    return Case(_head(PATH) + f"@@ -1 +1 @@\n-{line}+{line[:-3]}y);\n".encode(), Files({PATH: line.encode()}))


def blank_line() -> Case:
    """A line of 200,000 blanks and a word."""
    line = " " * 200_000 + "a!\n"
    return Case(_head(PATH) + f"@@ -1 +1 @@\n-{line}+b{line}".encode(), Files({PATH: b"x\n" + line.encode()}))


def many_files() -> Case:
    """5,000 files in one patch."""
    paths = [f"port/berth_{number}.c" for number in range(5000)]
    patch = b"".join(_head(path) + b"@@ -1,2 +1,2 @@\n a\n-b\n+cc\n" for path in paths)
    return Case(patch, Files(dict.fromkeys(paths, b"a\nb\n")))


def one_file_often() -> Case:
    """One file 6,000 times in one patch."""
    return Case(
        (_head(PATH) + b"@@ -1,2 +1,2 @@\n a\n-b\n+cc\n") * 6000,
        Files({PATH: b"a\nb\n" * 5000}),
    )


def chain_of_renames() -> Case:
    """A file renamed 5,000 times."""
    part = "diff --git a/x{0} b/x{1}\nsimilarity index 100%\nrename from x{0}\nrename to x{1}\n"
    patch = "".join(part.format(number, number + 1) for number in range(5000))
    return Case(patch.encode(), Files({"x0": b"a\nb\n" * 50_000}))


CASES: tuple[Callable[[], Case], ...] = (
    equal_lines,
    equal_lines_many_hunks,
    equal_lines_gone,
    giant_function,
    open_functions,
    twenty_thousand_hunks,
    one_line,
    blank_line,
    many_files,
    one_file_often,
    chain_of_renames,
)


def outcome(case: Case) -> str:
    """What the ladder says to it."""
    try:
        return apply_series(parse_series(case.patch), case.tree, differ=diff_lines).outcome.value
    except MalformedPatch as error:
        return error.code


def report() -> Iterator[str]:
    """The lines of the printed table."""
    for make in CASES:
        case = make()
        began = time.process_time()
        found = outcome(case)
        took = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        size = (len(case.patch) + case.tree.size) // 1000
        yield f"{make.__name__:24} {size:6} kB {took:7.2f} s {peak:5} MB  {found}"


if __name__ == "__main__":
    for line in report():
        print(line, flush=True)
