"""Names that the target's tree lacks, learned from other files of the two trees; and what is no rename.

Motivated by XSA-492, whose option of the configuration has another name on older branches, and XSA-475.
"""

from __future__ import annotations

import pytest

from backports.engine.result import Confidence, Outcome, Rung
from tests.engine.guards.cases import codes, port
from tests.engine.helpers import after

LAMP = b"""\
int lamp_light(struct lamp *l, int level)
{
    struct bulb *b;
    int old = l->level;

    l->level = level;
    lamp_update(l, old);

    return old;
}
"""
OPTION = LAMP.replace(b"    lamp_update(l, old);\n", b"#ifdef CONFIG_LAMP_SEARCH\n    lamp_update(l, old);\n#endif\n")
CALL = LAMP.replace(b"    l->level = level;\n", b"    for_each_bulb ( b, l->bulbs, 4 )\n        b->level = level;\n")


def other(text: bytes) -> bytes:
    return b"int other(void)\n{\n" + text + b"    return 0;\n}\n"


USES = {
    "lib/one.c": other(b"#ifdef CONFIG_LAMP_SEARCH\n    search(1);\n#endif\n"),
    "lib/two.c": other(b"    init();\n#if defined(CONFIG_LAMP_SEARCH)\n    search(2);\n#endif\n"),
}
LOOPS = {
    "lib/bulb.h": b"#define for_each_bulb(b, bulbs, n) for ( b = bulbs; b < bulbs + n; b++ )\n",
    "lib/one.c": other(b"    for_each_bulb ( b, bulbs, 9 )\n        b->on = 1;\n"),
    "lib/two.c": other(b"    init();\n    for_each_bulb ( b, spare, n )\n        b->on = 0;\n"),
}


def renamed(files: dict[str, bytes], old: bytes, new: bytes) -> dict[str, bytes]:
    return {path: data.replace(old, new) for path, data in files.items()}


def result_of(fixed: bytes, source: dict[str, bytes], target: dict[str, bytes]):
    return port({"lib/lamp.c": LAMP} | source, {"lib/lamp.c": fixed}, {"lib/lamp.c": LAMP} | target)


def test_an_option_gets_the_name_that_other_files_have_for_it() -> None:
    result = result_of(OPTION, USES, renamed(USES, b"CONFIG_LAMP_SEARCH", b"CONFIG_LAMP"))
    assert after(result, "lib/lamp.c") == OPTION.replace(b"CONFIG_LAMP_SEARCH", b"CONFIG_LAMP")
    assert (result.outcome, result.rung, result.confidence) == (Outcome.APPLIED, Rung.DIALECT, Confidence.REVIEW)
    assert "CONFIG_LAMP_SEARCH as CONFIG_LAMP" in result.patches[0].files[0].doubts[0]


def test_a_macro_whose_older_name_means_something_else_in_the_source_with_other_arguments() -> None:
    """XSA-475: `for_each_set_bit()` took three arguments, and is another macro of two now."""
    source = LOOPS | {"lib/bits.h": b"#define for_each_lamp(b, mask) for ( ;; )\n"}
    result = result_of(CALL, source, renamed(LOOPS, b"for_each_bulb", b"for_each_lamp"))
    assert after(result, "lib/lamp.c") == CALL.replace(b"for_each_bulb", b"for_each_lamp")


def test_one_file_that_says_otherwise_among_many_does_not_count() -> None:
    many = {f"lib/more{n}.c": USES["lib/one.c"] for n in range(5)}
    target = renamed(many, b"CONFIG_LAMP_SEARCH", b"CONFIG_LAMP") | {
        "lib/two.c": USES["lib/two.c"].replace(b"LAMP_S", b"S")
    }
    result = result_of(OPTION, many | {"lib/two.c": USES["lib/two.c"]}, target)
    assert after(result, "lib/lamp.c") == OPTION.replace(b"CONFIG_LAMP_SEARCH", b"CONFIG_LAMP")


ALIAS = {"lib/alias.c": b"#define EACH for_each_bulb\n#define OTHER 1\n"}
FEWER = {"lib/bulb.h": b"#define for_each_lamp(bulbs, n) for ( b = bulbs; b < bulbs + n; b++ )\n"}
NEW_HEADER = {"lib/lamp.h": b"#define CONFIG_LAMP 1\n"}
SPLIT = {
    "lib/one.c": USES["lib/one.c"].replace(b"CONFIG_LAMP_SEARCH", b"CONFIG_LAMP"),
    "lib/two.c": USES["lib/two.c"].replace(b"CONFIG_LAMP_SEARCH", b"CONFIG_BULB"),
}
REWORKED = {
    "lib/one.c": other(b"#ifdef CONFIG_LAMP\n    seek_all(1, 2);\n    init();\n#endif\n"),
    "lib/two.c": other(b"    start();\n#if defined(CONFIG_LAMP) && MORE\n    init(2);\n"),
}


@pytest.mark.parametrize(
    ("fixed", "source", "target", "name"),
    [
        pytest.param(
            OPTION, USES | NEW_HEADER, renamed(USES, b"_SEARCH", b""), b"CONFIG_LAMP", id="the source has both names"
        ),
        pytest.param(OPTION, USES, SPLIT, b"CONFIG_", id="two files say two names"),
        pytest.param(
            OPTION, USES, {"lib/one.c": other(b""), "lib/two.c": other(b"")}, b"CONFIG_", id="the code is not there"
        ),
        pytest.param(OPTION, USES, {}, b"CONFIG_", id="the files are not there"),
        pytest.param(OPTION, USES, REWORKED, b"CONFIG_", id="the lines differ in more than the name"),
        pytest.param(
            CALL,
            ALIAS | LOOPS,
            renamed(ALIAS, b"bulb", b"lamp") | renamed(LOOPS, b"for_each_bulb ( b,", b"for_each_lamp (") | FEWER,
            b"for_each_",
            id="the other name takes other arguments",
        ),
        pytest.param(
            CALL,
            LOOPS | {"lib/lamps.h": b"#define for_each_lamp(b, c, d) for ( ;; )\n"},
            renamed(LOOPS, b"for_each_bulb", b"for_each_lamp"),
            b"for_each_",
            id="the source has the other name with these arguments",
        ),
    ],
)
def test_near_misses_are_withheld(
    fixed: bytes, source: dict[str, bytes], target: dict[str, bytes], name: bytes
) -> None:
    result = result_of(fixed, source, target)
    assert codes(result) == ["missing-symbol"]
    assert name not in (after(result, "lib/lamp.c") or LAMP)


def test_a_name_that_the_target_has_is_kept() -> None:
    target = renamed(USES, b"CONFIG_LAMP_SEARCH", b"CONFIG_LAMP") | {"lib/b.h": b"#define CONFIG_LAMP_SEARCH 1\n"}
    result = result_of(OPTION, USES, target)
    assert after(result, "lib/lamp.c") == OPTION
    assert result.rung is Rung.EXACT


def test_a_name_in_a_comment_is_no_name() -> None:
    told = LAMP.replace(b"    l->level = level;\n", b"    /* See CONFIG_LAMP_SEARCH. */\n    l->level = level;\n")
    result = result_of(told, USES, renamed(USES, b"CONFIG_LAMP_SEARCH", b"CONFIG_LAMP"))
    assert after(result, "lib/lamp.c") == told
