"""What a guard finds to be wrong more often than right is not given out as landed."""

from __future__ import annotations

from backports.engine.result import Confidence, Outcome, SeriesResult
from tests.engine.guards.cases import codes, port

HEADER = b"int door_open(int n);\n"
NEW = HEADER + b"void door_bolt(int n);\n"
BODY = b"""\
#include "door.h"

int door_check(int n)
{
    int rc = door_open(n);

    if ( rc < 0 )
        return rc;

    return 0;
}

int door_count(int n)
{
    int all = 0;

    while ( n-- )
        all += door_open(n);

    return all;
}
"""
FIRST = BODY.replace(b"        return rc;\n", b"        return -1;\n")
BOTH = FIRST.replace(b"    return all;\n", b"    door_bolt(all);\n    return all;\n")
TOP = b"/* The oldest. */\n\n"


def result_on(target: bytes, fixed: bytes = BOTH, header: bytes = HEADER) -> SeriesResult:
    source = {"lib/door.h": NEW, "lib/door.c": BODY}
    return port(source, {"lib/door.c": fixed}, {"lib/door.h": header, "lib/door.c": target})


def test_the_hunk_with_the_unknown_name_stays_out_and_the_other_lands() -> None:
    result = result_on(TOP + BODY)
    assert (result.outcome, result.confidence) == (Outcome.PARTLY_APPLIED, Confidence.REVIEW)
    assert result.patches[0].changes["lib/door.c"].data == TOP + FIRST
    good, withheld = result.patches[0].files[0].hunks
    assert good.placement is not None and good.placement.line == 7
    assert withheld.rejection is not None and withheld.placement is None
    assert (withheld.rejection.code, withheld.rejection.likeness) == ("missing-symbol", 1.0)
    assert "door_bolt" in withheld.rejection.sentence


def test_its_likely_place_is_where_it_landed() -> None:
    hunk = result_on(TOP + BODY).patches[0].files[0].hunks[1]
    assert hunk.rejection is not None
    assert hunk.rejection.ours == hunk.hunk.preimage
    assert hunk.rejection.line == (TOP + BODY).split(b"\n").index(b"        all += door_open(n);")


def test_the_flag_is_told_once_without_lines_that_are_not_there() -> None:
    result = result_on(TOP + BODY)
    assert [(flag.code, flag.lines, flag.names) for flag in result.flags] == [("missing-symbol", (), ("door_bolt",))]


def test_a_fix_of_one_hunk_that_is_withheld_is_a_conflict() -> None:
    only = BODY.replace(b"    return all;\n", b"    door_bolt(all);\n    return all;\n")
    result = result_on(TOP + BODY, only)
    assert (result.outcome, result.patches[0].changes) == (Outcome.CONFLICT, {})


def test_a_printf_extension_that_came_later_is_withheld() -> None:
    """XSA-373 51278ce831a: an extension that the older printf does not know."""
    header = NEW + b'#define SHOW(n) printk("%pd", n)\n'
    fixed = FIRST.replace(b"    return all;\n", b'    printk("%pd", all);\n    return all;\n')
    source = {"lib/door.h": header + b"int printk(const char *s, int n);\n", "lib/door.c": BODY}
    target = {"lib/door.h": b"int printk(const char *s, int n);\n" + HEADER, "lib/door.c": TOP + BODY}
    result = port(source, {"lib/door.c": fixed}, target)
    assert (result.outcome, codes(result)) == (Outcome.PARTLY_APPLIED, ["missing-format"])
    rejection = result.patches[0].files[0].hunks[1].rejection
    assert rejection is not None
    assert rejection.code == "missing-format"


def test_where_the_name_is_known_nothing_is_withheld() -> None:
    result = result_on(TOP + BODY, header=NEW)
    assert (result.outcome, codes(result)) == (Outcome.APPLIED, [])


def test_a_flag_that_is_as_often_right_withholds_nothing() -> None:
    table = b"#define DOOR_OAK 1\n#define DOOR_ASH 2\n"
    fixed = {"lib/door.c": table + b"#define DOOR_ELM 3\n" + BODY}
    target = {"lib/door.c": table + BODY.replace(b"int door_count", b"#define DOOR_YEW 3\n\nint door_count")}
    result = port({"lib/door.c": table + BODY}, fixed, target)
    assert (result.outcome, codes(result)) == (Outcome.APPLIED, ["slot-taken"])


def test_an_included_file_that_came_later_stays_out() -> None:
    """XSA-443 on 4.17: the rest of the fix lands, and the person decides what to include."""
    head = b'#include "door.h"\n'
    rest = BODY.replace(b"    return all;\n", b"    return all + 1;\n")
    fixed = rest.replace(head, head + b'#include "bolt.h"\n')
    source = {"lib/door.h": HEADER, "lib/bolt.h": b"int bolt;\n", "lib/door.c": BODY}
    result = port(source, {"lib/door.c": fixed}, {"lib/door.h": HEADER, "lib/door.c": TOP + BODY})
    assert (result.outcome, codes(result)) == (Outcome.PARTLY_APPLIED, ["missing-header"])
    assert result.patches[0].changes["lib/door.c"].data == TOP + rest
