"""Which cells are tried, when, and which are left alone."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest

from backports.git.errors import GitError
from backports.models import Attempt, UpstreamFix
from backports.services import repositories
from backports.services.planning import plan
from tests.backports.conftest import Workshop
from tests.backports.toy import BRANCHES, Edits, git, guard
from xsa.models import Advisory, AdvisoryVersion, Fix, FixPatch, Organisation
from xsa.services.disclose import disclose

PICK: Edits = {"common/table.c": [guard("table_pick")]}
PUSH: Edits = {"common/queue.c": [guard("queue_push")]}
ON_TOP: Edits = {"common/table.c": [("return -ERANGE;", "return -EPERM;")]}


def pick(workshop: Workshop, number: int = 950, *, version: int = 1, text: str = "table: check") -> Advisory:
    return workshop.take(number, {f"xsa{number}.patch": workshop.toy.patch("master", PICK, text)}, version=version)


def push(workshop: Workshop, number: int = 951) -> Advisory:
    return workshop.take(number, {f"xsa{number}.patch": workshop.toy.patch("master", PUSH, "queue: check")})


def on_top(workshop: Workshop, number: int = 952, below: int = 950) -> Advisory:
    """A fix of lines that only another fix brings."""
    workshop.toy.commit("refs/unseen/below", PICK, "table: check", on="master")
    patch = workshop.toy.patch("refs/unseen/below", ON_TOP, "table: refuse")
    recipe = {"Prereqs": [below], "Patches": [f"xsa{number}.patch"]}
    return workshop.take(number, {f"xsa{number}.patch": patch}, recipes={"master": recipe})


# -- what a repository brings --------------------------------------------------------------------------------------


def test_branches_are_read_with_their_tips_and_sorted_by_version(workshop: Workshop) -> None:
    rows = {row.name: row.tip for row in workshop.repository.branches.all()}
    assert list(rows) == ["master", "4.5", "4.4", "4.3", "4.2", "4.1"]
    assert rows == {name: workshop.toy.tip(name) for name in rows}


def test_a_branch_that_was_deleted_is_gone_and_not_tried(workshop: Workshop) -> None:
    workshop.toy.repo.references.delete("refs/heads/stable-4.1")
    repositories.fetch(workshop.repository)
    assert workshop.repository.branches.get(name="4.1").gone
    pick(workshop)
    assert set(workshop.outcomes(950)) == {"4.2", "4.3", "4.4", "4.5"}


def test_branches_before_4_1_are_history_and_not_tried(workshop: Workshop) -> None:
    workshop.toy.branch("refs/heads/stable-4.0", "refs/heads/stable-4.1")
    repositories.fetch(workshop.repository)
    assert workshop.repository.branches.get(name="4.0").history_only
    pick(workshop)
    assert "4.0" not in workshop.outcomes(950)


def test_adding_a_known_repository_fetches_it(workshop: Workshop) -> None:
    oid = workshop.toy.commit("4.1", PICK, "x")
    repositories.add_repository(None, name="toy", url=str(workshop.toy.path))
    assert workshop.repository.branches.get(name="4.1").tip == oid


# -- mining ---------------------------------------------------------------------------------------------------------


def test_a_mined_advisory_is_disclosed_since_its_commit_and_titled_by_masters_subject(workshop: Workshop) -> None:
    oid = workshop.toy.commit("master", PICK, "table: check the index\n\nThis is CVE-2031-10950 / XSA-950.")
    assert workshop.mine() == [950]
    row = Advisory.objects.select_related("current").get(number=950)
    assert row.current is not None
    assert (row.current.number, row.current.title, row.current.cves) == (
        0,
        "table: check the index",
        ["CVE-2031-10950"],
    )
    assert row.disclosed_at == datetime.fromtimestamp(workshop.toy.moment, UTC)
    assert [patch.commit for patch in Fix.objects.get(branch="master").patches.all()] == [oid]


def test_a_branch_that_holds_the_fix_is_fixed_upstream_and_the_others_are_tried(workshop: Workshop) -> None:
    workshop.toy.commit("master", PICK, "table: check\n\nThis is XSA-950.")
    own = workshop.toy.commit("4.5", PICK, "table: check\n\nThis is XSA-950.")
    workshop.toy.branch("refs/heads/stable-4.6", "master")
    workshop.mine()
    assert set(UpstreamFix.objects.values_list("branch__name", flat=True)) == {"master", "4.6", "4.5"}
    assert workshop.waiting_cells() == {(950, name) for name in ("4.1", "4.2", "4.3", "4.4")}
    assert (workshop.cell(950, "4.5").outcome, workshop.cell(950, "4.5").result) == ("fixed-upstream", own)
    workshop.work()
    assert workshop.cell(950, "4.4").source == Fix.objects.get(branch="4.5")


def test_mining_again_changes_nothing(workshop: Workshop) -> None:
    workshop.toy.commit("master", PICK, "table: check\n\nThis is XSA-950.")
    workshop.mine()
    workshop.work()
    models = (Advisory, AdvisoryVersion, Fix, Attempt)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    assert workshop.mine() == []
    assert [list(model.objects.order_by("pk").values()) for model in models] == before


def test_a_commit_in_public_does_not_end_an_embargo(workshop: Workshop) -> None:
    pick(workshop)
    workshop.toy.commit("master", PICK, "table: check\n\nThis is XSA-950.")
    workshop.mine()
    row = Advisory.objects.get(number=950)
    assert row.embargoed
    assert row.current is not None
    assert row.current.number == 1


# -- what is planned ------------------------------------------------------------------------------------------------


def test_every_stable_branch_gets_one_cell_and_master_none(workshop: Workshop) -> None:
    pick(workshop)
    assert workshop.waiting_cells() == {(950, name) for name in BRANCHES}


def test_nothing_is_planned_twice(workshop: Workshop) -> None:
    pick(workshop)
    assert plan(workshop.repository, because="again").to_try == 0
    workshop.work()
    assert plan(workshop.repository, because="again").to_try == 0
    assert Attempt.objects.count() == len(BRANCHES)


def test_another_projects_fixes_are_no_cells_here(workshop: Workshop) -> None:
    files = {"xsa950-qemuu.patch": workshop.toy.patch("master", PICK, "x")}
    workshop.take(950, files, lines="xsa950-qemuu.patch    qemu-upstream")
    assert Attempt.objects.count() == 0
    assert Fix.objects.get().tree != "toy"


def test_the_upstream_fix_that_a_fetch_brings_settles_its_cell(workshop: Workshop) -> None:
    workshop.toy.commit("master", PICK, "table: check\n\nThis is XSA-950.")
    workshop.mine()
    workshop.work()
    assert workshop.outcomes(950)["4.5"] == "applied"
    oid = workshop.toy.commit("4.5", PICK, "table: check\n\nThis is XSA-950.")
    repositories.refresh(None, workshop.repository)
    row = workshop.cell(950, "4.5")
    assert (row.outcome, row.result, row.because) == ("fixed-upstream", oid, "upstream")


# -- what is tried again --------------------------------------------------------------------------------------------


def test_a_branch_that_moves_has_only_those_cells_tried_again_whose_files_it_touched(workshop: Workshop) -> None:
    pick(workshop)
    push(workshop)
    workshop.work()
    stood = workshop.cell(951, "4.1")
    tip = workshop.toy.commit("4.1", {"common/table.c": [("#include <toy.h>", "#include <toy.h> /* 4.1 */")]}, "x")
    made = repositories.refresh(None, workshop.repository)
    assert (made.to_try, workshop.waiting_cells()) == (1, {(950, "4.1")})
    assert workshop.cell(950, "4.1").because == "branch moved"
    kept = workshop.cell(951, "4.1")
    assert (kept.pk, kept.tip, kept.seen_tip) == (stood.pk, stood.tip, tip)
    workshop.work()
    assert workshop.cell(950, "4.1").tip == tip


def test_two_moves_in_a_row_still_leave_the_others_alone(workshop: Workshop) -> None:
    push(workshop)
    workshop.work()
    for word in ("one", "two"):
        workshop.toy.commit("4.1", {"docs/notes.txt": f"{word}\n"}, word)
        assert repositories.refresh(None, workshop.repository).to_try == 0


def test_a_rewritten_branch_has_everything_tried_again_that_differs(workshop: Workshop) -> None:
    pick(workshop)
    push(workshop)
    workshop.work()
    workshop.toy.commit("4.1", {"common/queue.c": "int gone;\n"}, "begin anew", on="4.2")
    assert repositories.refresh(None, workshop.repository).to_try == 2


def test_what_does_not_depend_on_the_tree_is_not_tried_again_when_it_moves(workshop: Workshop) -> None:
    patch = workshop.toy.patch("master", PICK, "x")
    workshop.take(950, {"xsa950.patch": patch[: patch.index(b"return -ERANGE;")]})
    workshop.take(951, {"xsa951.patch": patch}, recipes={"4.1": {"Patches": []}})
    workshop.work()
    assert (workshop.outcomes(950)["4.1"], workshop.outcomes(951)["4.1"]) == ("malformed", "not-affected")
    workshop.toy.commit("4.1", {"common/table.c": "int gone;\n"}, "x")
    assert repositories.refresh(None, workshop.repository).to_try == 0


def test_a_file_that_only_a_farther_source_touches_counts_too(workshop: Workshop) -> None:
    """The nearest fix conflicts, the next one applies: the move may make the first one apply."""
    near = workshop.toy.patch("4.2", {"docs/notes.txt": [("A toy.", "No toy.")]}, "docs: x").replace(b"A toy", b"A joy")
    files = {"xsa950-4.2.patch": near, "xsa950.patch": workshop.toy.patch("master", PICK, "x")}
    workshop.take(950, files, lines="xsa950.patch    xen-unstable\nxsa950-4.2.patch    Xen 4.2.x")
    workshop.work()
    assert (row := workshop.cell(950, "4.1")).source
    assert row.source.branch == "master"
    workshop.toy.commit("4.1", {"docs/notes.txt": "A joy.\n"}, "docs: x")
    assert repositories.refresh(None, workshop.repository).to_try == 1


def test_a_new_version_has_only_its_own_advisorys_cells_tried_again(workshop: Workshop) -> None:
    pick(workshop)
    push(workshop)
    workshop.work()
    first = workshop.cell(950, "4.1")
    workshop.take(
        950,
        {"xsa950.patch": workshop.toy.patch("master", {"common/table.c": [guard("table_drop")]}, "table: other")},
        version=2,
    )
    assert workshop.waiting_cells() == {(950, name) for name in BRANCHES}
    workshop.work()
    assert workshop.cell(950, "4.1").result != first.result
    assert Attempt.objects.filter(advisory__number=950, branch__name="4.1").count() == 2


def test_a_new_version_with_the_same_patches_tries_nothing_again(workshop: Workshop) -> None:
    pick(workshop)
    workshop.work()
    files = {
        file.name: bytes(file.data) for file in Fix.objects.get(branch="master").version.files.filter(kind="patch")
    }
    workshop.take(950, files, version=2)
    assert Advisory.objects.get(number=950).current.number == 2  # type: ignore[union-attr]
    assert workshop.waiting_cells() == set()


# -- prerequisites --------------------------------------------------------------------------------------------------


def test_a_fix_on_top_of_another_needs_it_and_says_so(workshop: Workshop) -> None:
    pick(workshop)
    on_top(workshop)
    workshop.work()
    workshop.work()
    row = workshop.cell(952, "4.1")
    assert (row.outcome, row.prerequisites) == ("needs-prerequisite", [950])
    below = workshop.cell(950, "4.1")
    repo = workshop.results(952)
    assert workshop.parents(repo, row.result) == [below.result]


def test_a_prerequisite_that_lands_has_its_dependents_tried_again_and_nothing_else(workshop: Workshop) -> None:
    on_top(workshop)
    push(workshop)
    workshop.work()
    assert set(workshop.outcomes(952).values()) == {"conflict"}
    pick(workshop)
    workshop.run(950, "4.1")
    assert workshop.waiting_cells() == {(952, "4.1")} | {(950, name) for name in BRANCHES if name != "4.1"}
    assert workshop.cell(952, "4.1").because == "prerequisite"
    workshop.work()
    assert set(workshop.outcomes(952).values()) == {"needs-prerequisite"}
    assert plan(workshop.repository, because="again").to_try == 0


def test_a_chain_of_prerequisites_comes_through_in_any_order(workshop: Workshop) -> None:
    workshop.toy.commit("refs/unseen/below", PICK, "x", on="master")
    workshop.toy.commit("refs/unseen/middle", ON_TOP, "x", on="refs/unseen/below")
    last: Edits = {"common/table.c": [("return -EPERM;", "return -EACCES;")]}
    patch = workshop.toy.patch("refs/unseen/middle", last, "table: last")
    recipe = {"Prereqs": [952], "Patches": ["xsa953.patch"]}
    workshop.take(953, {"xsa953.patch": patch}, recipes={"master": recipe})
    on_top(workshop)
    pick(workshop)
    workshop.work()
    row = workshop.cell(953, "4.1")
    assert (row.outcome, row.prerequisites) == ("needs-prerequisite", [950, 952])
    assert plan(workshop.repository, because="again").to_try == 0


def test_advisories_that_name_each_other_come_to_rest(workshop: Workshop) -> None:
    on_top(workshop, 952, below=953)
    on_top(workshop, 953, below=952)
    workshop.work()
    assert {*workshop.outcomes(952).values(), *workshop.outcomes(953).values()} == {"conflict"}
    assert plan(workshop.repository, because="again").to_try == 0


def test_a_prerequisite_that_lands_while_its_dependent_is_tried_is_not_missed(workshop: Workshop) -> None:
    pick(workshop)
    on_top(workshop)
    workshop.run(952, "4.1", before_finish=lambda: workshop.run(950, "4.1"))
    assert (952, "4.1") in workshop.waiting_cells()
    workshop.work()
    assert workshop.cell(952, "4.1").outcome == "needs-prerequisite"


def test_a_fix_that_came_through_by_itself_is_not_tried_again_for_its_prerequisite(workshop: Workshop) -> None:
    patch = workshop.toy.patch("master", PUSH, "queue: check")
    workshop.take(952, {"xsa952.patch": patch}, recipes={"master": {"Prereqs": [950], "Patches": ["xsa952.patch"]}})
    pick(workshop)
    workshop.work()
    assert set(workshop.outcomes(952).values()) == {"applied"}
    assert plan(workshop.repository, because="again").to_try == 0


def test_when_the_branch_moves_under_a_dependent_its_prerequisite_comes_along(workshop: Workshop) -> None:
    both: Edits = {**ON_TOP, **PUSH}
    workshop.toy.commit("refs/unseen/below", PICK, "x", on="master")
    patch = workshop.toy.patch("refs/unseen/below", both, "table, queue: x")
    recipe = {"Prereqs": [950], "Patches": ["xsa952.patch"]}
    workshop.take(952, {"xsa952.patch": patch}, recipes={"master": recipe})
    pick(workshop)
    workshop.work()
    assert workshop.outcomes(952)["4.1"] == "needs-prerequisite"
    tip = workshop.toy.commit("4.1", {"common/queue.c": [("#include <toy.h>", "#include <toy.h> /* 4.1 */")]}, "x")
    repositories.refresh(None, workshop.repository)
    workshop.work()
    row = workshop.cell(952, "4.1")
    assert (row.outcome, row.tip) == ("needs-prerequisite", tip)
    assert workshop.cell(950, "4.1").tip == tip


def test_a_disclosed_fix_is_never_built_on_an_embargoed_one(workshop: Workshop) -> None:
    pick(workshop)
    open_one = on_top(workshop)
    disclose(None, advisory=open_one, reason="test", at=datetime(2031, 1, 1, tzinfo=UTC))
    workshop.work()
    assert set(workshop.outcomes(952).values()) == {"conflict"}


def test_the_progress_of_an_embargoed_prerequisite_causes_no_attempt_of_a_disclosed_fix(workshop: Workshop) -> None:
    disclose(None, advisory=on_top(workshop), reason="test", at=datetime(2031, 1, 1, tzinfo=UTC))
    workshop.work()
    before = list(Attempt.objects.filter(advisory__number=952).order_by("pk").values())
    pick(workshop)
    workshop.work()
    plan(workshop.repository, because="branch moved")
    assert list(Attempt.objects.filter(advisory__number=952).order_by("pk").values()) == before


def test_each_disclosure_has_what_was_built_on_it_tried_again(workshop: Workshop) -> None:
    below, above = pick(workshop), on_top(workshop)
    workshop.work()
    assert set(workshop.outcomes(952).values()) == {"needs-prerequisite"}
    for opened, outcome in ((above, "conflict"), (below, "needs-prerequisite")):
        disclose(None, advisory=opened, reason="test", at=datetime(2031, 1, 1, tzinfo=UTC))
        plan(workshop.repository, because="disclosed")
        assert workshop.waiting_cells() == {(952, name) for name in BRANCHES}
        workshop.work()
        assert set(workshop.outcomes(952).values()) == {outcome}


def test_metadata_that_says_nothing_to_apply_settles_its_branch_alone(workshop: Workshop) -> None:
    patch = workshop.toy.patch("master", PICK, "x")
    recipe = {"Patches": ["xsa950.patch"]}
    workshop.take(950, {"xsa950.patch": patch}, recipes={"master": recipe})
    workshop.work()
    workshop.take(950, {"xsa950.patch": patch}, recipes={"master": recipe, "4.1": {"Patches": []}}, version=2)
    assert workshop.waiting_cells() == {(950, "4.1")}
    workshop.work()
    assert workshop.outcomes(950)["4.1"] == "not-affected"


def test_an_embargoed_dependent_brings_no_disclosed_prerequisite_along(workshop: Workshop) -> None:
    """When the branch moves under it: the disclosed one's history would tell of it."""
    both: Edits = {**ON_TOP, **PUSH}
    workshop.toy.commit("refs/unseen/below", PICK, "x", on="master")
    patch = workshop.toy.patch("refs/unseen/below", both, "table, queue: x")
    workshop.take(952, {"xsa952.patch": patch}, recipes={"master": {"Prereqs": [950], "Patches": ["xsa952.patch"]}})
    disclose(None, advisory=pick(workshop), reason="test", at=datetime(2031, 1, 1, tzinfo=UTC))
    workshop.work()
    workshop.toy.commit("4.1", {"common/queue.c": [("#include <toy.h>", "#include <toy.h> /* 4.1 */")]}, "x")
    repositories.refresh(None, workshop.repository)
    assert workshop.waiting_cells() == {(952, "4.1")}
    workshop.work()
    row, below = workshop.cell(952, "4.1"), workshop.cell(950, "4.1")
    assert (row.outcome, row.prerequisites, row.tip) == ("needs-prerequisite", [950], workshop.toy.tip("4.1"))
    assert below.tip != row.tip
    (ground,) = workshop.parents(workshop.results(952), row.result)
    assert workshop.parents(workshop.results(952), ground) == [row.tip]
    assert ground not in git(workshop.results(950), "rev-list", "--all").decode()


