"""Golden cases: one oddity each, with the rung, the place and the bytes that must come out."""

from __future__ import annotations

import pytest

from backports.engine.result import Confidence, Outcome, Rung
from backports.engine.rungs import RUNGS
from backports.engine.series import blob_oid
from tests.engine.helpers import FIXED, SHOP, DictTree, after, apply, hunk_results, unified

PATCH = unified(SHOP, FIXED)
PLAIN = unified(SHOP, FIXED, index=False)
TOP = b"/* one more line */\n" * 4


def only(result):
    (found,) = hunk_results(result)
    return found


def test_exact() -> None:
    result = apply(PLAIN, SHOP)
    assert (result.outcome, result.rung, result.confidence) == (Outcome.APPLIED, Rung.EXACT, Confidence.HIGH)
    assert after(result) == FIXED
    assert (only(result).placement.line, only(result).placement.offset) == (22, 0)


def test_offset_is_told_and_high() -> None:
    result = apply(PLAIN, TOP + SHOP)
    assert after(result) == TOP + FIXED
    assert (only(result).placement.rung, only(result).placement.line) == (Rung.OFFSET, 26)
    assert only(result).placement.offset == 4
    assert (result.confidence, result.reasons) == (Confidence.HIGH, ())


def test_offset_upwards() -> None:
    shorter = SHOP.replace(b'#include "stock.h"\n\n', b"")
    result = apply(PLAIN, shorter)
    assert only(result).placement.offset == -2
    assert after(result) == FIXED.replace(b'#include "stock.h"\n\n', b"")


TWIN = b"""\
int one(int x)
{
    lock();
    step();
    unlock();
    return x;
}

int two(int x)
{
    lock();
    step();
    unlock();
    return x;
}
"""
TWIN_FIXED_TWO = TWIN[:80] + TWIN[80:].replace(b"    unlock();\n", b"    check_twice(x);\n    unlock();\n")


def test_twin_code_goes_into_the_function_that_the_section_names() -> None:
    patch = unified(TWIN, TWIN_FIXED_TWO, index=False, context=2)
    assert b"@@ int two(int x)" in patch
    target = TWIN.replace(b"int one", b"int zero(int x)\n{\n    return x;\n}\n\nint one")
    result = apply(patch, target)
    assert after(result) == TWIN_FIXED_TWO.replace(b"int one", b"int zero(int x)\n{\n    return x;\n}\n\nint one")
    assert (result.rung, result.confidence) == (Rung.OFFSET, Confidence.HIGH)


def test_twin_code_without_a_section_is_placed_nearest_and_must_be_reviewed() -> None:
    patch = unified(TWIN, TWIN_FIXED_TWO, index=False, context=2).replace(b"@@ int two(int x)", b"@@")
    result = apply(patch, b"\n" + TWIN)
    assert after(result) == b"\n" + TWIN_FIXED_TWO
    assert result.confidence is Confidence.REVIEW
    assert "2 places" in result.reasons[0]
    assert "hunk 1" in result.reasons[0]


def test_twin_code_elsewhere_is_not_taken_when_the_right_function_changed() -> None:
    patch = unified(TWIN, TWIN_FIXED_TWO, index=False, context=2)
    target = TWIN[:80] + TWIN[80:].replace(b"step();", b"walk();\n    run();")
    result = apply(patch, target)
    assert result.confidence is not Confidence.HIGH


def test_twin_code_at_the_named_line_gives_way_to_the_base() -> None:
    """The code moved down by exactly one function, so that its twin stands where the patch points."""
    target = TWIN.replace(
        b"int two", b"int new(int x)\n{\n    lock();\n    step();\n    unlock();\n    return x;\n}\n\nint two"
    )
    patch = unified(TWIN, TWIN_FIXED_TWO, context=2)
    result = apply(patch, DictTree({"lib/shop.c": target}, store=[TWIN]))
    want = target.replace(
        b"two(int x)\n{\n    lock();\n    step();\n", b"two(int x)\n{\n    lock();\n    step();\n    check_twice(x);\n"
    )
    assert after(result) == want
    assert only(result).placement.offset == 8


DRIFTED = SHOP.replace(
    b"int slot = shop_find(name);\n\n    if (slot < 0)\n        slot",
    b"int slot = shop_locate(name);\n\n    if (slot < 0)\n        slot",
)


