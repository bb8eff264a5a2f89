"""Lines of a series found again in a later one, and which parts of it a review was of."""

from __future__ import annotations

from backports.engine.diff import parse_series
from backports.engine.follow import Follower, Spot, around, spot_at, spot_of
from backports.engine.parts import names_of, parts_of

HEAD = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n"
CHECK = """@@ -10,4 +10,6 @@ int pick(void)
     int index = read();
     lock(index);
+    if ( !check(index) )
+        return -1;
     use(index);
     done();
"""
TAIL = """@@ -40,3 +42,3 @@ int drop(void)
     lock();
-    forget();
+    forget_all();
     unlock();
"""


def series(*texts: str, path: str = "common/table.c") -> tuple:
    return tuple(patch for text in texts for patch in parse_series((HEAD.format(path) + text).encode()))


FIRST = series(CHECK + TAIL)


def find(spot: Spot | None, *later: str, path: str = "common/table.c") -> Spot | None:
    assert spot
    return Follower(FIRST, series(*later, path=path)).find(spot.paths[0], spot.place)


def test_a_line_is_named_by_its_place_or_by_its_number_in_the_file() -> None:
    spot = spot_of(FIRST, "common/table.c", 12)
    assert spot and spot.text == b"    if ( !check(index) )\n"
    assert spot.place == (1, 1, 1, 3)
    assert spot_at(FIRST, (1, 1, 1, 3)) == spot
    removed = spot_of(FIRST, "common/table.c", 41, old=True)
    assert removed and removed.tag == "-" and removed.new_line == 0
    assert spot_of(FIRST, "common/table.c", 41) is None
    assert spot_of(FIRST, "common/table.c", 0, old=True) is None
    assert spot_at(FIRST, (1, 1, 3, 1)) is None


def test_what_stood_around_it_is_kept() -> None:
    spot = spot_of(FIRST, "common/table.c", 12)
    assert spot
    lines, at = around(FIRST, spot)
    assert lines[at] == ("+", b"    if ( !check(index) )\n")
    assert [tag for tag, _ in lines] == [" ", " ", "+", "+", " ", " "]


def test_it_follows_its_hunk_to_other_lines() -> None:
    moved = CHECK.replace("-10,4 +10,6", "-110,4 +120,6") + TAIL
    spot = find(spot_of(FIRST, "common/table.c", 12), moved)
    assert spot and (spot.place, spot.new_line) == ((1, 1, 1, 3), 122)


def test_it_follows_its_hunk_into_another_patch() -> None:
    spot = find(spot_of(FIRST, "common/table.c", 43), TAIL, CHECK)
    assert spot and spot.place == (1, 1, 1, 3)


def test_it_stays_on_its_line_when_others_beside_it_change() -> None:
    changed = CHECK.replace("return -1;", "return -EINVAL;") + TAIL
    kept = find(spot_of(FIRST, "common/table.c", 12), changed)
    assert kept and kept.tag == "+" and kept.new_line == 12
    assert find(spot_of(FIRST, "common/table.c", 13), changed) is None


def test_a_line_that_was_added_and_is_context_now_is_another_line() -> None:
    assert find(spot_of(FIRST, "common/table.c", 12), TAIL) is None
    assert find(spot_of(FIRST, "common/table.c", 12), CHECK, path="other.c") is None


def test_places_hold_the_line_that_they_name() -> None:
    later = series(TAIL, CHECK)
    for number in (12, 13, 14, 42, 43):
        spot = find(spot_of(FIRST, "common/table.c", number), TAIL, CHECK)
        if spot:
            line = later[spot.patch - 1].files[spot.file - 1].hunks[spot.hunk - 1].lines[spot.line - 1]
            assert (line.tag, line.text) == (spot.tag, spot.text)


def test_line_numbers_and_the_order_of_patches_are_no_part_of_what_was_reviewed() -> None:
    moved = series(TAIL.replace("-40,3 +42,3", "-50,3 +52,3"), CHECK)
    assert parts_of(moved) == parts_of(FIRST)


def test_a_changed_line_context_or_white_space_makes_another_part() -> None:
    for one in (CHECK.replace("-1;", "-2;"), CHECK.replace("done()", "done(1)"), CHECK.replace("    use", "\tuse")):
        assert parts_of(series(one + TAIL)) != parts_of(FIRST)
        assert parts_of(series(one)) != parts_of(series(CHECK))


def test_a_review_of_one_file_is_not_of_the_others() -> None:
    both = (*FIRST, *series(TAIL, path="common/queue.c"))
    assert parts_of(both, ["common/table.c"]) == parts_of(FIRST)
    assert parts_of(both, ["common/queue.c"]) == parts_of(series(TAIL, path="common/queue.c"))
    assert names_of(both) == ["common/table.c", "common/queue.c"]


def test_a_new_mode_is_a_part() -> None:
    mode = b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    assert len(parts_of(parse_series(mode))) == 1
