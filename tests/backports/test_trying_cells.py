"""One cell each: what an attempt finds on a branch, and what it leaves behind."""

from __future__ import annotations

import pytest

from backports.models import Attempt
from backports.services.attempts import requeue
from tests.backports.conftest import Workshop
from tests.backports.toy import AUTHOR, MAIL, Edits, git, guard, replaced

PICK: Edits = {"common/table.c": [guard("table_pick")]}
PULL: Edits = {"common/queue.c": [("toy_trace(toy, TRACE_QUEUE_PULL, queue_pull_index);", "toy_trace_pull(toy);")]}
MESSAGE = (
    "table: check the index\n\nThe index came from the guest.\n\nSigned-off-by: Security Engineer Two <two@example.org>"
)


def take(workshop: Workshop, edits: Edits, message: str = MESSAGE, *, number: int = 950) -> None:
    """An advisory whose only patch was made on master."""
    workshop.take(number, {f"xsa{number}.patch": workshop.toy.patch("master", edits, message)})


def without_index(patch: bytes) -> bytes:
    return b"".join(line for line in patch.splitlines(keepends=True) if not line.startswith(b"index "))


def test_a_fix_lands_exactly_where_nothing_moved_and_with_an_offset_where_lines_did(workshop: Workshop) -> None:
    take(workshop, PICK)
    workshop.work()
    assert set(workshop.outcomes(950).items()) == {(name, "applied") for name in ("4.1", "4.2", "4.3", "4.4", "4.5")}
    assert [workshop.cell(950, name).rung for name in ("4.1", "4.2", "4.5")] == ["offset", "exact", "exact"]
    row = workshop.cell(950, "4.1")
    assert (row.confidence, row.hunks_landed, row.hunks_total, row.starts) == ("high", 1, 1, 1)
    (hunk,) = row.evidence["patches"][0]["files"][0]["hunks"]
    assert hunk["placement"]["offset"] == -3
    assert row.paths == ["common/table.c"]


def test_the_result_is_a_commit_with_the_fixs_author_and_message_and_only_its_change(workshop: Workshop) -> None:
    take(workshop, PICK)
    workshop.work()
    row = workshop.cell(950, "4.1")
    show = git(workshop.results(950), "show", "-s", "--format=%an <%ae> %P%n%B", row.result).decode().splitlines()
    assert show[0] == f"{AUTHOR} <{MAIL}> {row.branch.tip}"
    assert show[1:4] == ["table: check the index", "", "The index came from the guest."]
    assert "Signed-off-by: Security Engineer Two <two@example.org>" in show
    assert "(backported from the fix of XSA-950 for master)" in show
    after = git(workshop.results(950), "show", f"{row.result}:common/table.c").decode()
    assert after == replaced(workshop.toy.text("4.1", "common/table.c"), PICK["common/table.c"])  # type: ignore[arg-type]
    assert git(workshop.results(950), "diff", "--name-only", row.branch.tip, row.result) == b"common/table.c\n"
    assert git(workshop.results(950), "fsck", "--strict") == b""


def test_the_mirror_holds_nothing_of_a_result(workshop: Workshop, git_root: object) -> None:
    take(workshop, PICK)
    before = git(workshop.mirror, "count-objects", "-v") + git(workshop.mirror, "for-each-ref")
    workshop.work()
    assert git(workshop.mirror, "count-objects", "-v") + git(workshop.mirror, "for-each-ref") == before


def test_context_that_drifted_is_given_up_with_its_amount_where_no_base_is_found(workshop: Workshop) -> None:
    patch = without_index(workshop.toy.patch("master", PULL, "queue: trace"))
    workshop.take(951, {"xsa951.patch": patch.replace(b"QUEUE_PULL);", b"QUEUE_ANY);", 1)})
    workshop.work()
    row = workshop.cell(951, "4.4")
    assert (row.outcome, row.rung, row.fuzz, row.confidence) == ("applied", "fuzz", 1, "review")
    assert any("fuzz 1" in reason for reason in row.reasons)
    assert row.evidence["sources"][0]["base"] == ""


@pytest.mark.parametrize(("left", "tried"), [(0, ["4.4"]), (1, ["4.4", "master", "4.3"])])
def test_what_leaves_much_to_a_person_is_tried_from_the_nearest_source_alone(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, left: int, tried: list[str]
) -> None:
    monkeypatch.setattr("backports.services.climbing.MOST_LEFT", left)
    edits: Edits = {**PICK, "drivers/console.c": [guard("console_write")]}
    patch = workshop.toy.patch("master", edits, MESSAGE)
    files = {"xsa951-4.4.patch": patch, "xsa951.patch": patch.replace(b"-ERANGE", b"-EINVAL")}
    workshop.take(951, files, lines="xsa951-4.4.patch    Toy 4.4\nxsa951.patch    xen-unstable")
    workshop.work()
    row = workshop.cell(951, "4.2")
    assert row.outcome == "partly-applied"
    assert [source["branch"] for source in row.evidence["sources"]] == tried


