"""Where added lines need a blank line, a place among declarations or another indent."""

from __future__ import annotations

import pytest

from backports.engine.merge import BaseMap, Run
from backports.engine.result import Outcome
from backports.engine.rungs.context import Replace
from backports.engine.rungs.layout import is_late, lined_up, parted
from backports.engine.scan import split_lines
from tests.engine.helpers import DictTree, after, apply, unified


def on(target: bytes, old: bytes, new: bytes):
    return apply(unified(old, new), DictTree({"lib/shop.c": target}, store=[old]))


def lines(text: str) -> list[bytes]:
    return split_lines(text.encode())


BLOCK = (b"    if (bad)\n", b"        stop();\n", b"\n")


@pytest.mark.parametrize(
    ("base", "target", "at", "expected"),
    [
        ("    int a;\n\n    go();\n", "    int b;\n\n    run();\n", 1, Replace(2, 2, BLOCK)),
        ("    int a;\n\n    go();\n", "    int b;\n    run();\n", 1, Replace(1, 1, (b"\n", *BLOCK))),
        ("    int a;\n    x();\n    go();\n", "    int b;\n\n    run();\n", 1, Replace(1, 1, BLOCK)),
        ("    int a;\n\n    go();\n", "{\n    run();\n", 1, Replace(1, 1, BLOCK)),
        ("    int a;\n\n    go();\n", "\n    run();\n", 1, Replace(1, 1, BLOCK)),
    ],
    ids=["the target's own", "made", "the author had none", "below a brace", "there already"],
)
def test_a_blank_line_above_a_paragraph(base: str, target: str, at: int, expected: Replace) -> None:
    """Shapes of XSA-201 f8c6a9334b25 and XSA-293 c567b053e807."""
    assert parted(Run(0, 2, 2, BLOCK), BaseMap(lines(base), lines(target), []), at) == expected


@pytest.mark.parametrize(
    ("base", "above", "added", "late"),
    [
        ("    int a;\n", "    start(v);\n", "    unsigned int state;\n", True),
        ("{\n", "    start(v);\n\n", "    struct vcpu *v = current;\n", True),
        ("    int a;\n", "    int *b = NULL;\n", "    unsigned int state;\n", False),
        ("    int a;\n", "{\n", "    unsigned int state;\n", False),
        ("    start(v);\n", "    start(v);\n", "    unsigned int state;\n", False),
        ("    int a;\n", "    start(v);\n", "    state = 0;\n", False),
        ("    int a;\n", "    start(v);\n", "    return state;\n", False),
        ("int a;\n", "int other(void);\n", "    unsigned int state;\n", False),
    ],
    ids=[
        "below a call",
        "over a blank line",
        "declarations",
        "a brace",
        "as the author",
        "statement",
        "return",
        "file",
    ],
)
def test_a_declaration_below_statements(base: str, above: str, added: str, *, late: bool) -> None:
    """Shape of XSA-166 880c29f5838f."""
    old, new = lines(base), lines(above)
    assert is_late(Run(0, len(old), len(old), tuple(lines(added))), BaseMap(old, new, []), len(new)) is late


CALL = "    rc = take(pool, page, 0, 0);\n"
FIX = "    rc = take(pool, page,\n              partial, false);\n"


@pytest.mark.parametrize(
    ("merged", "expected"),
    [
        (
            "        rc = take(pool, page,\n              partial, false);\n",
            "        rc = take(pool, page,\n                  partial, false);\n",
        ),
        ("    rc = take(pool, page,\n        partial, false);\n", FIX),
        ("    rc = take(pool, page);\n              partial, false);\n", None),
        ("\trc = take(pool, page,\n              partial, false);\n", None),
    ],
    ids=["deeper", "shallower", "no open bracket", "tabs"],
)
def test_arguments_stay_under_their_bracket(merged: str, expected: str | None) -> None:
    """Shape of XSA-290 4835974065cc."""
    assert lined_up(lines(merged), lines(FIX), lines(CALL)) == lines(expected or merged)


