"""Golden cases of the rungs above the three-way merge, and of what each of them refuses."""

from __future__ import annotations

import pytest

from backports.engine import diff
from backports.engine.files import Tools
from backports.engine.functions import functions_of
from backports.engine.locate import diff_lines, split_lines
from backports.engine.result import Confidence, Outcome, Rung
from backports.engine.series import OverlayTree, apply_patches
from backports.engine.tokens import merge_words
from tests.engine.helpers import FIXED, SHOP, DictTree, after, apply, hunk_results, unified

PATCH = unified(SHOP, FIXED)


def on(target: bytes, patch: bytes = PATCH, base: bytes = SHOP):
    return apply(patch, DictTree({"lib/shop.c": target}, store=[base]))


def code_of(result) -> str:
    (found,) = hunk_results(result)
    return found.rejection.code


NEIGHBOUR = SHOP.replace(b"    table[slot].count += count;\n", b"    table[slot].count = total(count);\n")


def test_an_insertion_beside_the_targets_own_change() -> None:
    line = b"    table[slot].seen = now();\n"
    fixed = SHOP.replace(b"    table[slot].name = name;\n", line + b"    table[slot].name = name;\n")
    result = on(NEIGHBOUR, unified(SHOP, fixed))
    assert after(result) == NEIGHBOUR.replace(
        b"    table[slot].name = name;\n", line + b"    table[slot].name = name;\n"
    )
    assert (result.rung, result.confidence) == (Rung.ADJACENT, Confidence.HIGH)
    assert "right beside" in result.reasons[0]


def test_a_blank_line_alone_is_no_neighbour_to_go_by() -> None:
    target = SHOP.replace(
        b"\n    if (slot < 0)\n        slot = used++;\n", b"\n    if (slot == -1)\n        slot = next();\n"
    )
    assert on(target).outcome is Outcome.CONFLICT


def test_a_name_that_the_targets_file_lost_is_not_added_beside_its_change() -> None:
    fixed = SHOP.replace(b"    table[slot].name = name;\n", b"    table[slot].name = name + MAX_STOCK;\n")
    target = NEIGHBOUR.replace(b"MAX_STOCK", b"LIMIT")
    assert on(target, unified(SHOP, fixed)).outcome is Outcome.CONFLICT


def test_a_replaced_line_beside_the_targets_own_change() -> None:
    fixed = SHOP.replace(b"    table[slot].name = name;\n", b"    table[slot].name = copy(name);\n")
    target = SHOP.replace(b"    table[slot].count += count;\n", b"    table[slot].count = total(count);\n")
    result = on(target, unified(SHOP, fixed))
    assert (after(result), result.rung) == (
        target.replace(b".name = name;\n", b".name = copy(name);\n"),
        Rung.ADJACENT,
    )


def test_an_insertion_where_the_target_inserts_too_is_left_open() -> None:
    target = SHOP.replace(b"    if (slot < 0)\n        slot", b"    trace(name);\n    if (slot < 0)\n        slot")
    assert on(target).outcome is Outcome.CONFLICT


def test_an_addition_into_a_block_that_the_target_lacks() -> None:
    base = SHOP + b"\nvoid shop_lock(void);\n\nvoid shop_unlock(void);\n\n#endif\n"
    fixed = base.replace(b"void shop_unlock", b"void shop_flush(void);\n\nvoid shop_unlock")
    result = on(SHOP + b"\n#endif\n", unified(base, fixed), base)
    assert (after(result), result.rung) == (SHOP + b"\nvoid shop_flush(void);\n\n#endif\n", Rung.ADJACENT)


def test_a_line_for_a_function_that_the_target_lacks_is_not_put_anywhere() -> None:
    base = SHOP + b"\nvoid shop_count(void)\n{\n    begin();\n    finish();\n}\n\nint end;\n"
    fixed = base.replace(b"    begin();\n", b"    begin();\n    check_everything();\n")
    assert on(SHOP + b"\nint end;\n", unified(base, fixed), base).outcome is Outcome.CONFLICT


def test_a_statement_is_not_left_there_twice() -> None:
    old = b"int f(void)\n{\n    begin();\n    one(1);\n    leave(x);\n}\n"
    fixed = old.replace(b"    one(1);\n", b"    one(1);\n    audit(x);\n")
    target = old.replace(b"    leave(x);\n", b"    audit(x);\n    depart(x);\n")
    assert on(target, unified(old, fixed), old).outcome is not Outcome.APPLIED


MOVABLE = b"int moved(int x)\n{\n    lock(x);\n    step_one(x);\n    step_two(x);\n    unlock(x);\n    return x;\n}\n"
OTHERS = b"".join(b"int other%d(int x)\n{\n    return work_on(x, %d);\n}\n\n" % (n, n) for n in range(8))


def test_a_function_that_stands_elsewhere_in_the_file_is_found_by_its_name() -> None:
    base, own = MOVABLE + b"\n" + OTHERS, MOVABLE.replace(b"    lock(x);\n", b"    take_lock(x);\n")
    fixed = base.replace(b"    step_one(x);\n", b"    step_zero(x);\n    step_one(x);\n")
    result = on(OTHERS + own, unified(base, fixed), base)
    assert after(result) == OTHERS + own.replace(b"    step_one(x);\n", b"    step_zero(x);\n    step_one(x);\n")


