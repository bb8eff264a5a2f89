"""Golden cases and near misses of a change that the target holds in surroundings of its own."""

from __future__ import annotations

import pytest

from backports.engine.guards.missing import declared_in
from backports.engine.result import Answer, HunkResult, Outcome, Rung
from tests.engine.helpers import FIXED, SHOP, DictTree, after, apply, unified

COUNT = b"    table[slot].count += count;\n"
CHECKED = b"    table[slot].count = add_checked(table[slot].count, count);\n"
ADDED = b"    if (slot < 0 && used >= MAX_STOCK)\n        return -ENOSPC;\n"
OVERFLOW = b"    if (slot >= 0 && table[slot].count > INT_MAX - count)\n        return -ERANGE;\n"
NEGATIVE = b"    if (count < 0)\n        return -EINVAL;\n"
REWORDED = OVERFLOW.replace(b"- count)", b"- (int)count)")


def over_count(lines: bytes) -> bytes:
    return SHOP.replace(COUNT, lines + COUNT)


def told(target: bytes, fixed: bytes, base: bytes = SHOP, *, known: bool = True) -> tuple[Outcome, HunkResult]:
    """The outcome of the fix on the target, and what became of its one hunk; the target is never changed."""
    tree = DictTree({"lib/shop.c": target}, store=[base] if known else [])
    result = apply(unified(base, fixed), tree)
    (found,) = result.patches[0].files[0].hunks
    if result.outcome is Outcome.ALREADY_APPLIED:
        assert after(result) in (None, target)
    return result.outcome, found


def took(found: HunkResult) -> tuple[str, Rung | None]:
    """The rung that took the hunk, and what its placement is called; ("", None) when none did."""
    last = found.trail[-1]
    return (last.rung if last.answer is Answer.LANDED else "", found.placement.rung if found.placement else None)


@pytest.mark.parametrize(
    ("target", "fixed"),
    [
        (FIXED.replace(ADDED, b"    trace(name);\n" + ADDED + b"    audit(name);\n"), FIXED),
        (SHOP.replace(COUNT, b"    table[slot].seen = now();\n" + CHECKED), SHOP.replace(COUNT, CHECKED)),
    ],
    ids=["an insertion among lines of the target's own", "a replacement below one"],
)
def test_the_targets_own_changes_hold_the_run(target: bytes, fixed: bytes) -> None:
    outcome, found = told(target, fixed)
    assert (outcome, took(found)[1]) == (Outcome.ALREADY_APPLIED, Rung.ALREADY_APPLIED)


@pytest.mark.parametrize(
    ("target", "fixed"),
    [
        (FIXED.replace(b"MAX_STOCK)\n        return", b"MAX_STOCK) {\n        log(slot);\n        return"), FIXED),
        (SHOP.replace(COUNT, CHECKED.replace(b"count)", b"1)")), SHOP.replace(COUNT, CHECKED)),
        (SHOP.replace(COUNT, b"    table[slot].seen = now();\n"), SHOP.replace(COUNT, CHECKED)),
        (SHOP.replace(COUNT, b"    reset();\n" + CHECKED + b"    trace(1);\n" + COUNT), SHOP.replace(COUNT, CHECKED)),
    ],
    ids=["broken up", "another value", "only the removed are gone", "the removed stand there still"],
)
def test_a_run_that_is_there_in_part_is_not_there(target: bytes, fixed: bytes) -> None:
    assert told(target, fixed)[0] is not Outcome.ALREADY_APPLIED


def test_a_change_that_could_be_undone_is_there() -> None:
    wrapped = b"    if (count)\n        table[slot].count += count;\n"
    target = SHOP.replace(COUNT, b"    trace(name);\n" + wrapped + b"    audit(name);\n")
    outcome, found = told(target, SHOP.replace(COUNT, wrapped))
    assert (outcome, took(found)) == (Outcome.ALREADY_APPLIED, ("undone", Rung.ALREADY_APPLIED))


def test_words_that_could_be_added_again_are_not_gone() -> None:
    both = COUNT.replace(b"+= count", b"+= count * size")
    base, target = SHOP.replace(COUNT, both), SHOP.replace(COUNT, b"    trace(name);\n" + both)
    assert told(target, SHOP, base)[0] is not Outcome.ALREADY_APPLIED


@pytest.mark.parametrize("half", [OVERFLOW, NEGATIVE, REWORDED], ids=["first", "second", "reworded first"])
def test_half_of_a_change_is_not_there(half: bytes) -> None:
    outcome, found = told(over_count(half), over_count(OVERFLOW + NEGATIVE))
    assert (outcome, took(found)) == (Outcome.CONFLICT, ("", None))


def test_without_the_authors_file_nothing_is_undone() -> None:
    found = told(over_count(REWORDED + NEGATIVE), over_count(OVERFLOW + NEGATIVE), known=False)[1]
    assert "undone" not in [step.rung for step in found.trail if step.answer is Answer.LANDED]


def test_lines_that_stand_anywhere_do_not_show_that_a_change_is_there() -> None:
    old, new = (b"    a++;\n    b++;\n", b"    a++;\n    (b)++;\n")
    outcome, found = told(over_count(new), over_count(old))
    assert (outcome, took(found)) == (Outcome.CONFLICT, ("", None))


SWITCH = (
    b"int kind(int x)\n{\n    switch (x) {\n    case KIND_ONE:\n        begin(x);\n        break;\n    default:\n"
    b"        finish(x);\n    }\n    return x;\n}\n"
)


@pytest.mark.parametrize(
    ("added", "outcome"),
    [
        (b"    case KIND_TWO:\n", Outcome.ALREADY_APPLIED),
        (b"    case KIND_TEN:\n", Outcome.CONFLICT),
        (b"    case TWO:\n", Outcome.CONFLICT),
    ],
    ids=["there", "another", "too short a name"],
)
def test_a_case_label_shows_that_a_change_is_there(added: bytes, outcome: Outcome) -> None:
    one = b"    case KIND_ONE:\n"
    there = added.replace(b"TEN", b"TWO")
    target, fixed = (SWITCH.replace(one, one + lines) for lines in (b"    case KIND_SIX:\n" + there, added))
    assert told(target, fixed, SWITCH)[0] is outcome


def test_a_removed_line_that_the_target_says_otherwise_is_not_gone() -> None:
    fixed = SHOP.replace(COUNT, b"")
    target = SHOP.replace(COUNT, b"    if (slot >= 0)\n        table_add_count(slot, count);\n")
    assert told(target, fixed)[0] is not Outcome.ALREADY_APPLIED


def test_a_removed_line_that_the_target_moved_within_its_function_is_not_gone() -> None:
    rest = SHOP[SHOP.index(COUNT) + len(COUNT) :]
    follows = rest[: rest.index(b"\n") + 1]
    target = SHOP.replace(COUNT + follows, follows + COUNT)
    assert target != SHOP
    assert told(target, SHOP.replace(COUNT, b""))[0] is not Outcome.ALREADY_APPLIED


def test_a_configuration_option_that_the_target_lacks_is_missed() -> None:
    assert b"CONFIG_SHELVES" not in declared_in(b"#ifdef CONFIG_SHELVES\n#if defined(CONFIG_SHELVES)\n")
    assert b"CONFIG_SHELVES" in declared_in(b"#define CONFIG_SHELVES 1\n")