def test_a_line_that_the_author_did_not_line_up_keeps_its_indent() -> None:
    loose = lines("    rc = take(pool, page,\n        partial, false);\n")
    assert lined_up(loose, loose, lines(CALL)) == loose


def test_a_line_of_the_targets_own_keeps_its_indent() -> None:
    own = lines("        rc = take(pool, page,\n              partial, false);\n")
    assert lined_up(own, lines(FIX), own) == own


BODY = b"int f(struct pool *pool)\n{\n    int rc;\n\n    rc = take(pool, page, 0, 0);\n    return rc;\n}\n"


def test_a_broken_call_in_code_that_the_target_indents_more() -> None:
    fixed = BODY.replace(b"page, 0, 0);\n", b"page,\n              partial, false);\n")
    target = BODY.replace(
        b"    rc = take(pool, page, 0, 0);\n", b"    if (pool)\n        rc = take(own, page, 0, 0);\n"
    )
    result = on(target, BODY, fixed)
    wanted = b"        rc = take(own, page,\n                  partial, false);\n"
    made = target.replace(b"        rc = take(own, page, 0, 0);\n", wanted)
    assert after(result) == made
    assert on(made, BODY, fixed).outcome is Outcome.ALREADY_APPLIED


TYPES = b"int f(void)\n{\n    int rc;\n    long sum;\n\n    begin();\n    work(1);\n    finish();\n    return 0;\n}\n"


def test_a_declaration_does_not_land_amid_the_targets_statements() -> None:
    fixed = TYPES.replace(b"    long sum;\n", b"    long sum;\n    unsigned int state;\n")
    target = TYPES.replace(b"    int rc;\n    long sum;\n", b"    first(0);\n    second(0);\n")
    assert on(target, TYPES, fixed).outcome is Outcome.CONFLICT


@pytest.mark.parametrize(
    ("base", "target", "made"),
    [
        ("    int a;\n\n    go();\n", "    int b;\n\n    run();\n", True),
        ("    int a;\n    go();\n    more();\n", "    step();\n\n    run();\n", False),
        ("    int a;\n    long c;\n    more();\n", "    int b;\n    run();\n", False),
    ],
    ids=["first statement", "below a statement", "no blank line there"],
)
def test_a_blank_line_between_declarations_and_the_first_statement(base: str, target: str, *, made: bool) -> None:
    """Shape of XSA-488 60a2c3490037: what stood between is not in the target."""
    old, new, added = lines(base), lines(target), (b"    init(c);\n",)
    found = parted(Run(0, 3, 3, added), BaseMap([*old[:2], b"    go();\n"], new, []), 1)
    assert found.lines == ((b"\n", *added) if made else added)


SCAN = b"int scan(void)\n{\n    for (;;)\n    {\n        /* Deal with full pages. */\n        drop(page);\n    }\n}\n"
KEPT = SCAN.replace(b"    {\n        /*", b"    {\n        mfn_t mfn;\n\n        /*")


def test_declarations_join_those_that_the_target_has_there() -> None:
    """Shape of XSA-380 2f6ebcec023b."""
    target = SCAN.replace(b"    {\n        /*", b"    {\n        unsigned int flags = 0;\n\n        /*")
    result = on(target, SCAN, KEPT)
    assert after(result) == target.replace(b"flags = 0;\n", b"flags = 0;\n        mfn_t mfn;\n")
    assert on(after(result) or b"", SCAN, KEPT).outcome is Outcome.ALREADY_APPLIED


@pytest.mark.parametrize(
    "own", [b"        reset(page);\n\n", b"        unsigned int flags = 0;\n        reset(page);\n\n"]
)
def test_declarations_do_not_join_statements(own: bytes) -> None:
    target = SCAN.replace(b"    {\n        /*", b"    {\n" + own + b"        /*")
    assert on(target, SCAN, KEPT).outcome is Outcome.CONFLICT
