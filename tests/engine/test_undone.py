"""Golden cases and near misses of knowing a change again where it was merged word by word, or among other lines."""

from __future__ import annotations

import pytest

from backports.engine.locate import diff_lines
from backports.engine.result import Answer, Outcome, Rung
from backports.engine.tokens import can_be_undone
from tests.engine.helpers import SHOP, DictTree, after, apply, unified

COUNT = b"    table[slot].count += count;\n"
NAME = b"    table[slot].name = name;\n"
TAKEN = b"    table[slot].count -= count;\n"


def on(target: bytes, fixed: bytes, base: bytes = SHOP):
    return apply(unified(base, fixed), DictTree({"lib/shop.c": target}, store=[base]))


def is_there(target: bytes, fixed: bytes, base: bytes = SHOP) -> bool:
    return on(target, fixed, base).outcome is Outcome.ALREADY_APPLIED


def twice(target: bytes, fixed: bytes, base: bytes = SHOP) -> tuple[Rung | None, Outcome]:
    """The rung that the fix needs on the target, and the outcome of giving it again."""
    first = on(target, fixed, base)
    done = after(first)
    assert done is not None and first.outcome is Outcome.APPLIED
    second = on(done, fixed, base)
    assert after(second) is None
    return first.rung, second.outcome


WORDS = [  # XSA-110 28b4baacd599, XSA-235 5ff1de3e4f56, XSA-275 1a7ffe466cd0
    (
        b"    report(KEEPER, slot, count);\n",
        b"    report(OWNER, slot, count);\n",
        b"    if (check(slot))\n        report(KEEPER, slot, count);\n",
    ),
    (
        b"    if (slot < used)\n        report(KEEPER, slot, count);\n",
        b"    if (slot < used)\n        report(OWNER, slot, count);\n",
        b"    report(KEEPER, slot, count);\n",
    ),
    (b"    sell(table, slot, count);\n", b"    sell(goods, slot, count);\n", b"    sell(table, slot, count, true);\n"),
]


@pytest.mark.parametrize(("old", "own", "new"), WORDS, ids=["guarded", "unguarded", "another argument"])
def test_a_fix_that_was_merged_word_by_word_is_known_again(old: bytes, own: bytes, new: bytes) -> None:
    base = SHOP.replace(COUNT, old)
    assert twice(SHOP.replace(COUNT, own), SHOP.replace(COUNT, new), base) == (Rung.TOKEN, Outcome.ALREADY_APPLIED)


@pytest.mark.parametrize(("old", "own", "new"), WORDS, ids=["guarded", "unguarded", "another argument"])
def test_the_targets_own_words_alone_are_no_sign_of_it(old: bytes, own: bytes, new: bytes) -> None:
    base = SHOP.replace(COUNT, old)
    assert not is_there(SHOP.replace(COUNT, own), SHOP.replace(COUNT, new), base)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "told"),
    [
        (b"f(a, b);\n", b"g(a, b, c);\n", b"f(a, b, c);\n", True),
        (b"f(a, b);\n", b"g(a, b);\n", b"f(a, b, c);\n", False),  # not there
        (b"f(a, b);\nx(d);\n", b"g(a, b, c);\nx(d);\n", b"f(a, b, c);\nx(d, e);\n", False),  # half of it
        (b"f(a, b * c);\n", b"g(a, c * b);\n", b"f(a, b);\n", False),  # the removed name, in another order
        (b"f(a, b);\n" * 900, b"f(a, b);\n" * 900, b"f(a, b, c);\n" * 900, False),  # too much
    ],
    ids=["there", "not there", "half", "said otherwise", "too much"],
)
def test_words_that_could_be_taken_out_and_put_back(base: bytes, ours: bytes, theirs: bytes, told: bool) -> None:
    assert can_be_undone(base, ours, theirs, diff_lines) is told


AUDIT = b"    audit_stock(slot);\n"
SEEN = b"    table[slot].seen = now();\n"
BOTH = SHOP.replace(COUNT, AUDIT + COUNT).replace(NAME, NAME + b"    wake_keeper(slot);\n")


