"""Several patches in order on one tree."""

from __future__ import annotations

from backports.engine.diff import parse_patch
from backports.engine.ladder import apply_series
from backports.engine.result import Confidence, Outcome, Rung
from backports.engine.verify import reverse_patch
from tests.engine.helpers import FIXED, SHOP, DictTree, after, apply, unified

SECOND = FIXED.replace(b"    if (slot < 0 && used >= MAX_STOCK)\n", b"    if (slot < 0 && used >= stock_limit())\n")
ONE, TWO = parse_patch(unified(SHOP, FIXED)), parse_patch(unified(FIXED, SECOND))


def test_the_second_patch_builds_on_the_first() -> None:
    result = apply_series([ONE, TWO], DictTree({"lib/shop.c": SHOP}))
    assert (result.outcome, result.rung, after(result)) == (Outcome.APPLIED, Rung.EXACT, SECOND)
    assert [list(patch.changes) for patch in result.patches] == [["lib/shop.c"]] * 2


def test_the_second_patch_finds_its_base_though_no_repository_has_it() -> None:
    """Its context changed in the target; only the author's own file after patch one tells where it goes."""
    target = SHOP.replace(b"    table[slot].count += count;\n", b"    table[slot].count = more(count);\n")
    third = FIXED.replace(b"    table[slot].name = name;\n", b"    table[slot].name = name;\n    stamp(slot);\n")
    result = apply_series([ONE, parse_patch(unified(FIXED, third))], DictTree({"lib/shop.c": target}, store=[SHOP]))
    assert result.patches[1].files[0].rung is Rung.THREE_WAY
    assert result.confidence is Confidence.HIGH


def test_series_on_a_tree_that_has_its_first_patch() -> None:
    result = apply_series([ONE, TWO], DictTree({"lib/shop.c": FIXED}))
    assert (result.outcome, after(result)) == (Outcome.APPLIED, SECOND)
    assert "Patch 1 was in the tree already." in result.reasons


def test_series_on_a_tree_that_has_all_of_it() -> None:
    """Patch two rewrote what patch one left, so patch one alone can no longer be recognised."""
    result = apply_series([ONE, TWO], DictTree({"lib/shop.c": b"/* moved down */\n" + SECOND}))
    assert result.outcome is Outcome.ALREADY_APPLIED
    assert all(patch.outcome is Outcome.ALREADY_APPLIED and not patch.changes for patch in result.patches)
    assert result.rung is Rung.ALREADY_APPLIED


def test_add_and_take_back_changes_nothing() -> None:
    result = apply_series([ONE, reverse_patch(ONE)], DictTree({"lib/shop.c": SHOP}))
    assert result.outcome is Outcome.ALREADY_APPLIED


def test_conflict_in_the_second_patch_keeps_the_first() -> None:
    bad = parse_patch(b"--- a/lib/shop.c\n+++ b/lib/shop.c\n@@ -1,2 +1,2 @@\n no such line\n-at all\n+here\n")
    result = apply_series([ONE, bad], DictTree({"lib/shop.c": SHOP}))
    assert (result.outcome, result.confidence) == (Outcome.PARTLY_APPLIED, Confidence.REVIEW)
    assert [patch.outcome for patch in result.patches] == [Outcome.APPLIED, Outcome.CONFLICT]
    assert after(result) == FIXED
    assert result.reasons[0].startswith("Patch 2, lib/shop.c: hunk 1 did not land")


def test_file_renamed_by_the_first_patch_is_found_by_the_second() -> None:
    rename = parse_patch(
        b"diff --git a/lib/shop.c b/lib/store.c\nsimilarity index 100%\nrename from lib/shop.c\nrename to lib/store.c\n"
    )
    result = apply_series([rename, ONE], DictTree({"lib/shop.c": SHOP}))
    assert after(result, "lib/store.c") == FIXED
    assert after(result, "lib/shop.c") is None


def test_the_tree_below_is_only_read() -> None:
    tree = DictTree({"lib/shop.c": SHOP})
    apply_series([ONE, TWO], tree)
    assert tree.read("lib/shop.c").data == SHOP


def test_one_file_twice_in_one_patch() -> None:
    data = unified(SHOP, FIXED, index=False) + unified(FIXED, SECOND, index=False)
    assert after(apply(data, SHOP)) == SECOND