@pytest.mark.parametrize(
    ("line", "differs"),
    [(b"toy_trace_pull(toy); /* once */", []), (b"toy_trace_push(toy);", ["common/queue.c"])],
)
def test_two_sources_for_review_are_two_witnesses(workshop: Workshop, line: bytes, differs: list[str]) -> None:
    patch = without_index(workshop.toy.patch("master", PULL, "queue: trace")).replace(b"QUEUE_PULL);", b"QUEUE_ANY);")
    other = patch.replace(b"toy_trace_pull(toy);", line)
    lines = "xsa951-4.4.patch    Toy 4.4\nxsa951.patch    xen-unstable"
    workshop.take(951, {"xsa951-4.4.patch": patch, "xsa951.patch": other}, lines=lines)
    workshop.work()
    used, beside = workshop.cell(951, "4.3").evidence["sources"]
    assert "differs_in" not in used
    assert beside["differs_in"] == differs


def test_a_patch_without_ids_is_merged_with_the_base_that_was_found(workshop: Workshop) -> None:
    patch = without_index(workshop.toy.patch("master", PULL, "queue: trace"))
    workshop.take(951, {"xsa951.patch": patch})
    workshop.work()
    row = workshop.cell(951, "4.4")
    assert (row.outcome, row.rung) == ("applied", "three-way")
    (source,) = row.evidence["sources"]
    assert source["base"] == workshop.toy.tip("master")
    assert "1 of 1 hunks stand exactly" in source["base_told"]


def test_the_blob_on_the_index_line_makes_the_same_patch_a_three_way_merge(workshop: Workshop) -> None:
    take(workshop, PULL)
    workshop.work()
    row = workshop.cell(950, "4.4")
    assert (row.outcome, row.rung, row.fuzz) == ("applied", "three-way", 0)


def test_a_change_that_a_branch_made_by_itself_is_there_already(workshop: Workshop) -> None:
    workshop.toy.commit("4.1", PICK, "our own check of the index")
    workshop.mine()
    take(workshop, PICK)
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.result, row.hunks_landed) == ("already-applied", "", 1)


def test_a_file_that_moved_is_found_where_the_branch_has_it(workshop: Workshop) -> None:
    take(workshop, {"common/timer.c": [guard("timer_fire")]})
    workshop.work()
    row = workshop.cell(950, "4.3")
    assert row.outcome == "applied"
    assert row.paths == ["arch/timer.c", "common/timer.c"]
    assert git(workshop.results(950), "diff", "--name-only", row.branch.tip, row.result) == b"arch/timer.c\n"


def test_hunks_without_a_place_leave_the_others_applied_and_say_what_is_left(workshop: Workshop) -> None:
    take(workshop, {**PICK, "drivers/console.c": [guard("console_write")]})
    workshop.work()
    row = workshop.cell(950, "4.2")
    assert (row.outcome, row.confidence, row.hunks_landed, row.hunks_total) == ("partly-applied", "review", 1, 2)
    assert git(workshop.results(950), "diff", "--name-only", row.branch.tip, row.result) == b"common/table.c\n"
    assert workshop.outcomes(950)["4.3"] == "applied"


def test_lines_that_a_branch_rewrote_are_a_conflict_beside_their_likely_place(workshop: Workshop) -> None:
    ours = ("toy_trace(toy, TRACE_QUEUE_PULL, queue_pull_index);", 'toy_log(toy, "pull");')
    workshop.toy.commit("4.1", {"common/queue.c": [ours]}, "queue: log")
    workshop.mine()
    take(workshop, PULL)
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.result, row.hunks_landed) == ("conflict", "", 0)
    (hunk,) = row.evidence["patches"][0]["files"][0]["hunks"]
    place = workshop.toy.text("4.1", "common/queue.c").splitlines()[hunk["rejection"]["line"] - 1 :]
    assert any("toy_log" in line for line in place[:8])
    assert any("toy_log" in line for line in hunk["rejection"]["ours"])


def test_a_branch_that_the_metadata_lists_without_patches_is_not_affected(workshop: Workshop) -> None:
    patch = workshop.toy.patch("master", PICK, MESSAGE)
    recipes = {"master": {"Patches": ["xsa950.patch"]}, "4.2": {"Patches": []}}
    workshop.take(950, {"xsa950.patch": patch}, recipes=recipes)
    workshop.work()
    row = workshop.cell(950, "4.2")
    assert (row.outcome, row.result) == ("not-affected", "")
    assert "4.2" in row.reasons[0]
    assert workshop.outcomes(950)["4.1"] == "applied"


def test_a_listed_file_that_did_not_come_in_makes_no_branch_unaffected(workshop: Workshop) -> None:
    patch = workshop.toy.patch("master", PICK, MESSAGE)
    lines = "xsa950.patch    xen-unstable\nxsa950-4.2.patch    Xen 4.2.x"
    workshop.take(950, {"xsa950.patch": patch}, lines=lines)
    workshop.work()
    assert workshop.outcomes(950)["4.2"] == "applied"