@pytest.mark.parametrize(
    "target",
    [
        SHOP.replace(COUNT, SEEN + AUDIT + SEEN + COUNT).replace(NAME, b"    table[slot].name = copy(name);\n"),
        SHOP.replace(COUNT, COUNT + SEEN).replace(NAME, b"    reset();\n    wake_keeper(slot);\n"),
    ],
    ids=["first", "second"],
)
def test_one_of_two_insertions_is_not_the_whole_change(target: bytes) -> None:
    assert not is_there(target, BOTH)


def test_a_line_that_stands_elsewhere_in_the_function_is_not_the_one_that_is_added() -> None:
    target = SHOP.replace(COUNT, COUNT.replace(b"+= count", b"+= total(count)"))
    moved = target.replace(b"    int slot = shop_find(name);\n", b"    int slot = shop_find(name);\n" + AUDIT, 1)
    assert not is_there(moved, SHOP.replace(COUNT, AUDIT + COUNT.replace(b"+= count", b"+= (count)")))


TWINS = SHOP.replace(
    b"void shop_close", b"void shop_reopen(void)\n{\n    used = 0;\n    sort_by_name(table);\n}\n\nvoid shop_close"
)
CLOSED = b"    used = 0;\n    memset(table, 0, sizeof(table));\n"
CHECKED = b"    if (!shop_is_locked())\n        return;\n"


def test_the_same_fix_in_a_twin_function_is_not_this_one() -> None:
    fixed = TWINS.replace(CLOSED, CHECKED + CLOSED)
    twin = b"    used = 0;\n    sort_by_name(table);\n"
    own = TWINS.replace(b"sizeof(table));", b"sizeof table);").replace(twin, CHECKED + twin)
    assert not is_there(own, fixed, TWINS)


def test_the_same_fix_in_a_twin_function_alone_is_not_this_one() -> None:
    fixed = TWINS.replace(CLOSED, CHECKED + CLOSED)
    only = TWINS[: TWINS.index(b"void shop_close")].replace(
        b"    used = 0;\n", b"    trace();\n" + CHECKED + b"    used = 0;\n"
    )
    assert not is_there(only, fixed, TWINS)


def test_a_fix_in_a_function_that_the_target_names_otherwise_is_known_again() -> None:
    """XSA-301 6e8e163b46d0: the older function has no `_range` in its name."""
    target = SHOP.replace(b"shop_take", b"shop_sell").replace(TAKEN, b"    trace(name);\n" + TAKEN + SEEN)
    fixed = SHOP.replace(TAKEN, b"    table[slot].count -= min(count, used);\n")
    done = target.replace(TAKEN, b"    table[slot].count -= min(count, used);\n")
    assert is_there(done, fixed)


ALARM = b"    ring_alarm(slot);\n"
RINGING = SHOP.replace(COUNT, ALARM + COUNT)


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (b"    trace(name);\n", True),
        (b"    if (slot)\n        keeper_ring_alarm_at(slot);\n", False),  # XSA-240 2c4b5bd9ba92: said in other words
        (b"    ring_alarm(slot, 1);\n", False),
    ],
    ids=["gone", "other words", "another argument"],
)
def test_removed_code_is_gone_when_the_target_has_nothing_like_it(own: bytes, told: bool) -> None:
    target = SHOP.replace(COUNT, own + COUNT).replace(b"        slot = used++;\n\n", b"        slot = next();\n\n")
    assert is_there(target, SHOP, RINGING) is told


def test_removed_code_that_the_target_has_further_down_is_not_gone() -> None:
    """XSA-372 on 4.14: what the fix moves to another function stands here, two lines further down."""
    fixed = SHOP.replace(b"    used = 0;\n", ALARM + b"    used = 0;\n")
    target = SHOP.replace(COUNT + NAME, SEEN + COUNT + NAME + ALARM)
    assert not is_there(target, fixed, RINGING)


def test_a_name_that_the_fix_takes_away_and_the_target_still_uses_is_not_gone() -> None:
    """XSA-378 on 4.13: the list that is no more initialised here is another file's to initialise."""
    target = SHOP.replace(COUNT, SEEN + COUNT).replace(CLOSED, CLOSED + b"    when_closed(ring_alarm);\n")
    assert not is_there(target, SHOP, RINGING)


