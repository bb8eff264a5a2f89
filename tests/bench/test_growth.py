"""Four times the work takes nowhere near sixteen times as long."""

from __future__ import annotations

import pytest

from backports.bench.ladder_growth import TARGETS, Size, seconds

MOST = 9.0
FIRST, LAST = Size(1500, 8), Size(6000, 32)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_lines_and_hunks_together(target: str) -> None:
    assert seconds(LAST, target) / seconds(FIRST, target) < MOST


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_functions_that_are_all_alike(target: str) -> None:
    assert seconds(LAST, target, alike=True) / seconds(FIRST, target, alike=True) < MOST