def test_code_that_came_later_is_not_affected_by_what_the_fix_repairs(workshop: Workshop) -> None:
    culprit = workshop.toy.tip("4.3")
    take(workshop, {"drivers/console.c": [guard("console_write")]}, f"console: check\n\nFixes: {culprit[:12]} (“x”)")
    workshop.work()
    assert workshop.outcomes(950) == {
        "4.1": "not-affected",
        "4.2": "not-affected",
        "4.3": "applied",
        "4.4": "applied",
        "4.5": "applied",
    }
    assert culprit[:12] in workshop.cell(950, "4.2").reasons[0]


def test_a_commit_that_no_mirror_holds_proves_nothing(workshop: Workshop) -> None:
    take(workshop, {"drivers/console.c": [guard("console_write")]}, f"console: check\n\nFixes: {'ab' * 6} (“x”)")
    workshop.work()
    assert workshop.outcomes(950)["4.1"] == "conflict"


def test_a_branchs_own_fix_goes_before_the_next_newer_one_and_master_before_older_ones(workshop: Workshop) -> None:
    limit = "    unsigned int table_pick_limit = toy->table_pick_count;\n"
    files = {
        f"xsa950{suffix}.patch": workshop.toy.patch(
            name, {"common/table.c": [(limit, f"{limit}    /* for {name} */\n")]}, f"table: for {name}"
        )
        for name, suffix in (("master", ""), ("4.4", "-4.4"), ("4.2", "-4.2"))
    }
    lines = "xsa950.patch    xen-unstable\nxsa950-4.4.patch    Xen 4.4.x\nxsa950-4.2.patch    Xen 4.2.x"
    workshop.take(950, files, lines=lines)
    workshop.work()
    sources = {name: workshop.cell(950, name).source for name in ("4.1", "4.2", "4.3", "4.4", "4.5")}
    assert {name: fix.branch for name, fix in sources.items() if fix} == {
        "4.1": "4.2",
        "4.2": "4.2",
        "4.3": "4.4",
        "4.4": "4.4",
        "4.5": "master",
    }


def test_a_nearer_fix_that_does_not_apply_gives_way_to_a_farther_one_that_does(workshop: Workshop) -> None:
    elsewhere = {"common/table.c": [("return table_pick_limit ? 0 : -EINVAL;", "return toy_gone(toy);")]}
    strange = without_index(workshop.toy.patch("4.2", elsewhere, "table: x")).replace(
        b"TRACE_TABLE_PICK", b"TRACE_NONE"
    )
    good = workshop.toy.patch("master", PICK, MESSAGE)
    lines = "xsa950.patch    xen-unstable\nxsa950-4.2.patch    Xen 4.2.x"
    workshop.take(950, {"xsa950.patch": good, "xsa950-4.2.patch": strange}, lines=lines)
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.source.branch if row.source else "") == ("applied", "master")
    tried = [(one["branch"], one["outcome"], one["chosen"]) for one in row.evidence["sources"]]
    assert tried == [("4.2", "conflict", False), ("master", "applied", True)]


def test_patches_of_one_fix_are_commits_in_their_order(workshop: Workshop) -> None:
    toy = workshop.toy
    toy.commit("refs/unseen/first", PICK, "table: first", on="master")
    second = toy.patch(
        "refs/unseen/first", {"common/table.c": [("return -ERANGE;", "return -EPERM;")]}, "table: second"
    )
    files = {"xsa950-1.patch": toy.patch("master", PICK, "table: first"), "xsa950-2.patch": second}
    workshop.take(950, files)
    workshop.work()
    row = workshop.cell(950, "4.1")
    subjects = git(workshop.results(950), "log", "--format=%s", f"{row.branch.tip}..{row.result}").decode().split("\n")
    assert subjects[:2] == ["table: second", "table: first"]
    assert (row.hunks_landed, row.hunks_total) == (2, 2)


def test_bytes_that_are_not_utf8_stay_what_they_are(workshop: Workshop) -> None:
    latin = "/* gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n */"
    limit = "    unsigned int table_pick_limit = toy->table_pick_count;\n"
    patch = workshop.toy.patch("master", {"common/table.c": [(limit, f"{limit}    {latin}\n")]}, "table: x")
    workshop.take(950, {"xsa950.patch": without_index(patch).replace(latin.encode(), latin.encode("latin-1"))})
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert row.outcome == "applied"
    assert latin.encode("latin-1") in git(workshop.results(950), "show", f"{row.result}:common/table.c")


def test_trying_again_on_demand_gives_the_same_commit_and_keeps_the_old_attempt(workshop: Workshop) -> None:
    take(workshop, PICK)
    workshop.work()
    first = workshop.cell(950, "4.1")
    assert requeue(None, attempts=[first]) == 1
    workshop.work()
    second = workshop.cell(950, "4.1")
    assert (second.result, second.because) == (first.result, "on demand")
    assert second.pk != first.pk
    assert Attempt.objects.filter(pk=first.pk, current=False, state="done").exists()
    assert requeue(None, attempts=[first]) == 0
