"""Places, repeated lines, braces, numbers and twins."""

from __future__ import annotations

from backports.engine.guards import GUARDS, agreement
from backports.engine.guards.changes import GUARDED_HUNKS, Case, Change, FileChange, Text
from backports.engine.locate import diff_lines
from backports.engine.result import Confidence, Outcome, SeriesResult
from tests.engine.guards.cases import codes, port
from tests.engine.helpers import DictTree

BODY = b"""\
int shelf_put(int n)
{
    if ( n > 4 )
        return 0;

    shelf[n] = 1;
    return 1;
}

int shelf_take(int n)
{
    shelf[n] = 0;
    return 1;
}
"""


def flags_of(before: bytes, after: bytes, source: bytes | None = None, fixed: bytes | None = None) -> list[str]:
    """What the guards but `agreement` say of a result that a ladder might give, made by hand."""
    case = case_of(before, after, source, fixed)
    return [flag.code for guard in GUARDS if guard is not agreement.look for flag in guard(case)]


def case_of(before: bytes, after: bytes, source: bytes | None, fixed: bytes | None) -> Case:
    theirs = None
    if source is not None and fixed is not None:
        theirs = Change(Text(source, "s.c"), Text(fixed, "s.c"), diff_lines)
    ours = Change(Text(before, "s.c"), Text(after, "s.c"), diff_lines)
    files = (FileChange("s.c", ours, theirs, ()),)
    return Case(SeriesResult(Outcome.APPLIED, ()), files, DictTree({}))


FIXED = BODY.replace(b"    shelf[n] = 1;\n", b"    clear_shelf(n);\n    shelf[n] = 1;\n")


def test_the_same_change_elsewhere_in_the_file_is_fine() -> None:
    assert flags_of(b"int a;\n" + BODY, b"int a;\n" + FIXED, BODY, FIXED) == []


def test_a_change_that_landed_in_another_function() -> None:
    wrong = BODY.replace(b"    shelf[n] = 0;\n", b"    clear_shelf(n);\n    shelf[n] = 0;\n")
    assert flags_of(BODY, wrong, BODY, FIXED) == ["other-function"]


def test_a_line_that_stands_twice() -> None:
    before = BODY.replace(b"    shelf[n] = 1;\n", b"    clear_shelf(n);\n    shelf[n] = 1;\n")
    twice = before.replace(b"    shelf[n] = 1;\n", b"    clear_shelf(n);\n    shelf[n] = 1;\n")
    assert flags_of(before, twice, BODY, FIXED) == ["duplicate-lines"]


def test_a_line_that_stands_twice_at_its_authors_too() -> None:
    twice = FIXED.replace(b"    clear_shelf(n);\n", b"    clear_shelf(n);\n    clear_shelf(n);\n")
    assert flags_of(b"\n" + BODY, b"\n" + twice, BODY, twice) == []


def test_a_second_return_is_left_behind() -> None:
    fixed = BODY.replace(b"    return 1;\n}\n\nint shelf_take", b"    return 2;\n}\n\nint shelf_take")
    dead = BODY.replace(b"    return 1;\n}\n\nint shelf_take", b"    return 2;\n    return 1;\n}\n\nint shelf_take")
    assert flags_of(BODY, dead, BODY, fixed) == ["unreachable"]


def test_a_return_under_a_condition_ends_nothing() -> None:
    fixed = BODY.replace(b"    shelf[n] = 0;\n", b"    if ( !n )\n        return 0;\n    shelf[n] = 0;\n")
    assert flags_of(BODY, fixed) == []


def test_a_return_before_a_case_or_a_label_ends_nothing() -> None:
    fixed = BODY.replace(b"    shelf[n] = 0;\n", b"    shelf[n] = 0;\n    return n;\n\n again:\n")
    assert flags_of(BODY, fixed) == []


def test_a_brace_that_is_not_closed() -> None:
    fixed = BODY.replace(b"        return 0;\n", b"    {\n        return 0;\n    }\n", 1)
    open_only = BODY.replace(b"        return 0;\n", b"    {\n        return 0;\n", 1)
    assert flags_of(BODY, open_only, BODY, fixed) == ["brace-balance"]
    assert flags_of(b"\n" + BODY, b"\n" + fixed, BODY, fixed) == []