def test_three_way_where_the_context_was_changed() -> None:
    result = apply(PATCH, DictTree({"lib/shop.c": DRIFTED}, store=[SHOP]))
    assert (result.rung, result.confidence) == (Rung.THREE_WAY, Confidence.HIGH)
    assert after(result) == FIXED.replace(
        b"shop_find(name);\n\n    if (slot < 0 &&", b"shop_locate(name);\n\n    if (slot < 0 &&"
    )


STAMPED = SHOP.replace(
    b"    table[slot].name = name;\n", b"    table[slot].name = name;\n    table[slot].seen = now();\n"
)
RECOUNTED = SHOP.replace(b"    table[slot].count += count;\n", b"    table[slot].count = more(count);\n")
BOTH = STAMPED.replace(b"    table[slot].count += count;\n", b"    table[slot].count = more(count);\n")


def test_three_way_needs_the_base_else_fuzz_and_review() -> None:
    with_base = apply(unified(SHOP, STAMPED), DictTree({"lib/shop.c": RECOUNTED}, store=[SHOP]))
    without = apply(unified(SHOP, STAMPED), RECOUNTED)
    assert after(with_base) == after(without) == BOTH
    assert (with_base.rung, with_base.confidence) == (Rung.THREE_WAY, Confidence.HIGH)
    assert (without.rung, without.fuzz, without.confidence) == (Rung.FUZZ, 2, Confidence.REVIEW)
    assert "fuzz 2" in without.reasons[0]


def test_base_that_the_patch_does_not_fit_is_not_used() -> None:
    wrong = b"/* another file */\n"
    patch = unified(SHOP, STAMPED).replace(blob_oid(SHOP).encode(), blob_oid(wrong).encode())
    assert apply(patch, DictTree({"lib/shop.c": RECOUNTED}, store=[wrong])).rung is Rung.FUZZ


def test_three_way_refuses_touching_changes_and_shows_ours() -> None:
    target = SHOP.replace(b"        slot = used++;\n", b"        slot = used++ % MAX_STOCK;\n").replace(
        b"\n    if (slot < 0)\n        slot", b"\n    if (slot == -1)\n        slot"
    )
    result = apply(PATCH, DictTree({"lib/shop.c": target}, store=[SHOP]))
    rejection = only(result).rejection
    assert (result.outcome, result.confidence) == (Outcome.CONFLICT, None)
    assert rejection.code == "touched-by-target"
    assert any(b"slot == -1" in line for line in rejection.ours)
    assert rejection.likeness > 0.5


def test_equal_edits_of_both_sides_merge() -> None:
    fixed = FIXED.replace(b"    used = 0;\n", b"    used = 0; /* empty */\n")
    target = SHOP.replace(b"    used = 0;\n", b"    used = 0; /* empty */\n")
    result = apply(unified(SHOP, fixed), DictTree({"lib/shop.c": target}, store=[SHOP]))
    assert after(result) == fixed
    assert [found.placement.rung for found in hunk_results(result)] == [Rung.EXACT, Rung.ALREADY_APPLIED]
    assert "hunk 2 was there already" in result.reasons[0]


def test_fuzz_does_not_leave_the_function() -> None:
    renamed = TWIN.replace(b"int two(int x)\n{\n    lock();\n    step();", b"int two(int x)\n{\n    grab();\n    go();")
    patch = unified(TWIN, TWIN_FIXED_TWO, index=False)
    result = apply(patch, renamed)
    assert only(result).rejection.code == "other-function"
    assert after(result) is None


@pytest.mark.parametrize("patch", [PATCH, PLAIN], ids=["with base", "without base"])
@pytest.mark.parametrize("target", [FIXED, TOP + FIXED], ids=["same place", "moved"])
def test_fixed_tree_says_already_applied(patch: bytes, target: bytes) -> None:
    result = apply(patch, DictTree({"lib/shop.c": target}, store=[SHOP]))
    assert (result.outcome, result.rung, result.confidence) == (Outcome.ALREADY_APPLIED, Rung.ALREADY_APPLIED, None)
    assert after(result) is None


