"""Golden cases of hunks that land in other words or white space, or between changed lines, and of what is refused."""

from __future__ import annotations

import pytest

from backports.engine import diff
from backports.engine.align import Alignment, likeness
from backports.engine.files import Tools
from backports.engine.locate import diff_lines, split_lines
from backports.engine.merge import BaseMap
from backports.engine.older import RULES
from backports.engine.result import Confidence, Outcome, PatchResult, Rung
from backports.engine.series import OverlayTree, apply_patches
from tests.engine.helpers import SHOP, DictTree, after, apply, hunk_results, unified


def on(target: bytes, base: bytes, fixed: bytes):
    return apply(unified(base, fixed), DictTree({"lib/shop.c": target}, store=[base]))


def with_names(target: bytes, base: bytes, fixed: bytes, lacking: set[bytes]) -> PatchResult:
    """The patch's result when the target's tree lacks these names, and the source's has them."""
    tools = Tools(strangers=lambda names, _path: frozenset(names) & lacking)
    tree = OverlayTree(DictTree({"lib/shop.c": target}, store=[base]))
    (result,) = apply_patches(diff.parse_series(unified(base, fixed)), tree, tools)
    return result


# White space


DEEP = SHOP.replace(
    b"    if (slot < 0)\n        return -ENOENT;\n\n    table[slot].count -= count;\n",
    b"    {\n        if (slot < 0)\n            return -ENOENT;\n\n        table[slot].count -= count;\n    }\n",
)
GUARDED = SHOP.replace(
    b"    table[slot].count -= count;\n",
    b"    if (table[slot].count < count)\n        return -ERANGE;\n    table[slot].count -= count;\n",
)


def test_what_is_added_is_indented_as_the_target_is() -> None:
    """XSA-492 eb8153a3cc1c: a branch has the lines one level deeper."""
    result = on(DEEP, SHOP, GUARDED)
    assert after(result) == DEEP.replace(
        b"        table[slot].count -= count;\n",
        b"        if (table[slot].count < count)\n            return -ERANGE;\n        table[slot].count -= count;\n",
    )
    assert (result.rung, result.confidence) == (Rung.WHITESPACE, Confidence.REVIEW)


