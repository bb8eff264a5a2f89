"""What the confidence rests on, and that the model weighs it the right way round."""

from __future__ import annotations

import pytest

from backports.engine import confidence, confidence_model, diff, ladder
from backports.engine.guards import Case, open_case
from backports.engine.guards.changes import Change, FileChange, Text
from backports.engine.locate import diff_lines
from backports.engine.result import Confidence, Outcome, Rung
from tests.engine.guards.cases import port
from tests.engine.helpers import FIXED, SHOP, DictTree, apply, unified

PATH = "lib/shop.c"
TOP = b"/* one more line */\n" * 4
BEST = {"rung:exact": 1.0, "same-file": 1.0, "agrees": 1.0, "symbols": 1.0, "hunks": 1.0, "files": 1.0}


def shown(target: bytes, *, store: bool = True) -> dict[str, float]:
    tree = DictTree({PATH: target}, store=[SHOP] if store else [])
    result = ladder.apply_series(diff.parse_series(unified(SHOP, FIXED)), tree)
    return dict(confidence.evidence(result, open_case(result, tree, diff_lines, None)))


def test_the_same_file() -> None:
    found = shown(SHOP)
    assert (found["same-file"], found["agrees"], found["drift"], found["rung:exact"]) == (1, 1, 0, 1)


def test_a_file_that_drifted() -> None:
    found = shown(TOP + SHOP.replace(b"used = 0;", b"used = (0);"))
    assert (found["same-file"], found["agrees"], found["rung:offset"]) == (0, 1, 1)
    assert found["drift"] == pytest.approx(1 / SHOP.count(b"\n"))


def test_a_base_that_nobody_has() -> None:
    found = shown(TOP + SHOP, store=False)
    assert (found["no-base"], found["agrees"]) == (1, 0)


def test_a_conflicting_merge() -> None:
    old = b"    if (slot < 0)\n        slot = used++;\n"
    target, result = SHOP.replace(old, old.replace(b"slot < 0", b"slot <= -1")), SHOP.replace(old, b"")
    tree = DictTree({PATH: target}, store=[SHOP])
    applied = ladder.apply_series(diff.parse_series(unified(SHOP, FIXED)), tree)
    ours = Change(Text(target, PATH), Text(result, PATH), diff_lines)
    theirs = Change(Text(SHOP, PATH), Text(FIXED, PATH), diff_lines)
    case = Case(applied, (FileChange(PATH, ours, theirs, ()),), tree)
    found = confidence.evidence(applied, case)
    assert (found["merge-conflict"], found["agrees"], found["other-lines"]) == (1, 0, 1)


@pytest.mark.parametrize("name", ["drift", "hunks"])
def test_more_of_what_speaks_against_never_raises_the_probability(name: str) -> None:
    assert confidence.probability(BEST | {name: 3.0}) <= confidence.probability(BEST | {name: 0.0})


def test_the_best_evidence_is_high() -> None:
    assert confidence.probability(BEST) > confidence_model.THRESHOLD


def test_a_rung_that_the_model_never_saw_is_not_known() -> None:
    assert confidence.is_known(BEST)
    assert not confidence.is_known({"rung:guessed": 1.0})


REWRITTEN = SHOP.replace(b"    table[slot].name = name;\n", b"    table[slot].name = copy(name);\n")
BESIDE = SHOP.replace(b"    table[slot].count += count;\n", b"    table[slot].count = total(count);\n")


def test_a_line_that_is_rewritten_beside_one_of_the_targets_own_is_weighed() -> None:
    result = port({PATH: SHOP}, {PATH: REWRITTEN}, {PATH: BESIDE}, names=False)
    assert (result.outcome, result.rung, result.confidence) == (Outcome.APPLIED, Rung.ADJACENT, Confidence.HIGH)
    assert result.patches[0].files[0].doubts
    assert "stand unmodified" in result.grounds


def test_a_line_that_goes_in_ahead_of_one_that_the_target_lacks_is_for_review() -> None:
    """XSA-398 and XSA-320: of a list's entries, the one that the new one was put before is not here."""
    old, new = b"    table[slot].name = name;\n", b"    table[slot].owner = owner;\n"
    fixed, target = SHOP.replace(old, new + old), SHOP.replace(old, b"")
    result = port({PATH: SHOP}, {PATH: fixed}, {PATH: target}, names=False)
    assert (result.outcome, result.rung, result.confidence) == (Outcome.APPLIED, Rung.ADJACENT, Confidence.REVIEW)
    assert "go ahead of" in result.grounds


def test_a_doubt_that_is_not_weighed_means_review_whatever_the_model_says() -> None:
    twice = b"int low(int n)\n{\n    n = n + 1;\n    return n;\n}\n\n"
    base = twice + twice.replace(b"low", b"mid") + b"int last;\n"
    hunk = b"@@ -3,2 +3,3 @@\n     n = n + 1;\n+    check(n);\n     return n;\n"
    result = apply(b"--- a/lib/shop.c\n+++ b/lib/shop.c\n" + hunk, b"/* one */\n" * 4 + base)
    assert (result.outcome, result.confidence) == (Outcome.APPLIED, Confidence.REVIEW)
    assert "a place is in doubt" in result.grounds


def test_a_file_that_has_another_name_is_weighed_and_no_doubt_by_itself() -> None:
    moved = "lib/store.c"
    tree = DictTree({moved: TOP + SHOP}, store=[SHOP], moves={PATH: [moved]})
    result = ladder.apply_series(diff.parse_series(unified(SHOP, FIXED)), tree)
    found = confidence.evidence(result, open_case(result, tree, diff_lines, None))
    assert (result.outcome, found["moved"], found["doubts"]) == (Outcome.APPLIED, 1, 0)
    assert result.patches[0].files[0].doubts


def test_what_applied_has_a_probability_and_what_did_not_has_none() -> None:
    whole = port({PATH: SHOP}, {PATH: FIXED}, {PATH: SHOP})
    assert whole.probability is not None
    assert confidence_model.THRESHOLD <= whole.probability <= 1
    none = apply(unified(SHOP, FIXED), b"int other;\n")
    assert (none.outcome, none.probability) == (Outcome.CONFLICT, None)


def test_the_grounds_of_a_high_result() -> None:
    result = port({PATH: SHOP}, {PATH: FIXED}, {PATH: SHOP})
    assert result.confidence is Confidence.HIGH
    assert result.grounds.startswith("Every hunk landed at its own line, ")
    assert "every name that it uses is known" in result.grounds


def test_a_flag_means_review_whatever_the_model_says() -> None:
    fixed = SHOP.replace(b"#define MAX_STOCK 64\n", b"#define MAX_STOCK 64\n#define MAX_SLOTS 9\n")
    target = SHOP.replace(b"static int used;\n", b"static int used;\n\n#define MAX_NAMES 9\n")
    assert port({PATH: SHOP}, {PATH: fixed}, {PATH: SHOP}).confidence is Confidence.HIGH
    result = port({PATH: SHOP}, {PATH: fixed}, {PATH: target})
    assert (result.outcome, result.confidence) == (Outcome.APPLIED, Confidence.REVIEW)
    assert "slot-taken" in result.grounds


def test_what_landed_in_part_is_for_review() -> None:
    both = FIXED.replace(b"used = 0;", b"used = -1;")
    result = apply(unified(SHOP, both), SHOP.replace(b"    used = 0;\n", b"    forget();\n    all_of(it);\n"))
    assert (result.outcome, result.confidence) == (Outcome.PARTLY_APPLIED, Confidence.REVIEW)
    assert "some hunks did not land" in result.grounds
