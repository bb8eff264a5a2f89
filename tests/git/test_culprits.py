"""Which commits a rejected hunk's place differs by, and the commits that would make the fix apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from backports.engine.diff import Patch, parse_series
from backports.engine.ladder import apply_series
from backports.engine.result import Outcome, SeriesResult
from backports.git.culprits import Culprits, Place, Side, find_culprits
from backports.git.errors import GitError
from backports.git.filelog import file_log, fork_of
from backports.git.patches import format_patch
from backports.git.prerequisites import Task, find_set
from backports.git.store import commit_at, open_repository
from backports.git.tree import GitTree, diff_lines
from backports.git.wording import Piece, word_diff

PATH = "port/berth.c"
FIRST = """\
#include "port.h"

static void berth_of(struct ship *ship)
{
    int quay = ship->quay;

    moor_to_quay(ship, quay);
    count_lines(ship);
}
"""


def changed(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


class Case:
    """A fix at the end of master, and a branch that does not take it."""

    def __init__(self, project, fix: str, target: str) -> None:
        self.path = Path(project.path)
        self.repo = open_repository(self.path)
        self.patches: tuple[Patch, ...] = parse_series(format_patch(self.repo, fix))
        self.base = str(commit_at(self.repo, fix).parents[0].id)
        self.target = target
        self.tree = GitTree(self.repo, target)

    @property
    def result(self) -> SeriesResult:
        return apply_series(self.patches, self.tree, differ=diff_lines)

    @property
    def culprits(self) -> Culprits:
        return find_culprits(self.path, self.result, self.base, self.target)

    @property
    def task(self) -> Task:
        return Task(self.path, self.patches, self.base, self.target, self.tree)


RENAMED = (("moor_to_quay(ship, quay)", "moor_safely(ship, quay, MOOR_LINES)"), ("count_lines(ship)", "tally(ship)"))
CHECKED = ("tally(ship);\n", "tally(ship);\n    if ( !ship->moored )\n        return -EINVAL;\n")


def renamed(project, *, cleanup: int = 0) -> Case:
    """Master renamed what the fix's context names (in so many other files besides); 4.1 was left before."""
    others = {f"port/other_{number}.c": b"int quay_%d;\n" % number for number in range(cleanup)}
    first = project.commit("Add berths", {PATH: FIRST.encode(), **others})
    project.branch("stable-4.1", first)
    target = project.commit("Start 4.1", {"version": b"4.1\n"}, branch="stable-4.1")
    before = changed(FIRST, *RENAMED)
    moved = {path: data.replace(b"quay", b"pier") for path, data in others.items()}
    project.commit("Moor more safely", {PATH: before.encode(), **moved})
    project.commit("Say more elsewhere", {"docs/notes": b"more\n"})
    return Case(project, project.commit("Check the mooring", {PATH: changed(before, CHECKED).encode()}), target)


def test_the_commit_that_brought_the_lines_that_the_target_lacks_is_told_word_by_word(project) -> None:
    case = renamed(project)
    assert case.result.outcome is Outcome.CONFLICT
    ((place, (culprit,)),) = case.culprits.hunks.items()
    assert place == Place(0, 0, 0)
    assert (culprit.subject, culprit.side, culprit.files, culprit.changed) == ("Moor more safely", Side.SOURCE, 1, 4)
    assert culprit.lines == (b"moor_safely(ship, quay, MOOR_LINES);", b"tally(ship);")
    assert culprit.strange == (b"moor_to_quay(ship, quay);", b"count_lines(ship);")
    assert Piece("-", b"moor_to_quay") in culprit.wordings[0]
    assert Piece("+", b", MOOR_LINES") in culprit.wordings[0]
    assert not culprit.tree_wide
    assert case.culprits.complete


def test_a_clean_up_of_the_whole_tree_is_known_by_its_size(project) -> None:
    ((culprit,),) = renamed(project, cleanup=12).culprits.hunks.values()
    assert culprit.files == 13
    assert culprit.tree_wide


