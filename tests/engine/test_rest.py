"""Golden cases of runs that the target has a part of, and what looks like one and is none."""

from __future__ import annotations

from backports.engine.result import Outcome, Rung
from tests.engine.helpers import SHOP, DictTree, after, apply, unified


def on(target: bytes, old: bytes, new: bytes):
    return apply(unified(old, new), DictTree({"lib/shop.c": target}, store=[old]))


ADD = b"    table[slot].count += count;\n    table[slot].name = name;\n"
BOTH = SHOP.replace(ADD, b"    table[slot].count = total(slot, count);\n    table[slot].name = copy(name);\n")


def test_the_rest_of_a_change_whose_first_line_the_target_has() -> None:
    """Shape of XSA-398 3c8e7395e2d0: the older branch reads as fixed in the first of two lines."""
    target = SHOP.replace(b".count += count;\n", b".count = total(slot, count);\n", 1)
    result = on(target, SHOP, BOTH)
    assert (after(result), result.outcome) == (BOTH, Outcome.APPLIED)


def test_the_rest_of_a_change_whose_last_line_the_target_has() -> None:
    target = SHOP.replace(b".name = name;\n", b".name = copy(name);\n", 1)
    assert after(on(target, SHOP, BOTH)) == BOTH


def test_a_first_line_that_the_target_changed_otherwise_is_not_the_changes() -> None:
    target = SHOP.replace(b".count += count;\n", b".count = total(slot, 2);\n", 1)
    assert on(target, SHOP, BOTH).outcome is not Outcome.APPLIED


GUARDED = b"#ifdef CONFIG_COUNT\n    int shop_count_of(const char *name, int count);\n#endif\n"
TABLE = SHOP.replace(
    b"static int used;\n", b"static int used;\nint shop_size(void);\n%sint shop_room(void);\n" % GUARDED
)
BARE = TABLE.replace(b"#ifdef CONFIG_COUNT\n", b"").replace(b"count);\n#endif\n", b"count);\n")
GONE = TABLE.replace(GUARDED, b"")


def test_removed_lines_of_which_the_target_lacks_the_condition() -> None:
    """Shape of XSA-499 2881e008a7ab: newer branches have the removed line inside a conditional."""
    result = on(BARE, TABLE, GONE)
    assert (after(result), result.rung) == (GONE, Rung.BLOCK)


def test_half_a_block_is_not_removed() -> None:
    """What the target lacks closes a bracket that what it has would leave open."""
    old = SHOP.replace(b"used = 0;\n", b"used = 0;\n    if (table[0].count) {\n        shop_report(stderr);\n    }\n")
    target = old.replace(b"        shop_report(stderr);\n    }\n", b"")
    assert on(target, old, SHOP).outcome is not Outcome.APPLIED


def test_lines_of_the_targets_own_among_the_removed_ones_stop_it() -> None:
    target = BARE.replace(b"    int shop_count_of", b"int shop_own_count(void);\n    int shop_count_of")
    assert on(target, TABLE, GONE).outcome is not Outcome.APPLIED


CHECK = b"    check_table(table, used);\n\n"
WITH_CHECK = SHOP.replace(b"    table[slot].count -= count;\n", CHECK + b"    table[slot].count -= count;\n")


def test_a_blank_line_that_parts_the_targets_own_lines_stays() -> None:
    """Shape of XSA-231 2fece3530352: the branch has more lines between the removed one and the blank one."""
    own = b"    check_name(name, count);\n"
    target = WITH_CHECK.replace(CHECK, CHECK[:-1] + own + b"\n")
    assert after(on(target, WITH_CHECK, SHOP)) == target.replace(CHECK[:-1], b"")


def test_a_removed_line_that_the_target_lacks_does_not_take_another() -> None:
    target = WITH_CHECK.replace(CHECK, b"    audit(name);\n    more(name);\n\n")
    assert on(target, WITH_CHECK, SHOP).outcome is not Outcome.APPLIED
