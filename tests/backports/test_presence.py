"""When a branch is said never to have had a flaw, and when only that its code was not found."""

from __future__ import annotations

from pathlib import Path

import pytest

from backports.engine.diff import parse_series
from backports.engine.ladder import apply_series
from backports.git.store import open_repository
from backports.git.tree import GitTree, diff_lines
from backports.services.presence import Asked, Presence, State, presence_of
from tests.backports.toy import Edits, Toy, guard

WRITE: Edits = {"drivers/console.c": [guard("console_write")]}


def told(toy: Toy, branch: str, edits: Edits, message: str, *, base: str = "master") -> Presence:
    patches = parse_series(toy.patch("master", edits, message))
    repo, tip, made_on = open_repository(toy.path), toy.tip(branch), toy.tip(base) if base else ""
    tree = GitTree(repo, tip, base_treeish=made_on or None)
    result = apply_series(patches, tree, differ=diff_lines)
    return presence_of(Asked(Path(toy.path), branch, tip, patches, result, made_on))


def repairs(commit: str) -> str:
    return f"console: check\n\nFixes: {commit[:12]} (“x”)"


def test_what_came_later_and_is_nowhere_was_never_there(toy: Toy) -> None:
    found = told(toy, "4.2", WRITE, repairs(toy.tip("4.3")))
    assert found.state is State.NEVER
    assert toy.tip("4.3")[:12] in found.sentence
    assert "none of the " in found.sentence
    assert [one.in_branch for one in found.introducers] == [False]


def test_without_a_named_commit_absence_proves_nothing(toy: Toy) -> None:
    found = told(toy, "4.2", WRITE, "console: check")
    assert found.state is State.NOT_FOUND
    assert found.sentence.startswith("Code not found")


def test_a_commit_that_the_branch_has_proves_nothing(toy: Toy) -> None:
    found = told(toy, "4.2", WRITE, repairs(toy.tip("4.2")))
    assert (found.state, found.introducers[0].in_branch) == (State.NOT_FOUND, True)


def test_a_commit_that_the_branch_has_under_its_subject_proves_nothing(toy: Toy) -> None:
    culprit = toy.commit("master", {"drivers/other.c": "int other;\n"}, "drivers: more")
    toy.commit("4.2", {"docs/other.txt": "other\n"}, "drivers: more")
    assert told(toy, "4.2", WRITE, repairs(culprit)).introducers[0].in_branch


def test_a_commit_that_no_mirror_holds_proves_nothing(toy: Toy) -> None:
    assert told(toy, "4.2", WRITE, repairs("ab" * 20)).state is State.NOT_FOUND


def test_a_flawed_fix_of_another_advisory_proves_nothing_since_who_brings_it_needs_this_fix_too(toy: Toy) -> None:
    culprit = toy.commit("master", {"drivers/other.c": "int other;\n"}, "drivers: more\n\nThis is XSA-940.")
    found = told(toy, "4.2", WRITE, repairs(culprit))
    assert (found.state, found.introducers[0].repairs) == (State.NOT_FOUND, (940,))
    assert "the fix of XSA-940, which this branch does not have" in found.sentence


def test_a_line_of_it_anywhere_in_the_tree_takes_the_proof_away(toy: Toy) -> None:
    toy.commit("4.2", {"arch/inlined.c": "    unsigned int console_write_limit = toy->console_write_count;\n"})
    assert told(toy, "4.2", WRITE, repairs(toy.tip("4.3"))).state is State.NOT_FOUND


def test_where_nobody_knows_what_the_fix_was_made_on_nothing_is_proved(toy: Toy) -> None:
    assert told(toy, "4.2", WRITE, repairs(toy.tip("4.3")), base="").state is State.NOT_FOUND


def test_code_that_is_there_is_there(toy: Toy) -> None:
    found = told(toy, "4.3", WRITE, repairs(toy.tip("4.3")))
    assert (found.state, found.introducers[0].in_branch) == (State.THERE, True)


def test_a_fix_that_lands_where_what_it_repairs_never_came_leaves_it_open(toy: Toy) -> None:
    found = told(toy, "4.2", {"common/table.c": [guard("table_pick")]}, repairs(toy.tip("4.3")))
    assert found.state is State.UNKNOWN
    assert found.sentence.startswith("Code like it is in this branch, though ")


def test_a_fix_that_is_there_is_told(toy: Toy) -> None:
    toy.commit("4.3", WRITE, "console: check")
    assert told(toy, "4.3", WRITE, "console: check").state is State.FIXED


@pytest.mark.parametrize("state", list(State))
def test_evidence_holds_plain_values(state: State) -> None:
    assert Presence(state, "A sentence.").as_json() == {
        "state": state.value,
        "sentence": "A sentence.",
        "introducers": [],
    }
