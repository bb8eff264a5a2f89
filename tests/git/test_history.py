"""Mining fixes from a history, and which branch holds what."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backports.git.errors import GitError
from backports.git.history import (
    Found,
    contained,
    find_by_subject_or_patch_id,
    fork_point,
    is_ancestor,
    mine_fixes,
    patch_id,
)
from backports.git.patches import format_patch
from backports.git.store import open_repository

FACTS = Path(__file__).parents[1] / "data" / "xen-fixes.tsv"
FIX = "x86: check a length\n\nThis is XSA-7 / CVE-2012-0217.\n"


def mined(project) -> dict[tuple[int, str], list[str]]:
    return {(fix.advisory, fix.branch): [commit.oid for commit in fix.commits] for fix in mine_fixes(project.path)}


@pytest.fixture
def forked(project):
    """master and stable-4.1 part after the first commit."""
    project.first = project.commit("first", {"a.c": b"1\n2\n3\n4\n5\n6\n7\n8\n", "b.c": b"x\n"})
    project.branch("stable-4.1", project.first)
    return project


def test_a_fix_counts_for_the_branch_on_which_it_was_made(forked) -> None:
    on_master = forked.commit(FIX)
    on_stable = forked.commit(f"{FIX}\nmaster commit: {on_master}\n", branch="stable-4.1")
    assert mined(forked) == {(7, "4.1"): [on_stable], (7, "master"): [on_master]}


def test_a_row_tells_dates_cves_subject_and_origin(forked) -> None:
    on_master = forked.commit(FIX)
    forked.commit(f"{FIX}\n(cherry picked from commit {on_master[:12]})\n", branch="stable-4.1")
    commit = mine_fixes(forked.path)[0].commits[0]
    assert commit.subject == "x86: check a length"
    assert commit.cves == ("CVE-2012-0217",)
    assert commit.upstream_oid == on_master
    assert commit.author_date == commit.commit_date == datetime.fromtimestamp(1_300_000_000 + 3 * 3600, UTC)


def test_a_commit_that_a_branch_got_by_forking_is_not_its_own(project) -> None:
    oid = project.commit(FIX)
    project.branch("stable-4.2", project.commit("later"))
    assert mined(project) == {(7, "master"): [oid]}
    assert contained(project.path, [oid], ["4.2", "master"]) == {"4.2": frozenset([oid]), "master": frozenset([oid])}


def test_what_only_staging_has_is_stagings(project) -> None:
    project.branch("staging", project.commit("first"))
    oid = project.commit(FIX, branch="staging")
    assert mined(project) == {(7, "staging"): [oid]}


def test_patches_of_a_fix_come_in_the_order_of_their_making(project) -> None:
    project.commit("first")
    oids = [project.commit(f"part {n}\n\nThis is part of XSA-7.\n") for n in range(5)]
    assert mined(project) == {(7, "master"): oids}


def test_rows_are_sorted_by_advisory_then_by_version(project) -> None:
    first = project.commit("first")
    for name in ("stable-4.10", "stable-4.2"):
        project.branch(name, first)
        project.commit("x\n\nThis is XSA-12.\n", branch=name)
    project.commit("x\n\nThis is XSA-9 and XSA-12.\n")
    assert list(mined(project)) == [(9, "master"), (12, "4.2"), (12, "4.10"), (12, "master")]


def test_a_follow_up_stands_beside_the_fix_and_makes_none_alone(forked) -> None:
    forked.commit(FIX)
    after = forked.commit("x86: fix XSA-7 fix\n")
    forked.commit("x86: fix XSA-7 fix\n", branch="stable-4.1")
    (row,) = mine_fixes(forked.path)
    assert row.branch == "master"
    assert [commit.oid for commit in row.follow_ups] == [after]


def revert(project, oid: str, branch: str = "master") -> str:
    return project.commit(f'Revert "x"\n\nThis reverts commit {oid}.\n', branch=branch)


def test_a_reverted_fix_is_not_held(forked) -> None:
    oid = forked.commit(FIX, branch="stable-4.1")
    revert(forked, oid, "stable-4.1")
    assert contained(forked.path, [oid], ["4.1"]) == {"4.1": frozenset()}
    assert mined(forked) == {}


def test_a_reverted_revert_leaves_the_fix_in_place(forked) -> None:
    oid = forked.commit(FIX)
    revert(forked, revert(forked, oid)[:12])
    assert contained(forked.path, [oid], ["master"]) == {"master": frozenset([oid])}
    assert mined(forked) == {(7, "master"): [oid]}


def test_a_revert_on_another_branch_changes_nothing_here(project) -> None:
    oid = project.commit(FIX)
    project.branch("stable-4.1", oid)
    revert(project, oid)
    assert contained(project.path, [oid], ["4.1", "master"]) == {"4.1": frozenset([oid]), "master": frozenset()}
    assert mined(project) == {}


def test_merges_are_no_fixes_but_their_sides_are_walked(project) -> None:
    first = project.commit("first")
    project.branch("side", first)
    oid = project.commit(FIX, branch="side")
    top = project.commit("on")
    who, tree = project.repo[top].author, project.repo[top].tree.id
    project.repo.create_commit("refs/heads/master", who, who, "Merge XSA-7\n\nThis is XSA-7.\n", tree, [top, oid])
    assert mined(project) == {(7, "master"): [oid]}


def test_a_commit_that_is_not_there_is_on_no_branch(forked) -> None:
    assert contained(forked.path, ["f" * 40], ["4.1"]) == {"4.1": frozenset()}


@pytest.mark.parametrize("name", ["9.9", "nowhere", "-p", "refs/heads/nowhere", "a b", ""])
def test_a_branch_that_is_not_there_is_named_so(forked, name: str) -> None:
    with pytest.raises(GitError) as caught:
        contained(forked.path, [], [name])
    assert caught.value.code == "no-such-branch"


def test_a_branch_outside_the_naming_rule_can_be_asked_for(forked) -> None:
    forked.branch("vendor/4.1-lts", forked.first)
    oid = forked.commit(FIX, branch="vendor/4.1-lts")
    names = ["vendor/4.1-lts", "refs/heads/vendor/4.1-lts"]
    assert contained(forked.path, [oid], names) == {name: frozenset([oid]) for name in names}


def test_a_moved_branch_is_seen_at_once(forked) -> None:
    assert mined(forked) == {}
    oid = forked.commit(FIX)
    assert mined(forked) == {(7, "master"): [oid]}


def test_ancestry_and_fork_points(forked) -> None:
    top = forked.commit("on")
    forked.commit("stable", branch="stable-4.1")
    assert fork_point(forked.path, "4.1") == forked.first
    assert is_ancestor(forked.path, forked.first, top)
    assert is_ancestor(forked.path, top, top)
    assert not is_ancestor(forked.path, top, forked.first)
    assert not is_ancestor(forked.path, top, "refs/heads/stable-4.1")
    with pytest.raises(GitError) as caught:
        is_ancestor(forked.path, "f" * 40, top)
    assert caught.value.code == "no-such-commit"


def test_a_project_of_two_roots_has_no_fork_point(forked) -> None:
    forked.commit("root of its own", branch="stable-4.2")
    with pytest.raises(GitError) as caught:
        fork_point(forked.path, "4.2")
    assert caught.value.code == "unrelated"


def patch_of(project, oid: str) -> bytes:
    return format_patch(open_repository(project.path), oid)


def test_a_picked_change_is_found_by_patch_id_under_another_subject(forked) -> None:
    oid = forked.commit("x86: check", {"a.c": b"1\n2\n3\nfour\n5\n6\n7\n8\n"})
    forked.commit("drift", {"a.c": b"0\n1\n2\n3\n4\n5\n6\n7\n8\n"}, branch="stable-4.1")
    picked = forked.commit("another", {"a.c": b"0\n1\n2\n3\nfour\n5\n6\n7\n8\n"}, branch="stable-4.1")
    found = find_by_subject_or_patch_id(forked.path, "4.1", "x86: check", patch_of(forked, oid))
    assert found == Found(picked, "patch-id")


def test_a_change_that_touches_more_is_not_the_same(forked) -> None:
    oid = forked.commit("x86: check", {"a.c": b"1\n2\n3\nfour\n5\n6\n7\n8\n"})
    forked.commit("other", {"a.c": b"1\n2\n3\nfour\n5\n6\n7\n8\n", "b.c": b"y\n"}, branch="stable-4.1")
    assert find_by_subject_or_patch_id(forked.path, "4.1", "x86: check", patch_of(forked, oid)) is None


def test_an_adapted_change_is_found_by_its_subject(forked) -> None:
    oid = forked.commit("x86: check", {"a.c": b"1\n2\n3\nfour\n5\n6\n7\n8\n"})
    adapted = forked.commit("x86: check", {"a.c": b"1\n2\n3\nvier\n5\n6\n7\n8\n"}, branch="stable-4.1")
    raw = patch_of(forked, oid)
    assert find_by_subject_or_patch_id(forked.path, "4.1", "x86: check", raw) == Found(adapted, "subject")
    revert(forked, adapted, "stable-4.1")
    assert find_by_subject_or_patch_id(forked.path, "4.1", "x86: check", raw) is None


def test_bytes_without_a_diff_have_no_patch_id_and_match_nothing(forked) -> None:
    assert patch_id(b"nothing here\n") is None
    assert find_by_subject_or_patch_id(forked.path, "4.1", "", b"nothing here\n") is None


def test_a_patch_id_does_not_see_line_numbers_or_the_message(forked) -> None:
    oid = forked.commit("x86: check", {"a.c": b"1\n2\n3\nfour\n5\n6\n7\n8\n"})
    raw = patch_of(forked, oid)
    assert patch_id(raw) == patch_id(raw.replace(b"@@ -1,7 +1,7 @@", b"@@ -9,7 +12,7 @@").replace(b"check", b"chuck"))
    assert patch_id(raw) != patch_id(raw.replace(b"+four", b"+five"))


@pytest.mark.xen
def test_a_real_clone_gives_the_fixes_that_are_known() -> None:
    known = {tuple(line.split("\t")) for line in FACTS.read_text().splitlines()[1:]}
    rows = mine_fixes(os.environ["XEN_GIT"])
    fixes = {(str(row.advisory), row.branch, commit.oid[:12]) for row in rows for commit in row.commits}
    extra = {(str(row.advisory), row.branch, commit.oid[:12]) for row in rows for commit in row.follow_ups}
    newest = max(int(number) for number, _, _ in known)
    fixes = {triple for triple in fixes if int(triple[0]) <= newest}
    assert len(fixes & known) >= 0.995 * len(fixes)
    assert len((fixes | extra) & known) >= 0.98 * len(known)
    assert len({number for number, _, _ in fixes}) >= 405
    per_branch, expected = Counter(branch for _, branch, _ in fixes | extra), Counter(branch for _, branch, _ in known)
    assert all(per_branch[branch] >= 0.9 * expected[branch] for branch in expected if expected[branch] > 20)