def test_code_removed_from_a_function_that_the_target_lacks_is_not_known_to_be_gone() -> None:
    """XSA-326 on 4.15."""
    extra = b"void shop_count(void)\n{\n    begin_counting();\n    finish_counting();\n}\n\n"
    base = SHOP.replace(b"void shop_close", extra + b"void shop_close")
    (found,) = on(SHOP, base.replace(b"    begin_counting();\n", b""), base).patches[0].files[0].hunks
    assert "undone" in [step.rung for step in found.trail if step.answer is Answer.NOTHING]


LONG = b"static void old_way(int x)\n{\n" + b"".join(
    b"    step_%s(x);\n" % name for name in (b"one", b"two", b"six", b"ten", b"all", b"out", b"new", b"old")
)


@pytest.mark.parametrize("left", [b"", b"    step_two(x);\n"], ids=["nothing", "a line that is common"])
def test_a_long_block_is_gone_though_the_target_has_a_line_of_it(left: bytes) -> None:
    """XSA-60 644e6c5c7106: the target has a function of its own where a whole one was removed."""
    base = SHOP.replace(b"void shop_close", LONG + b"    step_end(x);\n}\n\nvoid shop_close")
    own = b"int shop_peek(const char *what)\n{\n" + left + b"    return shop_find(what) >= 0;\n}\n\n"
    assert is_there(SHOP.replace(b"void shop_close", own + b"void shop_close"), SHOP, base)


def test_a_long_block_of_which_much_is_left_is_not_gone() -> None:
    base = SHOP.replace(b"void shop_close", LONG + b"    step_end(x);\n}\n\nvoid shop_close")
    own = LONG.replace(b"old_way", b"older_way") + b"}\n\n"
    assert not is_there(SHOP.replace(b"void shop_close", own + b"void shop_close"), SHOP, base)


def test_code_that_the_hunk_moves_is_there_once_it_stands_at_its_new_place() -> None:
    """XSA-47 2bebeac00164."""
    fixed = SHOP.replace(COUNT + NAME, NAME + COUNT)
    target = SHOP.replace(COUNT + NAME, SEEN + COUNT + NAME)
    assert is_there(SHOP.replace(COUNT + NAME, SEEN + NAME + b"    trace(1);\n" + COUNT), fixed)
    assert not is_there(target, fixed)


def test_a_landing_that_changes_nothing_is_told_so() -> None:
    """XSA-404 8c24b70fedcb: in the target's names the added line stands there already."""
    base = SHOP.replace(b"static int used;\n", b"static int __ro_after_init used;\n")
    fixed = base.replace(b" used;\n", b" used;\nstatic int __ro_after_init open;\n")
    target = base.replace(b"__ro_after_init", b"__read_mostly").replace(b"used;\n\n", b"used;\nint x;\n\n")
    assert twice(target, fixed, base) == (Rung.DIALECT, Outcome.ALREADY_APPLIED)


JUMPS = SHOP.replace(TAKEN, b"    if (count < 0)\n        goto fail;\n\n" + TAKEN).replace(
    b"    return table[slot].count;\n",
    b"    return table[slot].count;\n\n fail:\n    complain(name);\n    return -1;\n",
)


@pytest.mark.parametrize(("label", "again"), [(b" out:\n", False), (b" over:\n", True)], ids=["there", "another"])
def test_a_label_is_not_put_beside_itself(label: bytes, again: bool) -> None:
    """XSA-273 f73c77704263."""
    fixed = JUMPS.replace(b"complain(name);\n", b"complain(name);\n out:\n")
    target = JUMPS.replace(b"complain(name);\n", b"complain_about(name, 1);\n" + label)
    result = on(target, fixed, JUMPS)
    (found,) = result.patches[0].files[0].hunks
    assert (b" out:\n" in (after(result) or b"")) is again
    assert (result.outcome is Outcome.ALREADY_APPLIED) is not again or found.trail[-1].answer is Answer.LANDED
