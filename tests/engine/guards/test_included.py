"""Headers that the target lacks, names that come in with none of its headers, and variables of other types."""

from __future__ import annotations

import pytest

from backports.engine.guards import ccode
from tests.engine.guards.cases import codes, port

DOOR = b"struct door {\n    int open;\n};\nint door_open(struct door *door);\n"
HINGE = b"#define HINGES 3\nint hinge_oil(int drops);\n"
SOURCE = b"""\
#include <lib/door.h>

int door_check(struct door *door)
{
    int rc = door_open(door);

    if ( rc < 0 )
        return rc;

    door->open = 1;

    return rc;
}
"""
OLDER = b"/* The oldest file of all. */\n\n" + SOURCE
OPEN = b"    door->open = 1;\n"
INCLUDE = b"#include <lib/door.h>\n"


def with_header(text: bytes, line: bytes = b"#include <lib/hinge.h>\n") -> bytes:
    return text.replace(INCLUDE, INCLUDE + line)


def test_an_included_file_that_came_later() -> None:
    """XSA-443 on 4.17: the macros that the fix includes a header for stood in another one."""
    source = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": SOURCE}
    target = {"lib/door.h": DOOR, "lib/old.h": HINGE, "lib/door.c": OLDER}
    result = port(source, {"lib/door.c": with_header(SOURCE)}, target)
    assert "missing-header" in [step.code for step in result.flags]
    assert "lib/hinge.h" in result.flags[0].sentence


def test_an_included_file_that_is_there_or_that_the_fix_brings() -> None:
    source = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": SOURCE}
    target = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": OLDER}
    assert codes(port(source, {"lib/door.c": with_header(SOURCE)}, target)) == []
    bringing = {"lib/door.c": with_header(SOURCE), "lib/hinge.h": HINGE + b"int hinge;\n"}
    assert codes(port(source, bringing, target)) == []


def test_an_included_file_that_no_tree_has_is_made_while_building() -> None:
    source = {"lib/door.h": DOOR, "lib/door.c": SOURCE}
    target = {"lib/door.h": DOOR, "lib/door.c": OLDER}
    assert codes(port(source, {"lib/door.c": with_header(SOURCE, b"#include <stdlib.h>\n")}, target)) == []


def test_a_name_whose_header_the_older_file_does_not_include() -> None:
    """XSA-59 on 4.4: the numbers are in the tree, and the older file never needed their header."""
    source = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": with_header(SOURCE)}
    fixed = {"lib/door.c": source["lib/door.c"].replace(OPEN, OPEN + b"    hinge_oil(HINGES);\n")}
    target = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": OLDER}
    result = port(source, fixed, target)
    assert codes(result) == ["not-included"]
    assert result.flags[0].names == ("HINGES", "hinge_oil")


@pytest.mark.parametrize(
    "target",
    [
        {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": with_header(OLDER)},
        {"lib/door.h": b"#include <lib/hinge.h>\n" + DOOR, "lib/hinge.h": HINGE, "lib/door.c": OLDER},
        {"lib/door.h": DOOR + HINGE, "lib/hinge.h": HINGE, "lib/door.c": OLDER},
    ],
)
def test_a_name_that_comes_in_by_any_header_is_included(target: dict[str, bytes]) -> None:
    source = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": with_header(SOURCE)}
    fixed = {"lib/door.c": source["lib/door.c"].replace(OPEN, OPEN + b"    hinge_oil(HINGES);\n")}
    assert codes(port(source, fixed, target)) == []


def test_a_name_that_no_header_brings_at_the_authors_either() -> None:
    source = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": SOURCE}
    fixed = {"lib/door.c": SOURCE.replace(OPEN, OPEN + b"    hinge_oil(HINGES);\n")}
    target = {"lib/door.h": DOOR, "lib/hinge.h": HINGE, "lib/door.c": OLDER}
    assert codes(port(source, fixed, target)) == []


def test_what_is_included() -> None:
    text = b'#include <a/b.h>\n  # include "c.h" /* d */\n/* #include */ int include;\n#include MACRO\n'
    assert ccode.included(text) == [b"a/b.h", b"c.h"]


FRAME = b"""\
#include <lib/door.h>

int door_map(struct door *door, unsigned int at)
{
    %s frame = door_frame(door);
    unsigned long size = 1;

    if ( at > size )
        return 1;

    return 0;
}
"""
LIMIT = b"        return 1;\n"
HEADER = DOOR + b"typedef struct { int n; } frame_t;\nint frame_eq(frame_t a, frame_t b);\n"


def typed(here: bytes, line: bytes, there: bytes = b"frame_t") -> list[str]:
    source = {"lib/door.h": HEADER, "lib/door.c": FRAME % there}
    fixed = {"lib/door.c": (FRAME % there).replace(LIMIT, LIMIT + b"    " + line)}
    return codes(
        port(
            source,
            fixed,
            {"lib/door.h": HEADER, "lib/door.c": b"/* Older. */\n" + (FRAME % here).replace(b"* f", b"*f")},
        )
    )


@pytest.mark.parametrize(
    ("here", "line", "found"),
    [
        (b"unsigned long", b"if ( frame_eq(frame, 1) )\n        at = 2;\n", ["other-type"]),
        (b"struct door *", b"if ( frame )\n        at = 2;\n", ["other-type"]),
        (b"const frame_t", b"if ( frame_eq(frame, 1) )\n        at = 2;\n", []),
        (b"unsigned long", b"if ( size )\n        at = 2;\n", []),
        (b"unsigned long", b"at = door->frame;\n", []),
    ],
)
def test_a_variable_of_another_type(here: bytes, line: bytes, found: list[str]) -> None:
    """XSA-235 on 4.9: a frame is a structure at the author's and a plain number here."""
    assert typed(here, line) == found


@pytest.mark.parametrize(("here", "there"), [(b"bool_t", b"bool"), (b"uint32_t", b"unsigned int"), (b"int", b"s64")])
def test_numbers_of_any_size_are_of_one_type(here: bytes, there: bytes) -> None:
    assert typed(here, b"if ( frame )\n        at = 2;\n", there) == []
