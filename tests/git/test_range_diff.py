"""The source's patches beside the result's commits."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from backports.engine.diff import parse_series
from backports.engine.ladder import apply_series
from backports.engine.result import SeriesResult
from backports.git.errors import GitError
from backports.git.patches import format_patch
from backports.git.range_diff import Compared, range_diff
from backports.git.results import commit_series, open_results
from backports.git.runner import run_git
from backports.git.tree import GitTree
from tests.engine.helpers import SHOP, unified

PATH = "lib/shop.c"
LINE = b"    if (slot < 0)\n        return -ENOENT;\n"
CHECK = b"    if (count < 0)\n        return -EINVAL;\n"
FIXED = SHOP.replace(LINE, LINE + CHECK)


class Shop:
    """An upstream with the fix on master, and an older branch."""

    def __init__(self, project, tmp_path: Path) -> None:
        self.project, self.results = project, tmp_path / "results.git"

    def compare(self, result: SeriesResult, target: str) -> tuple[Compared, ...]:
        repo = open_results(self.results, self.project.path)
        tip = commit_series(repo, target, result, "refs/attempts/1", note="(backported)")
        changed = [done.patch for done in result.patches if done.changes]
        return range_diff(self.project.path, self.results, target, tip, changed)

    def port(self, data: bytes, target: str) -> tuple[Compared, ...]:
        return self.compare(apply_series(parse_series(data), GitTree(self.project.repo, target)), target)


@pytest.fixture
def shop(project, tmp_path: Path) -> Shop:
    return Shop(project, tmp_path)


def older(shop: Shop, text: bytes, path: str = PATH) -> str:
    return str(shop.project.commit("old", {path: text}, branch="stable-4.1"))


def fix(shop: Shop, new: bytes = FIXED, old: bytes = SHOP) -> bytes:
    shop.project.commit("base", {PATH: old})
    return format_patch(shop.project.repo, shop.project.commit("shop: check the count", {PATH: new}))


def test_a_change_that_only_moved_is_the_same(shop: Shop) -> None:
    found = shop.port(fix(shop), older(shop, b"/* older */\n" * 9 + SHOP))
    assert found == (Compared("=", b"shop: check the count"),)


def test_what_differs_is_told_as_a_diff_of_diffs(shop: Shop) -> None:
    patch = fix(shop)
    target = SHOP.replace(b"    table[slot].count -= count;\n", b"    table[slot].count = less(count);\n")
    (found,) = shop.port(patch, older(shop, target))
    assert (found.mark, found.lines[0]) == ("!", b"@@ lib/shop.c: int shop_take(const char *name, int count)")
    assert b"-     table[slot].count -= count;" in found.lines
    assert b"+     table[slot].count = less(count);" in found.lines
    assert b" +    if (count < 0)" in found.lines
    assert not [line for line in found.lines if b"Commit message" in line or b"backported" in line]


def test_a_hunk_that_did_not_land_is_only_in_the_source(shop: Shop) -> None:
    new = FIXED.replace(b"#define MAX_STOCK 64", b"#define MAX_STOCK 32")
    (found,) = shop.port(fix(shop, new), older(shop, SHOP.replace(b"#define MAX_STOCK 64", b"enum { MAX = 9 };")))
    assert b"-+#define MAX_STOCK 32" in found.lines
    assert not [line for line in found.lines if line.startswith(b"+")]


@pytest.mark.parametrize("index", [True, False])
def test_a_bare_patch_without_its_base_is_compared_by_what_its_hunks_show(shop: Shop, index: bool) -> None:
    body = unified(SHOP, FIXED.replace(b"used = 0", b"used = -1"), index=index)
    found = shop.port(b"Subject: check the count\n\n" + body, older(shop, b"/* older */\n" + SHOP))
    assert found == (Compared("=", b"check the count"),)


def test_patches_of_a_series_that_touch_one_file_are_compared_one_by_one(shop: Shop) -> None:
    second = FIXED.replace(b"used = 0", b"used = -1").replace(CHECK, CHECK.replace(b"0", b"1"))
    mails = fix(shop) + format_patch(shop.project.repo, shop.project.commit("shop: close", {PATH: second}))
    target = b"/* older */\n" + SHOP.replace(b"sizeof(table)", b"sizeof table")
    found = shop.port(mails, older(shop, target))
    assert [(one.mark, one.subject) for one in found] == [("=", b"shop: check the count"), ("!", b"shop: close")]


def test_a_series_of_bare_patches_on_one_file_is_compared_too(shop: Shop) -> None:
    head = b"From %040d Mon Sep 17 00:00:00 2001\nSubject: %d\n\n%s\n"
    second = FIXED.replace(b"used = 0", b"used = -1").replace(CHECK, CHECK.replace(b"0", b"1"))
    mails = b"".join(head % (n, n, body) for n, body in ((1, unified(SHOP, FIXED)), (2, unified(FIXED, second))))
    found = shop.port(mails, older(shop, b"/* older */\n" + SHOP.replace(b"sizeof(table)", b"sizeof table")))
    assert [(one.mark, one.subject) for one in found] == [("=", b"1"), ("!", b"2")]


def test_a_file_of_another_name_is_shown_under_both(shop: Shop) -> None:
    patch = fix(shop)
    target = older(shop, SHOP, "old/shop.c")
    (found,) = shop.port(patch, target)
    headings = [line for line in found.lines if b" ## " in line]
    assert headings == [b"- ## lib/shop.c ##", b"+ ## old/shop.c ##"]


@pytest.mark.parametrize("changes", [{"new.c": b"int new;\n"}, {PATH: None, "lib/store.c": SHOP}])
def test_added_and_renamed_files_are_the_same(shop: Shop, changes: dict[str, bytes | None]) -> None:
    shop.project.commit("base", {PATH: SHOP})
    patch = format_patch(shop.project.repo, shop.project.commit("files", changes))
    target = older(shop, SHOP)
    assert [one.mark for one in shop.port(patch, target)] == ["="]


def test_nothing_is_left_in_the_result_repository(shop: Shop) -> None:
    patch, target = fix(shop), older(shop, b"\n" + SHOP)
    shop.port(patch, target)
    before = sorted(shop.results.rglob("*"))
    result = apply_series(parse_series(patch), GitTree(shop.project.repo, target))
    tip = str(open_results(shop.results, shop.project.path).references["refs/attempts/1"].target)
    range_diff(shop.project.path, shop.results, target, tip, [one.patch for one in result.patches])
    assert sorted(shop.results.rglob("*")) == before


@pytest.mark.parametrize("limit", [10, 1 << 20], ids=["fails", "succeeds"])
def test_what_is_compared_is_in_a_closed_folder_and_gone_after(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    patch, target, scratch = fix(shop), older(shop, b"\n" + SHOP), tmp_path / "scratch"
    scratch.mkdir()
    modes: list[int] = []
    monkeypatch.setattr("backports.git.scratch.MEMORY", scratch)
    monkeypatch.setattr("backports.git.range_diff.OUTPUT_LIMIT", limit)
    monkeypatch.setattr("backports.git.range_diff.run_git", lambda *a, **k: _seen(scratch, modes, *a, **k))
    with contextlib.suppress(GitError):
        shop.port(patch, target)
    assert modes == [0o40700]
    assert list(scratch.iterdir()) == []


def test_without_a_folder_in_memory_any_temporary_one_will_do(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch, target = fix(shop), older(shop, b"\n" + SHOP)
    monkeypatch.setattr("backports.git.scratch.MEMORY", tmp_path / "absent")
    assert len(shop.port(patch, target)) == 1


def _seen(scratch: Path, modes: list[int], *args, **named) -> bytes:
    """The real git, after a look at who may read the folder that it works in."""
    modes += [folder.stat().st_mode for folder in scratch.iterdir()]
    return run_git(*args, **named)


def test_a_result_without_commits_has_nothing_to_compare(shop: Shop) -> None:
    fix(shop)
    target = older(shop, SHOP)
    open_results(shop.results, shop.project.path)
    with pytest.raises(GitError) as caught:
        range_diff(shop.project.path, shop.results, target, target, [])
    assert caught.value.code == "no-such-commit"