def test_a_clean_merge_that_puts_the_change_elsewhere() -> None:
    wrong = BODY.replace(b"    shelf[n] = 0;\n", b"    clear_shelf(n);\n    shelf[n] = 0;\n")
    (flag,) = agreement.look(case_of(b"int a;\n" + BODY, b"int a;\n" + wrong, BODY, FIXED))
    assert (flag.code, flag.lines) == ("rungs-disagree", (13,))


def test_a_clean_merge_that_agrees_or_none_at_all() -> None:
    assert not [*agreement.look(case_of(b"int a;\n" + BODY, b"int a;\n" + FIXED, BODY, FIXED))]
    touched = BODY.replace(b"shelf[n] = 1;", b"shelf[n] = 2;")
    placed = touched.replace(b"    shelf[n] = 2;\n", b"    clear_shelf(n);\n    shelf[n] = 2;\n")
    assert case_of(touched, placed, BODY, FIXED).files[0].merged is None
    assert not [*agreement.look(case_of(touched, placed, BODY, FIXED))]


TABLE = b"""\
#define SHELF_WOOD  (1 << 3)
#define SHELF_STEEL (1 << 4)
"""


def test_a_number_that_is_taken() -> None:
    source = TABLE.replace(b"4", b"5")
    fixed = source + b"#define SHELF_GLASS (1<<4)\n"
    assert flags_of(TABLE, TABLE + b"#define SHELF_GLASS (1<<4)\n", source, fixed) == ["slot-taken"]
    assert flags_of(source, fixed, source, fixed) == []


def test_a_feature_bit_that_is_taken() -> None:
    table = b"XEN_FEATURE(WOOD, (BASE+0)*32+ 3)\nXEN_FEATURE(STEEL, (BASE+0)*32+ 4)\n"
    added = b"XEN_FEATURE(GLASS, (BASE+0)*32+4) /* shown */\n"
    assert flags_of(table, table + added) == ["slot-taken"]
    assert flags_of(table, table + added.replace(b"32+4", b"32+5")) == []
    assert flags_of(table, table + added.replace(b"XEN_", b"OTHER_")) == []


def test_an_equal_number_of_another_kind_is_free() -> None:
    assert flags_of(TABLE, TABLE + b"#define DOOR_GLASS (1 << 4)\n") == []


def test_a_twin_that_only_the_older_tree_has() -> None:
    source = BODY.replace(b"shelf[n] = 0;", b"drop(n);")
    fixed = source.replace(b"    shelf[n] = 1;\n", b"    shelf_set(n, 1);\n")
    twin = source + b"\nint shelf_old(int n)\n{\n    shelf[n] = 1;\n}\n"
    result = port({"s.c": source}, {"s.c": fixed}, {"s.c": twin})
    assert codes(result) == ["unfixed-twin"]
    assert result.flags[0].lines == (twin.rpartition(b"    shelf[n] = 1;")[0].count(b"\n") + 1,)
    assert codes(port({"s.c": source}, {"s.c": fixed}, {"s.c": b"\n" + source})) == []


def test_a_twin_that_the_author_left_too() -> None:
    twin = BODY + b"\nint shelf_old(int n)\n{\n    shelf[n] = 1;\n}\n"
    fixed = twin.replace(b"    shelf[n] = 1;\n", b"    shelf_set(n, 1);\n", 1)
    assert codes(port({"s.c": twin}, {"s.c": fixed}, {"s.c": b"\n" + twin})) == []


def test_a_change_too_large_for_the_guards_is_told() -> None:
    lines = [b"int a%d;\n" % number for number in range(8 * (GUARDED_HUNKS + 1))]
    source, small = b"".join(lines), b"".join(lines).replace(b"int a5;", b"int c5;")
    assert codes(port({"s.c": source}, {"s.c": small}, {"s.c": source})) == []
    large = b"".join(line if at % 8 else b"extern " + line for at, line in enumerate(lines))
    result = port({"s.c": source}, {"s.c": large}, {"s.c": source})
    assert (codes(result), result.confidence) == (["not-guarded"], Confidence.REVIEW)
