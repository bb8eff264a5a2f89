"""What an attempt keeps for its page."""

from __future__ import annotations

import json

from backports.engine.result import Flag, Outcome, SeriesResult
from backports.services import evidence
from backports.services.comparing import MAX_LINES
from tests.backports.conftest import Workshop
from tests.backports.test_trying_cells import PICK, PULL, take, without_index
from tests.engine.helpers import FIXED, SHOP, apply, unified

PATCH = unified(SHOP, FIXED, index=False)
MOVED = b"/* one more line */\n" + SHOP


def hunk(result: SeriesResult) -> dict[str, object]:
    (found,) = evidence.as_json(result)["patches"][0]["files"][0]["hunks"]
    return found


def flagged(*flags: Flag) -> list[dict[str, object]]:
    done = apply(PATCH, MOVED)
    with_flags = SeriesResult(Outcome.APPLIED, done.patches, flags=flags)
    return evidence.as_json(with_flags)["flags"]


def test_the_trail_is_told_rung_by_rung_and_left_out_where_the_hunk_stood_at_its_line() -> None:
    assert hunk(apply(PATCH, SHOP))["trail"] == []
    trail = hunk(apply(PATCH, MOVED))["trail"]
    assert [(step["rung"], step["answer"], step["line"]) for step in trail] == [
        ("exact", "nothing", 0),
        ("already", "nothing", 0),
        ("offset", "landed", 23),
    ]


def test_a_flag_shows_its_lines_in_pieces_with_some_around() -> None:
    (shown,) = flagged(Flag("missing-symbol", "no such name.", "lib/shop.c", (1, 27)))
    assert [piece["line"] for piece in shown["around"]] == [1, 25]
    first, second = (piece["lines"] for piece in shown["around"])
    assert first[0] == [True, "/* one more line */"]
    assert [marked for marked, _ in first] == [True, False, False]
    assert second[2] == [True, "        return -ENOSPC;"]


def test_a_flag_without_lines_or_on_a_file_that_stays_shows_none() -> None:
    shown = flagged(Flag("not-guarded", "too large.", "lib/shop.c"), Flag("unfixed-twin", "another.", "x.c", (4,)))
    assert [one["around"] for one in shown] == [[], []]


def test_flags_and_their_lines_are_bounded() -> None:
    many = Flag("rungs-disagree", "many.", "lib/shop.c", tuple(range(1, 60)))
    shown = flagged(*[many] * 200)
    assert len(shown) == evidence.MAX_FLAGS
    assert len(shown[0]["lines"]) == sum(len(piece["lines"]) for piece in shown[0]["around"]) == evidence.MAX_SHOWN


def test_reasons_that_the_parts_tell_are_named_and_those_of_a_whole_series_are_not() -> None:
    conflict = apply(PATCH, b"nothing\n" * 9)
    assert evidence.as_json(conflict)["told"] == list(conflict.reasons) != []
    assert evidence.as_json(apply(PATCH, FIXED))["told"] == []


def test_text_that_json_in_a_database_cannot_hold_is_shown_by_symbols() -> None:
    shown = flagged(Flag("missing-symbol", "\0 \udcff", "a\0b", (), ("\0",)))
    assert "\\u0000" not in json.dumps(shown)
    json.dumps(shown).encode("utf-8")


def test_a_result_with_an_offset_is_compared_with_its_source_and_an_exact_one_is_the_source(workshop: Workshop) -> None:
    take(workshop, PICK)
    workshop.work()
    assert "range_diff" not in workshop.cell(950, "4.5").evidence
    (one,) = workshop.cell(950, "4.1").evidence["range_diff"]["patches"]
    assert (one["mark"], one["subject"], one["lines"]) == ("=", "table: check the index", [])


def test_what_the_ladder_changed_is_in_the_comparison(workshop: Workshop) -> None:
    plain = without_index(workshop.toy.patch("master", PULL, "queue: trace"))
    workshop.take(950, {"xsa950.patch": plain})
    workshop.work()
    found = workshop.cell(950, "4.4").evidence["range_diff"]
    assert found["cut"] is False
    assert found["patches"][0]["mark"] == "!"
    lines = found["patches"][0]["lines"]
    assert 0 < len(lines) < MAX_LINES
    assert any(line.startswith("- ") for line in lines)
    assert any(line.startswith("+ ") for line in lines)


def test_a_comparison_that_fails_is_told_and_hurts_nothing(workshop: Workshop, monkeypatch: object) -> None:
    monkeypatch.setattr("backports.git.range_diff.OUTPUT_LIMIT", 10)  # type: ignore[attr-defined]
    take(workshop, PICK)
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.evidence["range_diff"]["problem_code"]) == ("applied", "too-large")