def test_tabs_are_added_where_the_target_has_tabs() -> None:
    tabbed = (
        b"\n".join(b"\t" * ((len(line) - len(line.lstrip())) // 4) + line.lstrip() for line in SHOP.splitlines())
        + b"\n"
    )
    result = on(tabbed, SHOP, GUARDED)
    assert b"\tif (table[slot].count < count)\n\t\treturn -ERANGE;\n\ttable" in (after(result) or b"")
    assert (after(result) or b"").replace(b"\tif (table[slot].count < count)\n\t\treturn -ERANGE;\n", b"") == tabbed


def test_lines_indented_in_two_other_ways_are_for_a_person() -> None:
    target = SHOP.replace(
        b"    if (slot < 0)\n        return -ENOENT;\n", b"      if (slot < 0)\n      return -ENOENT;\n"
    )
    target = target.replace(b"    table[slot].count -= count;\n", b"       table[slot].count  -= count;\n")
    result = on(target, SHOP, GUARDED)
    assert result.outcome is Outcome.CONFLICT
    assert after(result) is None


def test_a_hunk_that_mixes_tabs_and_spaces_tells_no_depth() -> None:
    """XSA-74 d619f1738706: the source indents some of the added lines by tabs, others by spaces."""
    mixed = GUARDED.replace(b"        return -ERANGE;\n", b"\t    return -ERANGE;\n")
    assert on(DEEP, SHOP, mixed).outcome is Outcome.CONFLICT


def test_the_same_lines_in_two_functions_are_not_told_apart_without_white_space() -> None:
    base = b"int one(int x)\n{\n    lock(x);\n    go_on(x);\n    unlock(x);\n}\n"
    twice = base.replace(b"    ", b"\t") + b"\n" + base.replace(b"one", b"two").replace(b"    ", b"\t")
    patch = unified(base, base.replace(b"    go_on(x);\n", b"    check(x);\n    go_on(x);\n"), index=False)
    result = apply(patch.replace(b" int one(int x)\n {\n", b"").replace(b"@@ -1,6 +1,7", b"@@ -3,4 +3,5"), twice)
    assert result.outcome is Outcome.CONFLICT


# Lines that read a little differently


def test_a_removed_line_may_have_another_name_in_it() -> None:
    """XSA-60 684b40eb41c3: the line that the fix takes away calls another function in the older tree."""
    base = SHOP.replace(b"    used = 0;\n", b"    if (!is_shut(shop, door, lamp))\n        return;\n    used = 0;\n")
    fixed = base.replace(b"    if (!is_shut(shop, door, lamp))\n        return;\n", b"    wipe_windows();\n")
    target = base.replace(b"is_shut", b"is_closed")
    result = on(target, base, fixed)
    assert after(result) == target.replace(
        b"    if (!is_closed(shop, door, lamp))\n        return;\n", b"    wipe_windows();\n"
    )
    assert (result.rung, result.confidence) == (Rung.BLOCK, Confidence.REVIEW)


def test_a_line_that_is_changed_and_not_removed_keeps_what_the_target_has() -> None:
    base = SHOP.replace(b"    used = 0;\n", b"    close_doors(shop, 1);\n    used = 0;\n")
    fixed = base.replace(b"close_doors(shop, 1)", b"close_doors(shop, 1, KEY)")
    target = base.replace(b"close_doors(shop, 1)", b"close_doors(mall, 1)")
    assert b"close_doors(mall, 1, KEY)" in (after(on(target, base, fixed)) or b"")


def test_statements_of_the_targets_own_are_not_removed_along() -> None:
    base = SHOP.replace(b"    used = 0;\n", b"    stop_clock(shop);\n    stop_music(shop);\n    used = 0;\n")
    fixed = base.replace(b"    stop_clock(shop);\n    stop_music(shop);\n", b"")
    target = base.replace(b"    stop_music(shop);\n", b"    feed_the_cat();\n    stop_music(mall);\n")
    result = on(target, base, fixed)
    assert result.outcome is Outcome.CONFLICT


def test_an_insertion_between_two_lines_that_the_target_changed() -> None:
    base = SHOP.replace(
        b"    table[slot].count += count;\n",
        b"    raise_count(shop, table, slot, count);\n    paint_sign(shop, table, slot);\n",
    )
    fixed = base.replace(b"    paint_sign", b"    audit(everything);\n    paint_sign")
    target = base.replace(b"raise_count(shop", b"raise_count(mall").replace(b"paint_sign(shop", b"paint_sign(mall")
    result = on(target, base, fixed)
    assert after(result) == target.replace(b"    paint_sign", b"    audit(everything);\n    paint_sign")
    assert result.rung is Rung.BLOCK


def test_an_inserted_word_that_the_target_has_another_for_is_refused() -> None:
    base = SHOP.replace(
        b"    table[slot].count += count;\n",
        b"    raise_count(shop, table, slot, count);\n    paint_sign(shop, table, slot);\n",
    )
    fixed = base.replace(b"    paint_sign", b"    audit(shop);\n    paint_sign")
    target = base.replace(b"raise_count(shop", b"raise_count(mall").replace(b"paint_sign(shop", b"paint_sign(mall")
    (found,) = hunk_results(on(target, base, fixed))
    assert found.rejection is not None


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (b"    f(a, b);\n", b"\tf(a, c);\n", 2 / 3),
        (b"    f(a, b);\n", b"  f( a,b );\n", 1.0),
        (b"}\n", b"  }\n", 1.0),
        (b"}\n", b"{\n", 0.0),
        (b"f(a);\n", b"}\n", 0.0),
    ],
)
def test_likeness_of_lines(one: bytes, other: bytes, alike: float) -> None:
    assert likeness(one, other) == pytest.approx(alike)


def test_changed_lines_are_paired_in_order_and_own_lines_are_left_out() -> None:
    base = b"begin\nset(shop, 1)\nset(door, 2)\nend\n"
    target = b"begin\nset(mall, 1)\nown()\nset(gate, 2)\nend\n"
    lines = Alignment(BaseMap(split_lines(base), split_lines(target), diff_lines(base, target)))
    assert [lines.at(line) for line in range(-1, 5)] == [None, 0, 1, 3, 4, None]
    assert [lines.is_changed(line) for line in range(4)] == [False, True, True, False]


# Words of older Xen


OLD_FILE = b"static bool_t open_now;\n\n" + SHOP
NEW_FILE = b"static bool open_now;\n\n" + SHOP


def test_a_type_that_came_later_is_put_in_the_older_one() -> None:
    """XSA-290 516671a54e54: `bool`, `true` and `false` before 4.8."""
    fixed = NEW_FILE.replace(b"    used = 0;\n", b"    bool done = true; /* true */\n\n    used = done ? 0 : false;\n")
    result = with_names(OLD_FILE, NEW_FILE, fixed, {b"mfn_max"})
    assert b"    bool_t done = 1; /* true */\n\n    used = done ? 0 : 0;\n" in (
        result.changes["lib/shop.c"].data or b""
    )
    assert result.files[0].rung is Rung.DIALECT
    assert "bool as bool_t" in result.files[0].doubts[0]


