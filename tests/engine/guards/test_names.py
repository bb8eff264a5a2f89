"""Names, arguments, labels and words that the target does not have."""

from __future__ import annotations

import pytest

from backports.engine.guards import ccode
from backports.engine.result import Confidence, Outcome
from tests.engine.guards.cases import codes, port

HEADER = b"""\
struct door {
    int open;
    int width;
};
int door_open(struct door *door);
int door_limit(struct door *door, int most);
#define DOOR_MAX 8
"""
SOURCE = b"""\
#include "door.h"

int door_check(struct door *door)
{
    int rc = door_open(door);

    if ( rc < 0 )
        return rc;

    door->open = 1;

 out:
    return rc;
}
"""
LONGER = b"/* The oldest file of all. */\n\n" + SOURCE


def fix(line: bytes) -> bytes:
    return SOURCE.replace(b"    door->open = 1;\n", b"    door->open = 1;\n" + line)


def try_line(line: bytes, *, old_header: bytes = HEADER, new_header: bytes = HEADER, target: bytes = LONGER):
    source = {"lib/door.h": new_header, "lib/door.c": SOURCE}
    return port(source, {"lib/door.c": fix(line)}, {"lib/door.h": old_header, "lib/door.c": target})


def test_a_fix_whose_every_name_is_known_stays_high() -> None:
    result = try_line(b"    door->width = DOOR_MAX;\n")
    assert (result.outcome, result.confidence, result.flags) == (Outcome.APPLIED, Confidence.HIGH, ())


def test_a_helper_that_came_later() -> None:
    new = HEADER + b"void door_bolt(struct door *door);\n"
    result = try_line(b"    door_bolt(door);\n", new_header=new)
    assert codes(result) == ["missing-symbol"]
    (flag,) = result.flags
    assert (flag.path, flag.lines, flag.names) == ("lib/door.c", (), ("door_bolt",))
    assert "door_bolt" in flag.sentence
    assert any("door_bolt" in reason for reason in result.reasons)


def test_a_helper_that_the_fix_brings_along_is_not_missing() -> None:
    new = HEADER + b"void door_bolt(struct door *door);\n"
    source = {"lib/door.h": HEADER, "lib/door.c": SOURCE, "lib/other.c": b"void door_bolt(struct door *door);\n"}
    fixed = {"lib/door.h": new, "lib/door.c": fix(b"    door_bolt(door);\n")}
    target = {"lib/door.h": HEADER, "lib/door.c": LONGER}
    assert codes(port(source, fixed, target)) == []


def test_a_new_local_variable_is_not_missing() -> None:
    new = HEADER + b"extern int depth;\n"
    assert codes(try_line(b"    int depth = 3, rest = 4;\n    door->width = depth;\n", new_header=new)) == []


def test_a_name_in_a_comment_or_a_string_is_no_use_of_it() -> None:
    new = HEADER + b"void door_bolt(struct door *door);\n"
    assert codes(try_line(b'    /* door_bolt */ door->open = sizeof("door_bolt()");\n', new_header=new)) == []


def test_a_member_that_had_another_name() -> None:
    new = HEADER.replace(b"width;", b"width;\n    int depth;").replace(b"#define", b"/* use */\n#define")
    result = try_line(b"    door->depth = 1;\n", new_header=new)
    assert codes(result) == ["missing-symbol"]


def test_a_path_of_members_that_was_another_one() -> None:
    source = {"lib/door.h": HEADER + b"/* door->frame.width */\nint f(int hinge.frame);\n", "lib/door.c": SOURCE}
    source["lib/door.c"] += b"int x(void) { return door->frame.width + door->frame.open; }\n"
    target = {"lib/door.h": HEADER, "lib/door.c": LONGER + b"int x(void) { return door->wall.width + q->frame; }\n"}
    fixed = {"lib/door.c": source["lib/door.c"].replace(b"open = 1;\n", b"open = 1;\n    door->frame.width = 4;\n", 1)}
    result = port(source, fixed, target)
    assert codes(result) == ["missing-symbol"]
    assert "frame.width" in result.flags[0].sentence


