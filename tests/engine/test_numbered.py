"""Entries added to numbered lists: with the target's next numbers, where the target counts for itself."""

from __future__ import annotations

import pytest

from backports.engine.result import Confidence, Outcome, Rung
from backports.engine.rungs.numbered import entry_of
from tests.engine.helpers import DictTree, after, apply, unified

PATH = "lib/shop.h"


def on(target: bytes, old: bytes, new: bytes):
    return apply(unified(old, new, PATH), DictTree({PATH: target}, store=[old]), PATH)


def features(*names: str, start: int = 8, end: bytes = b"") -> bytes:
    lines = (f"SHOP_FEATURE({name}, (WORDS+0)*32+{start + at}) /* {name} */\n" for at, name in enumerate(names))
    return b"/* What the shop can do. */\n" + "".join(lines).encode() + end


BASE = features("SCALES", "TILL", "LAMP", "BELL")
FIXED = features("SCALES", "TILL", "LAMP", "BELL", "LOCK", "ALARM")


def test_entries_go_on_from_the_targets_numbers() -> None:
    """Shape of XSA-254 c513244d8e5b: the same names have other slots here."""
    target = features("SCALES", "TILL", "SCREEN", "PRINTER", "LAMP", "BELL")
    result = on(target, BASE, FIXED)
    assert after(result, PATH) == features("SCALES", "TILL", "SCREEN", "PRINTER", "LAMP", "BELL", "LOCK", "ALARM")
    assert (result.rung, result.confidence) == (Rung.ADJACENT, Confidence.REVIEW)
    assert "next numbers" in result.reasons[0]


def test_a_slot_that_the_target_gave_to_another_name_is_not_used_twice() -> None:
    """Shape of XSA-254 0e12c2c881aa."""
    target = features("SCALES", "TILL", "LAMP", "BELL", "SCREEN", "PRINTER")
    result = on(target, BASE, FIXED)
    assert after(result, PATH) == features("SCALES", "TILL", "LAMP", "BELL", "SCREEN", "PRINTER", "LOCK", "ALARM")


def test_entries_that_the_target_has_under_other_numbers_are_there() -> None:
    target = features("SCALES", "TILL", "SCREEN", "PRINTER", "LAMP", "BELL", "LOCK", "ALARM")
    assert on(target, BASE, FIXED).outcome is Outcome.ALREADY_APPLIED


def test_a_word_of_flags_that_is_full_takes_no_more() -> None:
    target = features("SCALES", "TILL", "SCREEN", "PRINTER", "LAMP", "BELL", start=25)
    assert on(target, BASE, FIXED).outcome is not Outcome.APPLIED


def calls(**numbers: int) -> bytes:
    lines = "".join(f"#define SHOP_CALL_{name} {number}\n" for name, number in numbers.items())
    return f"/* Calls of the public interface. */\n{lines}\n/* End of calls. */\n".encode()


def test_numbers_that_both_trees_share_are_kept() -> None:
    """A public interface: the branch lacks a call, and its number stays free."""
    base, fixed = calls(open=1, close=2, count=3), calls(open=1, close=2, count=3, audit=4)
    result = on(calls(open=1, close=2), base, fixed)
    assert b"audit 3" not in (after(result, PATH) or b"")


def workarounds(*names: str, count: bool = True) -> bytes:
    lines = "".join(f"#define WORKAROUND_{name} {at}\n" for at, name in enumerate(names))
    return (
        f"/* Workarounds. */\n{lines}\n#define WORKAROUNDS           {len(names) if count else 9}\n\n#endif\n".encode()
    )


def test_the_count_below_the_list_grows_with_it() -> None:
    """Shape of XSA-398 eed4a84a83f8."""
    base, fixed = workarounds("till", "bell", "lamp"), workarounds("till", "bell", "lamp", "loop", "call")
    made = workarounds("till", "bell", "loop", "call")
    assert after(on(workarounds("till", "bell"), base, fixed), PATH) == made
    assert on(made, base, fixed).outcome is Outcome.ALREADY_APPLIED


def test_a_count_that_grows_by_something_else_is_no_count_of_the_list() -> None:
    base = workarounds("till", "bell", "lamp")
    fixed = workarounds("till", "bell", "lamp", "loop").replace(b"WORKAROUNDS           4", b"WORKAROUNDS           8")
    assert on(workarounds("till", "bell"), base, fixed).outcome is not Outcome.APPLIED


def test_an_entry_in_the_middle_of_a_list_is_not_numbered_anew() -> None:
    gap = b"SHOP_FEATURE(LOCK, (WORDS+0)*32+11) /* LOCK */\nSHOP_FEATURE(ALARM, (WORDS+0)*32+20) /* ALARM */\n"
    base = features("SCALES", "TILL", "LAMP", end=gap[gap.index(b"\n") + 1 :])
    target = features("TILL", "LAMP", "BELL", end=gap[gap.index(b"\n") + 1 :])
    fixed = features("SCALES", "TILL", "LAMP", end=gap)
    assert b"*32+11) /* BELL" not in (after(on(target, base, fixed), PATH) or b"")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"#define ARM_NCAPS           12\n", (b"ARM_NCAPS", 12)),
        (b"XEN_CPUFEATURE(LOCK,(WORDS+0)*32+13) /* a 7 */\n", (b"LOCK", 13)),
        (b"    return 12;\n", None),
        (b"#define NAME other\n", None),
        (b"\n", None),
    ],
)
def test_lines_of_numbered_lists(line: bytes, expected: tuple[bytes, int] | None) -> None:
    found = entry_of(line)
    assert (found and (found.name, found.slot)) == expected