def test_fixed_tree_with_drifted_context_says_already_applied() -> None:
    target = FIXED.replace(b"table[slot].count += count;", b"table[slot].count = add(count);").replace(
        b"int slot = ", b"int  slot = "
    )
    assert apply(PLAIN, target).outcome is Outcome.ALREADY_APPLIED


def test_pure_deletion_of_what_is_gone_is_already_applied() -> None:
    gone = SHOP.replace(b"    table[slot].name = name;\n", b"")
    assert apply(unified(SHOP, gone, index=False), gone).outcome is Outcome.ALREADY_APPLIED


def test_pure_deletion_is_not_already_applied_when_the_line_stands_elsewhere_in_the_function() -> None:
    gone = SHOP.replace(b"    table[slot].name = name;\n", b"")
    moved = gone.replace(b"    table[slot].count += count;\n", b"    table[slot].count += count;\n")
    moved = moved.replace(b"        slot = used++;\n", b"        slot = used++;\n    table[slot].name = name;\n")
    assert apply(unified(SHOP, gone, index=False), moved).outcome is not Outcome.ALREADY_APPLIED


def test_common_lines_prove_nothing() -> None:
    old = b"a();\nb();\nc();\n"
    new = b"a();\nb();\n    break;\nc();\n"
    target = b"x();\ny();\nb();\n    break;\nz();\n"
    result = apply(unified(old, new, index=False, context=1), target)
    assert result.outcome is not Outcome.ALREADY_APPLIED


def test_one_insertion_that_two_diffs_show_at_different_lines_is_not_made_twice() -> None:
    base = b"int f(void)\n{\n    start();\n\n    end();\n    return 0;\n}\n"
    fixed = base.replace(b"    end();\n", b"    if (external(d))\n        return -1;\n\n    end();\n")
    target = fixed.replace(b"    return 0;\n", b"    return done(0);\n")
    shown = b"     start();\n \n+    if (external(d))\n+        return -1;\n+\n"
    slid = b"     start();\n+\n+    if (external(d))\n+        return -1;\n \n"
    for patch in (unified(base, fixed), unified(base, fixed).replace(shown, slid)):
        result = apply(patch, DictTree({"lib/shop.c": target}, store=[base]))
        assert result.outcome is Outcome.ALREADY_APPLIED


def test_a_line_that_the_author_doubled_on_purpose_is_doubled() -> None:
    fixed = SHOP.replace(b"    used = 0;\n", b"    used = 0;\n    used_total = 0;\n")
    twice = fixed.replace(b"    used_total = 0;\n", b"    used_total = 0;\n    used_total = 0;\n")
    assert after(apply(unified(fixed, twice), DictTree({"lib/shop.c": TOP + fixed}, store=[fixed]))) == TOP + twice


def test_code_that_the_patch_itself_moves_is_no_proof() -> None:
    helper = b"static int helper(int value)\n{\n    return value * factor_of(value);\n}\n\n"
    filler = b"".join(b"int f%d(void)\n{\n    return %d;\n}\n\n" % (n, n) for n in range(12))
    old, new = filler + helper + b"int main;\n", helper + filler + b"int main;\n"
    result = apply(unified(old, new, index=False), old)
    assert (result.outcome, after(result)) == (Outcome.APPLIED, new)


def test_crlf_patch_on_an_lf_file_keeps_the_files_ending() -> None:
    result = apply(PLAIN.replace(b"\n", b"\r\n"), SHOP)
    assert after(result) == FIXED
    assert result.confidence is Confidence.REVIEW
    assert "end their lines differently" in result.reasons[0]


def test_lf_patch_on_a_crlf_file_keeps_the_files_ending() -> None:
    result = apply(PATCH, DictTree({"lib/shop.c": SHOP.replace(b"\n", b"\r\n")}, store=[SHOP]))
    assert after(result) == FIXED.replace(b"\n", b"\r\n")


def test_crlf_patch_on_a_crlf_file_is_nothing_special() -> None:
    crlf, fixed = SHOP.replace(b"\n", b"\r\n"), FIXED.replace(b"\n", b"\r\n")
    result = apply(unified(crlf, fixed, index=False), crlf)
    assert (after(result), result.confidence) == (fixed, Confidence.HIGH)