def test_an_organisations_own_repository_discloses_nothing(workshop: Workshop) -> None:
    workshop.toy.commit("4.1", PICK, "table: check\n\nThis is XSA-950.")
    repositories.fetch(workshop.repository)
    workshop.repository.organisation = Organisation.objects.create(name="Example Distribution", listed=True)
    workshop.repository.save()
    assert repositories.mine(None, workshop.repository) == []
    assert not Advisory.objects.exists()


def test_another_repository_of_the_project_brings_no_fixes_and_holds_those_in_its_history(workshop: Workshop) -> None:
    fork = workshop.toy.path.with_name("a-fork.git")
    shutil.copytree(workshop.toy.path, fork)
    own = workshop.toy.commit("4.1", PICK, "table: check\n\nThis is XSA-950.")
    workshop.toy.branch("refs/heads/stable-4.6", "4.1")
    workshop.mine()
    other = repositories.add_repository(None, name="a-fork", url=str(fork), project="toy")
    before = list(FixPatch.objects.values())
    assert repositories.mine(None, other) == []
    assert not UpstreamFix.objects.filter(branch__repository=other).exists()
    repositories.add_repository(None, name="a-fork", url=str(workshop.toy.path))
    assert repositories.mine(None, other) == []
    assert [row.commits for row in UpstreamFix.objects.filter(branch__repository=other, branch__name="4.1")] == [[own]]
    assert list(FixPatch.objects.values()) == before


def test_a_mirror_whose_row_was_never_written_is_taken_up(workshop: Workshop) -> None:
    workshop.repository.delete()
    row = repositories.add_repository(None, name="toy", url=str(workshop.toy.path))
    assert row.branches.values_list("name", flat=True)[0] == "master"


@pytest.mark.parametrize("name", ["", "../toy", "toy.git", "a b", "x" * 51])
def test_a_name_that_cannot_stand_in_an_address_is_refused(workshop: Workshop, name: str) -> None:
    with pytest.raises(GitError) as caught:
        repositories.add_repository(None, name=name, url=str(workshop.toy.path))
    assert caught.value.code == "bad-name"