@pytest.mark.parametrize(
    ("target", "lacking"),
    [(OLD_FILE, set()), (SHOP, {b"mfn_max"}), (OLD_FILE + b"static bool both;\n", {b"mfn_max"})],
    ids=["the tree has the new form", "the file has not the old form", "the file has both forms"],
)
def test_a_type_is_kept_where_the_older_one_is_not_proven(target: bytes, lacking: set[bytes]) -> None:
    fixed = NEW_FILE.replace(b"    used = 0;\n", b"    bool done = true;\n\n    used = 0;\n")
    assert b"    bool done = true;\n" in (
        with_names(target, NEW_FILE, fixed, lacking).changes["lib/shop.c"].data or b""
    )


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (b"    if ( v->arch.pv.ldt_ents )\n", b"    if ( v->arch.pv_vcpu.ldt_ents )\n"),
        (b"    currd->arch.pv.cpuidmasks = x;\n", b"    currd->arch.pv_domain.cpuidmasks = x;\n"),
        (b"    d->arch.hvm.vmx.exec_sp = 1;\n", b"    d->arch.hvm_domain.vmx.exec_sp = 1;\n"),
        (b"    curr->arch.hvm.vmx.msr = 1;\n", b"    curr->arch.hvm_vmx.msr = 1;\n"),
        (b"static int cf_check init(void)\n", b"static int init(void)\n"),
        (b"static bool __ro_after_init opt;\n", b"static bool_t __read_mostly opt;\n"),
        (b'    printk("a bool is true\\n"); /* bool */\n', b'    printk("a bool is true\\n"); /* bool */\n'),
        (b"     * It is true that bool is a type.\n", b"     * It is true that bool is a type.\n"),
        (b"    boolean = untrue;\n", b"    boolean = untrue;\n"),
        (b"    v->arch.pvh = 1;\n", b"    v->arch.pvh = 1;\n"),
    ],
)
def test_the_table_of_older_words(new: bytes, old: bytes) -> None:
    line = new
    for rule in RULES:
        line = rule.translate(line)
    assert line == old


NUMBERS = b"".join(b"#define LAMP_%d 0x%02xU\n" % (n, 2 * n) for n in range(40))


def test_a_number_is_added_without_the_suffix_that_its_neighbours_lack() -> None:
    """XSA-488 9f070ec78856: the branch's table of numbers has no suffixes yet."""
    fixed = NUMBERS.replace(b"#define LAMP_20 ", b"#define LAMP_NEW 0x27U\n#define LAMP_20 ")
    result = on(NUMBERS.replace(b"U\n", b"\n"), NUMBERS, fixed)
    assert after(result) == fixed.replace(b"U\n", b"\n")
    assert (result.rung, result.confidence) == (Rung.DIALECT, Confidence.REVIEW)


def test_a_suffix_is_kept_where_only_lines_far_away_lack_it() -> None:
    fixed = NUMBERS.replace(b"#define LAMP_20 ", b"#define LAMP_NEW 0x27U\n#define LAMP_20 ")
    result = on(NUMBERS.replace(b"LAMP_2 0x04U", b"LAMP_2 0x04"), NUMBERS, fixed)
    assert b"#define LAMP_NEW 0x27U\n" in (after(result) or b"")


# Files and headers


HEADER = b"#ifndef LAMP_H\n#define LAMP_H\nint lamp(void);\n#endif\n"


def added(path: str) -> bytes:
    lines = b"".join(b"+" + line for line in split_lines(HEADER))
    head = b"diff --git a/%s b/%s\nnew file mode 100644\n--- /dev/null\n+++ b/%s\n" % ((path.encode(),) * 3)
    return head + b"@@ -0,0 +1,%d @@\n" % HEADER.count(b"\n") + lines


def test_a_new_file_goes_where_its_folder_is() -> None:
    tree = DictTree({"include/asm/door.h": b"x\n"}, homes={"arch/include/asm/lamp.h": "include/asm/lamp.h"})
    result = apply(added("arch/include/asm/lamp.h"), tree)
    (file,) = result.patches[0].files
    assert (file.path, result.outcome) == ("include/asm/lamp.h", Outcome.APPLIED)
    assert after(result, "include/asm/lamp.h") == HEADER
    assert "belongs at include/asm/lamp.h" in file.note


def test_a_later_patch_finds_the_new_file_where_it_went() -> None:
    path = "arch/include/asm/lamp.h"
    tree = DictTree({"include/asm/door.h": b"x\n"}, homes={path: "include/asm/lamp.h"})
    mail = b"From: One <one@example.org>\nSubject: [PATCH] lamp\n\n---\n"
    longer = HEADER.replace(b"int lamp(void);\n", b"int lamp(void);\nint bulb(void);\n")
    result = apply(mail + added(path) + b"-- \n2.39\n\n" + mail + unified(HEADER, longer, path), tree)
    assert result.outcome is Outcome.APPLIED
    assert after(result, "include/asm/lamp.h") == longer


def test_a_header_that_the_target_includes_already_is_not_included_twice() -> None:
    """XSA-410 a603386b422f: the target includes it further down."""
    fixed = SHOP.replace(b'#include "shop.h"\n', b'#include "clock.h"\n#include "shop.h"\n').replace(
        b"    used = 0;\n", b"    stop_clock();\n    used = 0;\n"
    )
    target = SHOP.replace(b'#include "stock.h"\n', b'#include "stock.h"\n#include "till.h"\n#include "clock.h"\n')
    result = on(target, SHOP, fixed)
    assert after(result) == target.replace(b"    used = 0;\n", b"    stop_clock();\n    used = 0;\n")
