"""The three columns of a hunk that did not land."""

from __future__ import annotations

from typing import Any

from backports.web.sides import Columns, columns


def sides(
    lines: list[tuple[str, str]], ours: list[str], *, line: int = 40, header: str = "@@ -9,3 +10,4 @@ f"
) -> Columns:
    hunk: dict[str, Any] = {"header": header, "lines": [list(pair) for pair in lines]}
    return columns(hunk | {"rejection": {"ours": ours, "line": line}})


def rows(found: Columns) -> list[tuple[str, str, str]]:
    return [(a.text, b.text, c.text) for a, b, c in zip(found.base, found.ours, found.theirs, strict=True)]


CHANGE = [(" ", "a"), ("-", "b"), ("+", "B"), ("+", "C"), (" ", "d")]


def test_lines_that_belong_together_stand_on_one_row() -> None:
    found = sides(CHANGE, ["a", "b", "d"])
    assert rows(found) == [("a", "a", "a"), ("b", "b", "B"), ("", "", "C"), ("d", "d", "d")]
    assert [side.kind for side in found.base] == ["ctx", "del", "filler", "ctx"]
    assert [side.kind for side in found.theirs] == ["ctx", "add", "add", "ctx"]
    assert [side.kind for side in found.ours] == ["ctx", "ctx", "filler", "ctx"]


def test_lines_carry_the_numbers_that_they_have_on_their_side() -> None:
    found = sides(CHANGE, ["a", "b", "d"])
    assert [side.number for side in found.base] == [9, 10, 0, 11]
    assert [side.number for side in found.ours] == [40, 41, 0, 42]
    assert [side.number for side in found.theirs] == [10, 11, 12, 13]


def test_a_line_that_reads_otherwise_stands_beside_the_one_it_was() -> None:
    found = sides(CHANGE, ["a", "b2", "d"])
    assert rows(found)[1] == ("b", "b2", "B")
    assert (found.ours[1].kind, found.ours[1].tag) == ("own", "!")


def test_lines_that_only_the_branch_has_stand_alone_wherever_they_are() -> None:
    found = sides(CHANGE, ["first", "a", "b", "more", "", "d", "last"])
    assert rows(found) == [
        ("", "first", ""),
        ("a", "a", "a"),
        ("b", "b", "B"),
        ("", "", "C"),
        ("", "more", ""),
        ("", "", ""),
        ("d", "d", "d"),
        ("", "last", ""),
    ]
    assert [side.kind for side in found.ours] == ["own", "ctx", "ctx", "filler", "own", "ctx", "ctx", "own"]


def test_context_that_the_branch_lacks_is_gone_unless_it_is_blank() -> None:
    found = sides([(" ", "x"), (" ", ""), ("-", "b"), (" ", "\td")], ["b", "d"])
    assert [side.kind for side in found.base] == ["gone", "ctx", "del", "gone"]
    assert found.ours[3].kind == "own", "white space differs"


def test_nothing_of_the_branch_and_a_strange_header_leave_blanks() -> None:
    found = sides(CHANGE, [], line=0, header="@@ strange @@")
    assert {side.kind for side in found.ours} == {"filler"}
    assert {side.number for column in (found.base, found.ours, found.theirs) for side in column} == {0}
    assert sides([], []) == Columns((), (), ())


def test_many_lines_beside_many_stay_in_order() -> None:
    lines = [(" ", f"line {number}") for number in range(500)]
    found = sides(lines, [f"line {number}" for number in range(100, 160)])
    shown = [side.text for side in found.ours if side.text]
    assert shown == [f"line {number}" for number in range(100, 160)]
    assert [a.text for a, b in zip(found.base, found.ours, strict=True) if b.text] == shown