def test_what_the_branch_did_by_itself_is_told_as_its_own(project) -> None:
    first = project.commit("Add berths", {PATH: FIRST.encode()})
    project.branch("stable-4.1", first)
    own = changed(FIRST, ("moor_to_quay(ship, quay)", "moor_by_hand(ship)"), ("count_lines(ship)", "skip_lines()"))
    target = project.commit("Moor by hand on 4.1", {PATH: own.encode()}, branch="stable-4.1")
    fix = changed(FIRST, ("    count_lines(ship);\n", "    check_lines(ship);\n"))
    case = Case(project, project.commit("Check lines", {PATH: fix.encode()}), target)
    ((culprit,),) = case.culprits.hunks.values()
    assert (culprit.side, culprit.subject) == (Side.TARGET, "Moor by hand on 4.1")
    assert case.culprits.candidates() == []
    assert find_set(case.task, case.culprits) is None


def test_a_commit_that_the_branch_has_under_the_same_subject_is_no_candidate(project) -> None:
    case = renamed(project)
    other = project.commit(
        "Moor more safely", {PATH: FIRST.replace("quay;", "quay + 0;").encode()}, branch="stable-4.1"
    )
    case = Case(project, str(project.repo.references["refs/heads/master"].target), other)
    assert any(one.is_there for some in case.culprits.hunks.values() for one in some)
    assert case.culprits.candidates() == []


def test_lines_that_only_the_target_still_has_lead_to_the_commit_that_took_them_away(project) -> None:
    crowded = changed(
        FIRST, ("    count_lines(ship);\n", "    greet_pilot();\n    wake_harbour();\n    count_lines(ship);\n")
    )
    first = project.commit("Add berths", {PATH: crowded.encode()})
    project.branch("stable-4.1", first)
    target = project.commit("Start 4.1", {"version": b"4.1\n"}, branch="stable-4.1")
    project.commit("Let pilots sleep", {PATH: FIRST.encode()})
    fix = changed(FIRST, ("    moor_to_quay(ship, quay);\n    count_lines(ship);\n", "    moor_both(ship, quay);\n"))
    case = Case(project, project.commit("Moor and count at once", {PATH: fix.encode()}), target)
    ((culprit,),) = case.culprits.hunks.values()
    assert (culprit.side, culprit.subject) == (Side.SOURCE, "Let pilots sleep")
    assert (culprit.lines, culprit.strange) == ((), (b"greet_pilot();", b"wake_harbour();"))


def test_time_that_is_up_gives_no_culprits_and_says_so(project) -> None:
    case = renamed(project)
    found = find_culprits(case.path, case.result, case.base, case.target, seconds=0.0)
    assert (found.hunks, found.complete) == ({}, False)


def test_a_result_without_rejects_has_no_culprits(project) -> None:
    case = renamed(project)
    there = apply_series(case.patches, GitTree(case.repo, case.base), differ=diff_lines)
    assert find_culprits(case.path, there, case.base, case.target) == Culprits()


def test_the_one_commit_that_makes_the_fix_apply_is_found_with_its_cost(project) -> None:
    case = renamed(project)
    found = find_set(case.task, case.culprits)
    assert found is not None
    (commit,) = found.commits
    assert (commit.subject, commit.files, commit.changed, commit.tree_wide) == ("Moor more safely", 1, 4, False)
    assert found.result.outcome is Outcome.APPLIED
    last = found.patches[-1].changes[PATH].data
    assert last == case.repo[project.repo.references["refs/heads/master"].target].tree[PATH].data
    assert len(found.patches) == 2


def test_of_three_culprits_only_the_two_that_are_needed_are_proposed(project) -> None:
    first = project.commit("Add berths", {PATH: FIRST.encode()})
    project.branch("stable-4.1", first)
    target = project.commit("Start 4.1", {"version": b"4.1\n"}, branch="stable-4.1")
    one = changed(FIRST, RENAMED[0])
    project.commit("Moor more safely", {PATH: one.encode()})
    two = changed(one, ("int quay = ship->quay;", "unsigned int quay = ship->quay;"))
    project.commit("Count quays without a sign", {PATH: two.encode()})
    three = changed(two, RENAMED[1])
    project.commit("Tally lines", {PATH: three.encode()})
    fix = changed(
        three, ("    moor_safely(ship, quay, MOOR_LINES);\n    tally(ship);\n", "    moor_and_tally(ship);\n")
    )
    case = Case(project, project.commit("Moor at once", {PATH: fix.encode()}), target)
    found = find_set(case.task, case.culprits)
    assert found is not None
    assert [commit.subject for commit in found.commits] == ["Moor more safely", "Tally lines"]