BLOCK = b"static void old_way(int x)\n{\n" + b"".join(b"    step(x, %d);\n" % n for n in range(12)) + b"}\n\n"


def test_a_removed_block_may_read_a_little_differently() -> None:
    base = SHOP.replace(b"void shop_close", BLOCK + b"void shop_close")
    result = on(base.replace(b"    step(x, 5);\n", b"    step(x, 55);\n"), unified(base, SHOP), base)
    assert (after(result), result.rung, result.confidence) == (SHOP, Rung.BLOCK, Confidence.HIGH)


def test_a_block_with_much_of_the_targets_own_is_not_removed() -> None:
    base = SHOP.replace(b"void shop_close", BLOCK + b"void shop_close")
    own = b"".join(b"    own_step(x, %d);\n" % n for n in range(5))
    target = base.replace(b"    step(x, 5);\n", b"    step(x, 5);\n" + own)
    assert on(target, unified(base, SHOP), base).outcome is Outcome.CONFLICT


def test_other_words_of_one_line_merge() -> None:
    fixed = SHOP.replace(b"static struct stock table[MAX_STOCK];", b"static struct stock table[MAX_STOCK + 1];")
    target = SHOP.replace(b"static struct stock table[MAX_STOCK];", b"static struct goods table[MAX_STOCK];")
    result = on(target, unified(SHOP, fixed))
    assert after(result) == target.replace(b"table[MAX_STOCK];", b"table[MAX_STOCK + 1];")
    assert (result.rung, result.confidence) == (Rung.TOKEN, Confidence.REVIEW)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"f(a, b);\n", b"g(a, b);\n", b"f(a, b, c);\n", b"g(a, b, c);\n"),
        (b"f(a, b);\n", b"f(a, c);\n", b"f(a, d);\n", None),  # the same word
        (b"BIT(NAME, 3)\n", b"BIT(NAME, 4)\n", b"BIT(NAME, 3)\nBIT(OTHER, 4)\n", None),  # slots of a table
        (b"used = 0;\n", b"reset();\ncount_of_all = 0;\n", b"used = x;\n", None),  # no longer the same code
    ],
    ids=["other words", "same word", "numbers on both sides", "other code"],
)
def test_words_of_both_sides(base: bytes, ours: bytes, theirs: bytes, merged: bytes | None) -> None:
    assert merge_words(base, ours, theirs, diff_lines) == merged


def with_names(patch: bytes, target: bytes, base: bytes, lacking: set[bytes]):
    """The one patch's result when the target's tree lacks these names."""
    tree = OverlayTree(DictTree({"lib/shop.c": target}, store=[base]))
    tools = Tools(strangers=lambda names, _path: frozenset(names) & lacking)
    (result,) = apply_patches(diff.parse_series(patch), tree, tools)
    return result


def test_added_lines_take_the_targets_name() -> None:
    target = SHOP.replace(b"MAX_STOCK", b"STOCK_LIMIT")
    result = with_names(PATCH, target, SHOP, {b"MAX_STOCK"})
    assert result.changes["lib/shop.c"].data == FIXED.replace(b"MAX_STOCK", b"STOCK_LIMIT")
    assert result.files[0].rung is Rung.DIALECT
    assert "MAX_STOCK as STOCK_LIMIT" in result.files[0].doubts[0]


def test_a_call_that_takes_other_arguments_is_no_other_name() -> None:
    target = SHOP.replace(b"table[MAX_STOCK];", b"table[STOCK_LIMIT(0)];").replace(
        b"define MAX_STOCK 64", b"define LIMIT 1"
    )
    (found,) = with_names(PATCH, target, SHOP, {b"MAX_STOCK"}).files[0].hunks
    assert found.placement is None or found.placement.rung is not Rung.DIALECT


def test_a_name_that_the_target_knows_is_kept() -> None:
    result = with_names(PATCH, SHOP.replace(b"MAX_STOCK", b"STOCK_LIMIT"), SHOP, set())
    assert b"used >= MAX_STOCK" in (result.changes["lib/shop.c"].data or b"")


def test_a_name_without_a_stand_in_is_refused_where_the_place_is_not_certain() -> None:
    target = SHOP.replace(
        b"\n    if (slot < 0)\n        slot = used++;\n", b"\n    if (slot == -1)\n        slot = next();\n"
    )
    (found,) = with_names(PATCH, target, SHOP, {b"ENOSPC"}).files[0].hunks
    assert found.rejection is not None


def test_functions_are_told_by_their_layout() -> None:
    lines = split_lines(
        b"int proto(int x);\n\nstatic int\ntwo(\n    int x)\n{\n    if (x) {\n    }\nout:\n    return x;\n}\n\n"
        + MOVABLE
    )
    assert [(one.name, one.start, one.stop) for one in functions_of(lines)] == [(b"two", 2, 11), (b"moved", 12, 20)]
