"""Our own result on 4.n+1 as a source for 4.n, step by step down."""

from __future__ import annotations

import shutil

import pytest

from backports.engine.confidence_model import THRESHOLD
from backports.engine.result import Confidence, Outcome, SeriesResult
from backports.git.results import open_results
from backports.models import Attempt
from backports.services import repositories
from backports.services.names import is_filled
from backports.services.places import symbols_path
from backports.services.planning import plan, replan_steps
from backports.services.trying import Tried, inherited
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, git, guard

TRACE = "toy_trace(toy, TRACE_TABLE_PICK, table_pick_index);"
LOG = 'toy_log(toy, "pick", table_pick_index);'
FIX: Edits = {"common/table.c": [(TRACE, "toy_trace_safely(toy, TRACE_TABLE_PICK, table_pick_index);")]}
ADAPTED: Edits = {"common/table.c": [(LOG, 'toy_log_safely(toy, "pick", table_pick_index);')]}


@pytest.fixture
def old_branches(workshop: Workshop) -> Workshop:
    """A fix on master of a line that 4.2 and 4.1 have otherwise, tried everywhere."""
    for branch in ("4.1", "4.2"):
        workshop.toy.commit(branch, {"common/table.c": [(TRACE, LOG)]}, "table: log")
    workshop.mine()
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", FIX, "table: trace safely")})
    workshop.work()
    return workshop


def accept(workshop: Workshop, branch: str, edits: Edits = ADAPTED, probability: float | None = 0.999) -> Attempt:
    """A `high` result on a branch, as if the ladder had made it there."""
    row = workshop.cell(950, branch)
    oid = workshop.toy.commit("refs/unseen/result", edits, "table: trace safely", on=branch)
    repo = workshop.results(950)
    open_results(repo, workshop.mirror)
    git(repo, "fetch", "-q", str(workshop.toy.path), f"{oid}:refs/attempts/{row.pk}")
    values = {"outcome": "applied", "confidence": "high", "probability": probability, "result": oid}
    Attempt.objects.filter(pk=row.pk).update(**values)
    return workshop.cell(950, branch)


def test_a_result_that_is_accepted_has_the_cell_below_tried_again_with_it(old_branches: Workshop) -> None:
    assert old_branches.outcomes(950)["4.1"] == "conflict"
    newer = accept(old_branches, "4.2")
    assert replan_steps(newer) == 1
    assert old_branches.waiting_cells() == {(950, "4.1")}
    assert old_branches.cell(950, "4.1").because == "newer branch"
    old_branches.work()
    row = old_branches.cell(950, "4.1")
    assert (row.outcome, row.source_attempt_id, row.above) == ("applied", newer.pk, newer.result)
    assert row.source is not None
    assert row.source.branch == "master"
    after = git(old_branches.results(950), "show", f"{row.result}:common/table.c").decode()
    assert "toy_log_safely" in after


def test_the_sources_that_were_tried_name_our_result(old_branches: Workshop) -> None:
    replan_steps(accept(old_branches, "4.2"))
    old_branches.work()
    row = old_branches.cell(950, "4.1")
    tried = [(one["branch"], one["origin"], one["chosen"]) for one in row.evidence["sources"]]
    assert tried == [("master", "resolution", False), ("4.2", "result", True)]
    message = git(old_branches.results(950), "show", "-s", "--format=%B", row.result).decode()
    assert "(backported from our result for 4.2)" in message


def test_a_cell_that_was_tried_with_what_is_above_it_is_left_alone(old_branches: Workshop) -> None:
    newer = accept(old_branches, "4.2")
    replan_steps(newer)
    old_branches.work()
    assert replan_steps(newer) == 0
    assert plan(old_branches.repository, because="again").to_try == 0
    assert old_branches.waiting_cells() == set()


def test_a_plan_sees_a_new_result_above_too(old_branches: Workshop) -> None:
    accept(old_branches, "4.2")
    assert plan(old_branches.repository, because="again").to_try == 1
    assert old_branches.waiting_cells() == {(950, "4.1")}


def test_an_accepted_result_that_is_gone_has_the_cell_below_tried_without_it(old_branches: Workshop) -> None:
    newer = accept(old_branches, "4.2")
    replan_steps(newer)
    old_branches.work()
    Attempt.objects.filter(pk=newer.pk).update(confidence="review")
    assert replan_steps(newer) == 1
    old_branches.work()
    row = old_branches.cell(950, "4.1")
    assert (row.outcome, row.above, row.source_attempt) == ("conflict", "", None)


