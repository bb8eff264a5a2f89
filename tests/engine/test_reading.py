"""How a file is looked through: places of lines, names that it lacks, bodies of functions, members."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backports.engine.guards import ccode
from backports.engine.guards.changes import LONGEST_FUNCTION, Text
from backports.engine.locate import Index, split_lines

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"}\n", b"c"]), max_size=30)
SCRAPS = st.lists(st.sampled_from([b"shop", b"shelf", b"x", b"->", b".", b" ", b"\n", b"7", b"_", b"("]), max_size=14)


@given(LINES, st.sets(st.sampled_from([b"a\n", b"b\n", b"d\n"])), st.sets(st.sampled_from([b"\n", b"c", b"e"])))
def test_a_line_has_the_same_places_whether_it_was_expected_or_not(
    lines: list[bytes], first: set[bytes], later: set[bytes]
) -> None:
    index = Index(lines)
    for expected in (first, later):
        index.expect(expected)
        for line in {*lines, *first, *later}:
            assert list(index.places(line)) == [at for at, other in enumerate(lines) if other == line]


@given(SCRAPS)
def test_a_name_is_lacking_when_no_word_is_it_but_for_digits_before(scraps: list[bytes]) -> None:
    text = b"".join(scraps)
    names = frozenset({b"shop", b"shelf", b"x", b"shopshelf"})
    assert Index(split_lines(text)).lacking(names) == names - set(re.findall(rb"[A-Za-z_]\w*", text))


@given(SCRAPS)
def test_members_in_a_row_are_found_as_a_pattern_finds_them(scraps: list[bytes]) -> None:
    text = b"".join(scraps)
    arrow = rb"(?:->|\.)\s*"
    assert ccode.has_member(text, [b"x"]) == bool(re.search(arrow + rb"x(?!\w)", text))
    pair = re.search(arrow + rb"shop\s*" + arrow + rb"x(?!\w)", text)
    assert ccode.has_member(text, [b"shop", b"x"]) == bool(pair)


@pytest.mark.parametrize(
    ("at", "found"), [(0, (0, 0)), (1, (1, 1)), (2, (1, 4)), (3, (1, 4)), (4, (4, 4)), (5, (5, 5)), (7, (6, 8))]
)
def test_the_body_around_a_line(at: int, found: tuple[int, int]) -> None:
    text = Text(b"int a(void)\n{\n x;\n y;\n}\nint b(void)\n{\n z;\n}\n", "shop.c")
    assert text.function(at) == found


@pytest.mark.parametrize(("length", "has_body"), [(LONGEST_FUNCTION - 1, True), (LONGEST_FUNCTION + 1, False)])
def test_a_body_is_looked_for_no_further_than_the_longest(length: int, has_body: bool) -> None:
    text = Text(b"{\n" + b" x;\n" * length + b"}\n", "shop.c")
    assert (text.function(1) != (1, 1)) is has_body