def test_a_commit_that_does_not_land_whole_is_no_prerequisite(project) -> None:
    case = renamed(project)
    own = project.commit(
        "Count at the quay on 4.1",
        {PATH: changed(FIRST, ("moor_to_quay(ship, quay)", "moor_by_hand(ship)")).encode()},
        branch="stable-4.1",
    )
    case = Case(project, str(project.repo.references["refs/heads/master"].target), own)
    assert case.culprits.candidates()
    assert find_set(case.task, case.culprits) is None


def test_a_commit_that_builds_on_another_brings_it_along(project) -> None:
    """The fix names only the later commit's lines; that one lands only on the earlier one."""
    first = project.commit("Add berths", {PATH: FIRST.encode(), "port/tide.c": b""})
    project.branch("stable-4.1", first)
    target = project.commit("Start 4.1", {"version": b"4.1\n"}, branch="stable-4.1")
    tide = "int tide_height(void)\n{\n    return sound_the_depth();\n}\n"
    project.commit("Add tides", {"port/tide.c": tide.encode()})
    later = changed(FIRST, *RENAMED)
    project.commit(
        "Moor by the tide",
        {PATH: later.encode(), "port/tide.c": changed(tide, ("sound_the_depth()", "sound_twice()")).encode()},
    )
    case = Case(project, project.commit("Check the mooring", {PATH: changed(later, CHECKED).encode()}), target)
    found = find_set(case.task, case.culprits)
    assert found is not None
    assert [commit.subject for commit in found.commits] == ["Add tides", "Moor by the tide"]


def test_a_set_found_in_no_time_is_none(project) -> None:
    case = renamed(project)
    assert find_set(case.task, case.culprits, seconds=0.0) is None


def test_the_log_of_a_file_is_newest_first_and_follows_both_of_its_names(project) -> None:
    first = project.commit("Add berths", {PATH: FIRST.encode()})
    moved = project.commit("Move berths", {PATH: None, "quay/berth.c": FIRST.encode()})
    last = project.commit("Tally", {"quay/berth.c": changed(FIRST, RENAMED[1]).encode()})
    log = file_log(project.path, first, last, [PATH, "quay/berth.c"])
    assert [(commit.oid, len(commit.blocks)) for commit in log] == [(last, 1), (moved, 0)]
    (block,) = log[0].blocks
    assert (block.removed, block.added) == ((b"    count_lines(ship);",), (b"    tally(ship);",))
    assert file_log(project.path, last, last, [PATH]) == ()
    assert file_log(project.path, first, last, []) == ()


def test_commits_without_a_common_ancestor_have_no_fork(project) -> None:
    one = project.commit("One", {"a": b"a\n"})
    other = project.commit("Other", {"b": b"b\n"}, branch="elsewhere")
    assert fork_of(project.path, one, other) is None
    with pytest.raises(GitError) as told:
        fork_of(project.path, "--all", one)
    assert told.value.code == "bad-name"


def test_paths_are_taken_literally(project) -> None:
    first = project.commit("Add", {"a*.c": b"one\n", "ab.c": b"two\n"})
    last = project.commit("Change both", {"a*.c": b"three\n", "ab.c": b"four\n"})
    (commit,) = file_log(project.path, first, last, ["a*.c"])
    assert [block.added for block in commit.blocks] == [(b"three",)]


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        (b"a = b;", b"a = c;", [(" ", b"a = "), ("-", b"b"), ("+", b"c"), (" ", b";")]),
        (b"", b"new", [("+", b"new")]),
        (b"", b"", []),
        (b"x " * 300, b"y " * 300, [("-", b"x " * 300), ("+", b"y " * 300)]),
    ],
)
def test_words_are_compared_and_very_long_texts_are_told_whole(
    old: bytes, new: bytes, pieces: list[tuple[str, bytes]]
) -> None:
    assert [(piece.tag, piece.text) for piece in word_diff(old, new)] == pieces
