"""The worst inputs are what they are said to be, and get the answers that they should."""

from __future__ import annotations

import pytest

from backports.bench import ladder_hostile

ANSWERS = {
    "twenty_thousand_hunks": "too-large",
    "one_line": "applied",
    "blank_line": "applied",
    "chain_of_renames": "applied",
    "many_files": "applied",
    "equal_lines_many_hunks": "applied",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_input_gets_its_answer(name: str) -> None:
    case = getattr(ladder_hostile, name)()
    assert len(case.patch) + case.tree.size < 1_100_000
    assert ladder_hostile.outcome(case) == ANSWERS[name]