def test_a_function_that_is_static_in_another_file() -> None:
    source = {"lib/door.h": HEADER + b"int bolt(int n);\n", "lib/door.c": SOURCE}
    target = {"lib/door.h": HEADER, "lib/door.c": LONGER, "lib/bolt.c": b"static int bolt(int n)\n{\n}\n"}
    assert codes(port(source, {"lib/door.c": fix(b"    rc = bolt(2);\n")}, target)) == ["undeclared-symbol"]
    target |= {"lib/bolt.h": b"int bolt(int n);\n", "lib/door.h": b'#include "bolt.h"\n' + HEADER}
    assert codes(port(source, {"lib/door.c": fix(b"    rc = bolt(2);\n")}, target)) == []


def test_a_parameter_that_came_later() -> None:
    old = HEADER.replace(b"struct door *door, int most", b"struct door *door")
    result = try_line(b"    door_limit(door,\n               (DOOR_MAX, 2));\n", old_header=old)
    assert codes(result) == ["other-arity"]
    assert codes(try_line(b"    door_limit(door,\n               (DOOR_MAX, 2));\n")) == []


def test_a_label_that_the_older_function_lacks() -> None:
    without = LONGER.replace(b"\n out:\n", b"\n")
    result = try_line(b"    if ( rc == 2 )\n        goto out;\n", target=without)
    assert codes(result) == ["missing-label"]
    assert codes(try_line(b"    if ( rc == 2 )\n        goto out;\n")) == []


def test_in_the_authors_own_file_no_label_is_missing() -> None:
    """The macro that follows may hold it; whatever it is, it is as the author meant it."""
    odd = LONGER.replace(b"\n out:\n", b"\n").replace(b"    return rc;", b"    goto done;\n    return rc;", 1)
    path = "lib/door.c"
    assert codes(port({path: LONGER}, {path: odd}, {path: LONGER})) == []
    assert codes(port({path: LONGER}, {path: odd}, {path: b"int own;\n" + LONGER})) == ["missing-label"]


def test_a_conditional_is_no_label() -> None:
    without = LONGER.replace(b"\n out:\n    return rc;", b"\n    return rc ? out : rc;")
    source_line = b"    if ( rc == 2 )\n        goto out;\n"
    assert "missing-label" in codes(try_line(source_line, target=without))


def test_a_printf_extension_that_came_later() -> None:
    new = HEADER + b'#define SHOW(x) printk("%pd", x)\n'
    assert codes(try_line(b'    printk("%pd", door);\n', new_header=new)) == ["missing-symbol", "missing-format"]


def test_a_member_that_a_header_declares_and_nothing_uses_is_known() -> None:
    """The shape of a structure that was filled by `memset` only, until the fix set one member."""
    unused = HEADER.replace(b"int width;", b"int width;\n    int depth:4, spare[2];\n    void (*turn)(int way);")
    new = unused + b"#define DEPTH(d) ((d)->depth + (d)->spare[0] + (d)->turn)\n"
    line = b"    door->depth = 1;\n    door->spare[0] = 2;\n    door->turn(3);\n"
    assert codes(try_line(line, old_header=unused, new_header=new)) == []


def test_a_variable_that_only_the_authors_function_has() -> None:
    """XSA-167: the status is `rc` in one tree and `okay` in the other."""
    status = b"    int rc = door_open(door);\n\n    if ( rc < 0 )\n        return rc;\n"
    target = LONGER.replace(status, b"    if ( !door_open(door) )\n        return 0;\n")
    target = target.replace(b"    return rc;", b"    return 1;") + b"\nint door_shut(int rc)\n{\n    return rc;\n}\n"
    assert "missing-local" in codes(try_line(b"    rc = -1;\n", target=target))
    assert codes(try_line(b"    rc = -1;\n")) == []
    assert codes(try_line(b"    int rc2 = 4;\n    door->open = rc2;\n", target=target)) == []