def test_last_line_without_newline_is_kept_and_can_be_mended() -> None:
    old, new = b"a\nb\nlast_line", b"a\nb\nlast_line\n"
    assert after(apply(unified(old, new, index=False), old)) == new
    assert after(apply(unified(new, old, index=False), new)) == old


def test_addition_at_the_end_of_a_file_wants_the_end() -> None:
    new = SHOP + b"\nvoid shop_extra(void)\n{\n}\n"
    appended = SHOP + b"\nint other_function(void)\n{\n    return 5;\n}\n"
    assert after(apply(unified(SHOP, new, index=False), SHOP)) == new
    result = apply(unified(SHOP, new, index=False), appended)
    assert result.confidence is not Confidence.HIGH


def test_insertion_without_context_is_refused_unless_the_file_is_the_very_one() -> None:
    patch = unified(SHOP, FIXED, context=0)
    assert after(apply(patch, DictTree({"lib/shop.c": SHOP}))) == FIXED
    result = apply(unified(SHOP, FIXED, context=0, index=False), TOP + SHOP)
    assert only(result).rejection.code == "no-context"


def test_some_hunks_land_beside_a_conflict() -> None:
    fixed = FIXED.replace(b"    used = 0;\n", b"    used = -1;\n")
    target = SHOP.replace(b"    used = 0;\n", b"    reset_everything();\n    count_of_items = 0;\n")
    result = apply(unified(SHOP, fixed), DictTree({"lib/shop.c": target}, store=[SHOP]))
    assert (result.outcome, result.confidence) == (Outcome.PARTLY_APPLIED, Confidence.REVIEW)
    first, second = hunk_results(result)
    assert (first.placement.rung, second.rejection.code) == (Rung.EXACT, "touched-by-target")
    assert after(result) == FIXED.replace(b"    used = 0;\n", b"    reset_everything();\n    count_of_items = 0;\n")


def test_code_that_is_not_there_at_all() -> None:
    result = apply(PLAIN, b"nothing\nalike\n")
    rejection = only(result).rejection
    assert (result.outcome, rejection.code, rejection.line, rejection.likeness) == (
        Outcome.CONFLICT,
        "preimage-not-found",
        0,
        0.0,
    )


def test_hunks_out_of_order_are_not_both_placed() -> None:
    first, second = (
        b"int a(void)\n{\n    aaaa_one();\n    aaaa_two();\n}\n",
        b"int b(void)\n{\n    bbbb_one();\n    bbbb_two();\n}\n",
    )
    first, second, middle = b"\n\n\n" + first + b"\n\n\n", b"\n\n\n" + second + b"\n\n\n", b"/* middle */\n" * 6
    old = first + middle + second
    new = old.replace(b"aaaa_two", b"aaaa_new").replace(b"bbbb_two", b"bbbb_new")
    result = apply(unified(old, new, index=False), second + middle + first)
    assert result.outcome is Outcome.PARTLY_APPLIED
    assert {found.rejection.code for found in hunk_results(result) if found.rejection} == {"overlapping"}


def test_every_rung_has_one_signature() -> None:
    from backports.engine.locate import Index
    from backports.engine.rungs import FileContext, Landing, Refusal

    context = FileContext([], Index([]))
    assert len(RUNGS) == len(set(RUNGS)) >= 6
    for place in RUNGS:
        assert place.__name__ == "place"
        assert place.__annotations__["return"] == "Landing | Refusal | None"
    assert (Landing, Refusal, context.landings) == (Landing, Refusal, {})


def test_a_copy_of_the_function_above_does_not_take_its_hunk() -> None:
    """The copy stands at the very line that the hunk names; only the name in its header tells the two apart."""
    base = b"#include <a.h>\n\n" + _part(b"mend")
    fixed = base.replace(b"    load(p, 3);\n", b"    check(p);\n    load(p, 3);\n")
    target = b"#include <a.h>\n\n" + _part(b"twin_mend") + _part(b"mend")
    result = apply(unified(base, fixed, index=False), target)
    assert after(result) == b"#include <a.h>\n\n" + _part(b"twin_mend") + fixed.removeprefix(b"#include <a.h>\n\n")


def _part(name: bytes) -> bytes:
    return b"int " + name + b"(int p)\n{\n" + b"".join(b"    load(p, %d);\n" % n for n in range(7)) + b"}\n\n"