def test_what_is_beyond_doubt_by_itself_is_not_tried_again_for_a_result_above(workshop: Workshop) -> None:
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", FIX, "table: trace safely")})
    workshop.work()
    assert {workshop.cell(950, name).confidence for name in ("4.1", "4.2", "4.3")} == {"high"}
    assert replan_steps(workshop.cell(950, "4.2")) == 0
    assert plan(workshop.repository, because="again").to_try == 0


def test_a_result_that_asks_for_review_is_no_source(old_branches: Workshop) -> None:
    newer = accept(old_branches, "4.2")
    Attempt.objects.filter(pk=newer.pk).update(confidence="review")
    assert replan_steps(newer) == 0


def test_upstreams_own_fix_for_the_branch_goes_before_our_result(workshop: Workshop) -> None:
    toy = workshop.toy
    toy.commit("4.1", {"common/table.c": [(TRACE, LOG)]}, "table: log")
    workshop.mine()
    files = {"xsa950.patch": toy.patch("master", FIX, "x"), "xsa950-4.1.patch": toy.patch("4.2", FIX, "y")}
    workshop.take(950, files, lines="xsa950.patch    xen-unstable\nxsa950-4.1.patch    Xen 4.1.x")
    workshop.work()
    assert workshop.outcomes(950)["4.1"] == "conflict"
    assert workshop.cell(950, "4.2").confidence == "high"
    assert replan_steps(workshop.cell(950, "4.2")) == 0
    assert workshop.cell(950, "4.1").above == ""


def test_a_result_that_lands_while_the_cell_below_is_tried_is_not_missed(old_branches: Workshop) -> None:
    Attempt.objects.filter(branch__name="4.1", current=True).update(state="waiting", outcome="")
    old_branches.run(950, "4.1", before_finish=lambda: accept(old_branches, "4.2"))
    assert old_branches.waiting_cells() == {(950, "4.1")}
    old_branches.work()
    assert old_branches.cell(950, "4.1").source_attempt is not None


def test_while_the_branch_above_is_tried_again_the_cell_below_waits_for_its_end(old_branches: Workshop) -> None:
    newer = accept(old_branches, "4.2")
    replan_steps(newer)
    old_branches.work()
    Attempt.objects.filter(pk=newer.pk).update(state="waiting", outcome="", confidence="")
    assert plan(old_branches.repository, because="branch moved").to_try == 0


@pytest.mark.parametrize(
    ("own", "share", "confidence"),
    [(0.999, 0.999, "high"), (THRESHOLD, 0.97, "review"), (0.97, THRESHOLD, "review"), (0.999, 0.5, "review")],
)
def test_a_result_of_a_result_is_as_sure_as_both_together(own: float, share: float, confidence: str) -> None:
    result = SeriesResult(Outcome.APPLIED, (), confidence=Confidence.HIGH, probability=own)
    found = inherited(Tried("x", Outcome.APPLIED, result), share).result
    assert found is not None
    assert found.probability == pytest.approx(own * share)
    assert found.confidence == confidence


def test_a_review_does_not_become_high_by_a_sure_source() -> None:
    result = SeriesResult(Outcome.APPLIED, (), confidence=Confidence.REVIEW, probability=0.6)
    found = inherited(Tried("x", Outcome.APPLIED, result), 1.0).result
    assert found is not None
    assert found.confidence is Confidence.REVIEW


# -- the index of names ------------------------------------------------------------------------------------------------


def test_the_names_of_every_branch_are_there_before_anything_is_tried(workshop: Workshop) -> None:
    assert all(is_filled(branch) for branch in workshop.repository.branches.all())


def test_without_the_index_an_attempt_goes_on_says_so_and_is_tried_again_when_it_is_there(workshop: Workshop) -> None:
    shutil.rmtree(symbols_path())
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", {"common/table.c": [guard("table_pick")]}, "x")})
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.problem_code) == ("applied", "no-names")
    assert row.problem.endswith(".")
    assert plan(workshop.repository, because="again").to_try == 0
    repositories.fetch(workshop.repository)
    assert plan(workshop.repository, because="again").to_try == 5
    workshop.work()
    assert workshop.cell(950, "4.1").problem_code == ""