def test_an_exit_that_the_older_function_does_not_have() -> None:
    """XSA-220: the older function leaves by a label of its own where the newer one returns a constant."""
    names = HEADER + b"#define DOOR_STUCK 3\n"
    more = b"    if ( door->width )\n        return DOOR_STUCK;\n\n    return rc;"
    source = {"lib/door.h": names, "lib/door.c": SOURCE.replace(b"    return rc;\n}", more + b"\n}")}
    fixed = source["lib/door.c"].replace(
        b"    door->open = 1;\n", b"    if ( door->open )\n        return DOOR_STUCK;\n    door->open = 1;\n"
    )
    old = LONGER.replace(b"        return rc;\n", b"        goto out;\n")
    assert codes(port(source, {"lib/door.c": fixed}, {"lib/door.h": names, "lib/door.c": old})) == ["other-exit"]
    same = {"lib/door.h": names, "lib/door.c": b"/* Older. */\n" + source["lib/door.c"]}
    assert codes(port(source, {"lib/door.c": fixed}, same)) == []


ENTRY = b".macro SAVE_DOOR reg:req, keep=0\n    push \\reg\n.endm\n"


@pytest.mark.parametrize(("use", "found"), [(b"SAVE_DOOR rax, keep=1", ["asm-arguments"]), (b"SAVE_DOOR rax", [])])
def test_a_macro_of_the_assembler_that_takes_fewer_arguments(use: bytes, found: list[str]) -> None:
    """XSA-254 3877c024ea4: the older entry macros have no such parameter."""
    body = b"ENTRY(door)\n    mov %rax, %rbx\n    add %rcx, %rbx\n    ret\n"
    source = {"lib/door.S": body, "lib/door.h": ENTRY}
    fixed = {"lib/door.S": body.replace(b"    ret\n", b"    %s\n    ret\n" % use)}
    older = {"lib/door.S": b"# older\n" + body, "lib/door.h": ENTRY.replace(b", keep=0", b"")}
    assert codes(port(source, fixed, older)) == found
    assert codes(port(source, fixed, {**older, "lib/door.h": ENTRY})) == []


@pytest.mark.parametrize(("word", "older"), [(b"ERESTART", b"EAGAIN"), (b"bool", b"bool_t")])
def test_a_word_that_the_older_file_says_otherwise(word: bytes, older: bytes) -> None:
    both = HEADER + b"#define %s 1\n#define %s 2\n" % (word, older)
    source = {"lib/door.h": both, "lib/door.c": SOURCE + b"int x = -%s;\n" % word}
    target = {"lib/door.h": both, "lib/door.c": LONGER + b"int x = -%s;\n" % older}
    fixed = {"lib/door.c": fix(b"    rc = -%s;\n" % word) + b"int x = -%s;\n" % word}
    assert codes(port(source, fixed, target)) == ["other-dialect"]
    target["lib/door.c"] += b"int y = -%s;\n" % word
    assert codes(port(source, fixed, target)) == []


def test_without_an_index_the_names_are_not_judged() -> None:
    new = HEADER + b"void door_bolt(struct door *door);\n"
    source = {"lib/door.h": new, "lib/door.c": SOURCE}
    target = {"lib/door.h": HEADER, "lib/door.c": LONGER}
    assert codes(port(source, {"lib/door.c": fix(b"    door_bolt(door);\n")}, target, names=False)) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (b"f()", [("f", 0)]),
        (b"f(void)", [("f", 0)]),
        (b"f(a, g(b, c), (d, e))", [("g", 2), ("f", 3)]),
        (b"if ( f(a) )", [("f", 1)]),
        (b") f(a", []),
        (b"f (a,\n   b)", [("f", 2)]),
    ],
)
def test_calls(code: bytes, found: list[tuple[str, int]]) -> None:
    assert [(call.name.decode(), call.arguments) for call in ccode.calls(code)] == found


def test_blanking_keeps_lines_and_columns() -> None:
    text = b'a /* b\n c */ "d\\"e" // f\n\'"\' g\n#include <h.h>\n'
    code = ccode.code_only(text)
    assert len(code) == len(text)
    assert code.count(b"\n") == text.count(b"\n")
    assert ccode.names(code) == {b"a", b"g"}
