"""How a fix's changes meet the target's own."""

from __future__ import annotations

import pytest

from backports.engine.guards.changes import Change, FileChange, Text
from backports.engine.locate import diff_lines
from backports.engine.meeting import INSERT_AHEAD, OVER_CHANGED, REMOVE_BESIDE, ways

BASE = b"one\ntwo\nthree\nfour\nfive\nsix\n"
PATH = "list.txt"


def met(fixed: bytes, target: bytes) -> frozenset[str]:
    theirs = Change(Text(BASE, PATH), Text(fixed, PATH), diff_lines)
    return ways(FileChange(PATH, Change(Text(target, PATH), Text(target, PATH), diff_lines), theirs, ()))


NEW = BASE.replace(b"three\n", b"new\nthree\n")
GONE = BASE.replace(b"three\n", b"")
OTHER = BASE.replace(b"three\n", b"3\n")


@pytest.mark.parametrize(
    ("fixed", "target", "way"),
    [
        (NEW, BASE.replace(b"three\n", b""), INSERT_AHEAD),
        (NEW, BASE.replace(b"three\n", b"3\n"), INSERT_AHEAD),
        (NEW, BASE.replace(b"three\n", b"own\nthree\n"), INSERT_AHEAD),
        (NEW, BASE.replace(b"two\nthree\n", b""), INSERT_AHEAD),
        (NEW, BASE.replace(b"two\n", b""), ""),
        (NEW, BASE.replace(b"two\n", b"2\n"), ""),
        (NEW, BASE.replace(b"four\n", b""), ""),
        (GONE, BASE.replace(b"four\n", b"4\n"), REMOVE_BESIDE),
        (GONE, BASE.replace(b"two\n", b"2\n"), REMOVE_BESIDE),
        (GONE, BASE.replace(b"four\n", b""), ""),
        (GONE, BASE.replace(b"three\n", b"drei\n"), ""),
        (OTHER, BASE.replace(b"three\n", b"drei\n"), OVER_CHANGED),
        (OTHER, BASE.replace(b"four\n", b"4\n"), ""),
        (OTHER, BASE.replace(b"three\nfour\n", b"drei\n4\n"), OVER_CHANGED),
        (OTHER, BASE, ""),
        (BASE, OTHER, ""),
    ],
)
def test_the_ways(fixed: bytes, target: bytes, way: str) -> None:
    assert met(fixed, target) == (frozenset([way]) if way else frozenset())


def test_a_fix_whose_base_nobody_has_meets_nothing() -> None:
    assert ways(FileChange(PATH, Change(Text(OTHER, PATH), Text(NEW, PATH), diff_lines), None, ())) == frozenset()
