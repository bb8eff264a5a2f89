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
        (b"void __late_init f(int x)\n", b"void __init f(int x)\n", b"void f(long x)\n", b"void f(long x)\n"),
        (b"if (a && b == c)\n", b"if (a && d == e)\n", b"if (a)\n", None),  # more than a few words of what goes
        (b"p = page(conv(m));\n", b"p = page(m);\n", b"int q = conv(m);\n", None),  # a bracket would stay open
    ],
    ids=["other words", "same word", "numbers", "other code", "a word that goes", "a term that goes", "brackets"],
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


def test_words_that_go_must_read_the_same_where_all_are_asked_for() -> None:
    sides = b"void __late_init f(int x)\n", b"void __init f(int x)\n", b"void f(long x)\n"
    assert merge_words(*sides, diff_lines, wholly=True) is None


LOOP = b"""\
int scan(struct table *t)
{
    int rc = 0;

    for (i = 0; i < used; i++)
    {
        rc = look_at(t, i);
        count(rc);
    }
    log_failure(warn, "look %u", i);
    if ( i )
    {
        t->seen = i;
    }
    return rc;
}
"""


def test_an_insertion_at_the_start_of_a_block() -> None:
    """Shape of XSA-273 c67a8b808ad1: the target's own lines begin right below the brace, too."""
    fixed = LOOP.replace(
        b"    {\n        rc = look_at",
        b"    {\n        if (!valid(t, i))\n            continue;\n\n        rc = look_at",
    )
    target = LOOP.replace(
        b"        rc = look_at(t, i);\n", b"        if (guest(t, i))\n            rc = look_at(t, i);\n"
    )
    result = on(target, unified(LOOP, fixed), LOOP)
    assert after(result) == target.replace(
        b"    {\n        if (guest", b"    {\n        if (!valid(t, i))\n            continue;\n\n        if (guest"
    )
    assert result.rung is Rung.ADJACENT


def test_a_brace_whose_heading_the_target_changed_is_no_place() -> None:
    fixed = LOOP.replace(b"    {\n        rc = look_at", b"    {\n        prepare(t, i);\n        rc = look_at")
    target = LOOP.replace(b"    for (i = 0; i < used; i++)\n", b"    while (more(t))\n").replace(
        b"        rc = look_at(t, i);\n", b"        i = next(t);\n        rc = peek(t);\n"
    )
    assert on(target, unified(LOOP, fixed), LOOP).outcome is Outcome.CONFLICT


CHECKED = LOOP.replace(b"    if ( i )\n", b"    assert_unlocked(t);\n    if ( i )\n")


def test_a_short_line_with_telling_ones_below_it_is_a_neighbour() -> None:
    """Shape of XSA-299 d3c4b609fafd: the message above is another in the target."""
    target = LOOP.replace(b'    log_failure(warn, "look %u", i);\n', b'    print("failed at %u", i);\n')
    result = on(target, unified(LOOP, CHECKED), LOOP)
    assert after(result) == target.replace(b"    if ( i )\n", b"    assert_unlocked(t);\n    if ( i )\n")


def test_a_short_line_alone_is_no_neighbour() -> None:
    target = LOOP.replace(b'    log_failure(warn, "look %u", i);\n', b'    print("failed at %u", i);\n').replace(
        b"        t->seen = i;\n", b"        t->latest = i + 1;\n"
    )
    assert on(target, unified(LOOP, CHECKED), LOOP).outcome is Outcome.CONFLICT


HEADER = (
    b"#include <shop.h>\n\n#define SHOP_FRAMES 1U\n\n"
    b"struct shop_arch {\n    int frames;\n};\n\nint shop_map(int frame);\n"
)
MORE = HEADER.replace(b"FRAMES 1U\n", b"FRAMES 1U\n#define SHOP_VERSION 1\n")


def test_a_line_added_at_the_end_of_a_paragraph_that_reads_differently() -> None:
    """Shape of XSA-268 5fd0bb322d07: the next paragraph is not in the target at all."""
    target = b"#include <shop.h>\n\n#define SHOP_FRAMES 4\n\nint shop_map(int frame);\n"
    result = on(target, unified(HEADER, MORE), HEADER)
    assert (after(result), result.rung) == (target.replace(b" 4\n", b" 4\n#define SHOP_VERSION 1\n"), Rung.BLOCK)


def test_a_paragraph_that_goes_on_in_the_target_has_no_end_there() -> None:
    target = b"#include <shop.h>\n\n#define SHOP_FRAMES 4\n#define SHOP_OWN 2\nint shop_map(int frame);\n"
    assert on(target, unified(HEADER, MORE), HEADER).outcome is Outcome.CONFLICT


STATE = b"struct state {\n    uint8_t index;\n    bool standard;\n    uint32_t latch;\n    spinlock_t lock;\n};\n"


def test_one_line_in_the_place_of_one_may_be_less_alike() -> None:
    """Shape of XSA-463 92667bef147c."""
    target = STATE.replace(b"bool standard;", b"bool_t standard;")
    gone = STATE.replace(b"    bool standard;\n", b"")
    assert after(on(target, unified(STATE, gone), STATE)) == gone


@pytest.mark.parametrize("own", [b"    bool_t planar;\n", b"    bool_t standard;\n    bool_t planar;\n"])
def test_another_line_and_two_lines_are_not_in_the_place_of_one(own: bytes) -> None:
    gone = STATE.replace(b"    bool standard;\n", b"")
    result = on(STATE.replace(b"    bool standard;\n", own), unified(STATE, gone), STATE)
    assert result.outcome is Outcome.CONFLICT


SPLIT = b"""\
int pick(int node)
{
    trace(node);
    count_picks();
    watch(node);

    if (node < 0)
        node = first();
    first_node = node;

    return walk(node);
}
"""
WHOLE = b"""\
int take(int node, int order)
{
    int zone = zone_of(order);

    if (node < 0)
        node = last(order);
    first_node = node;
    check_zone(zone);
    return claim(node, order);
}
"""
LIMITED = SPLIT.replace(
    b"    first_node = node;\n", b"    if (node > LAST)\n        return 0;\n    first_node = node;\n"
)


def test_a_function_that_the_target_lacks_may_be_part_of_another() -> None:
    """Shape of XSA-231 2fece3530352: the function was split later."""
    result = on(WHOLE, unified(SPLIT, LIMITED), SPLIT)
    assert b"        node = last(order);\n    if (node > LAST)\n        return 0;\n    first_node" in (
        after(result) or b""
    )
    assert result.confidence is Confidence.REVIEW


def test_a_function_that_the_target_has_is_not_looked_for_in_another() -> None:
    target = b"int pick(int node)\n{\n    return closest(node);\n}\n\n" + WHOLE
    assert on(target, unified(SPLIT, LIMITED), SPLIT).outcome is Outcome.CONFLICT
