"""The page of an attempt: what to look at first, the way up the ladder, the source beside the result."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from backports.engine.result import Answer, Rung
from backports.engine.rungs import RUNGS, name_of
from backports.models import Attempt
from backports.web import ladder_words
from backports.web.templatetags import house
from tests import factories
from tests.web.conftest import World
from tests.web.test_markup import HOSTILE, Reader

ENGINE = Path(settings.BASE_DIR) / "backports" / "engine"
CODE = re.compile(r"[a-z]+(-[a-z]+)+")


def codes(*paths: Path, said_by: tuple[str, ...]) -> set[str]:
    """Every string that looks like a code in the sources, and whatever is the first argument of these calls."""
    return {code for path in paths for code in _codes_in(ast.parse(path.read_bytes()), said_by)}


def _codes_in(tree: ast.AST, said_by: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in said_by and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def test_every_rung_has_words_and_a_place_in_the_glossary(db: None, anonymous: Client) -> None:
    assert {name_of(place) for place in RUNGS} | {rung.value for rung in Rung} <= set(ladder_words.STEPS)
    assert set(ladder_words.ANSWERS) == set(Answer)
    ids = {attrs.get("id") for _, attrs in Reader(anonymous.get("/glossary/").content.decode()).tags}
    terms = [*ladder_words.STEPS.values(), *ladder_words.GUARDS.values(), *ladder_words.REJECTIONS.values()]
    assert [term.code for term in terms if term.anchor not in ids or not term.sentence] == []


def test_every_guard_has_words() -> None:
    said = codes(*(ENGINE / "guards").glob("*.py"), said_by=("Flag", "_flag"))
    assert "missing-symbol" in said
    assert said - set(ladder_words.GUARDS) == set()


def test_every_rejection_has_words() -> None:
    files = [*(ENGINE / "rungs").glob("*.py"), ENGINE / "apply.py", ENGINE / "files.py"]
    said = codes(*files, said_by=("Refusal", "Rejection"))
    assert "touched-by-target" in said
    assert said - set(ladder_words.REJECTIONS) == set()


@pytest.fixture
def page(world: World, anonymous: Client) -> str:
    return show(world, anonymous, factories.full_evidence())


def show(world: World, client: Client, evidence: dict[str, Any], **columns: Any) -> str:
    values = {"hunks_landed": 2, "hunks_total": 4, "confidence": "review", "rung": "adjacent"} | columns
    values.setdefault("reasons", evidence.get("told", []))
    Attempt.objects.filter(advisory=world.known).delete()
    outcome = values.pop("outcome", "partly-applied")
    row = factories.attempt(world.known, world.branch, outcome, evidence=evidence, **values)
    return client.get(f"/attempts/{row.pk}/").content.decode()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_what_to_look_at_comes_first_with_place_word_and_lines(page: str) -> None:
    shown = text_of(page)
    first = shown.index("To look at first")
    assert first < shown.index("How it was tried") < shown.index("Source against result") < shown.index("Hunk by hunk")
    for told in (
        "xen/common/a.c:40 (hunk 2) lines not found: Nothing like it is here.",
        "xen/common/a.c:14-15 missing symbol: The tree does not know helper.",
        "helper came with 1234567890ab bring the helper",
        "xen/common/a.c:12 (hunk 1) adjacent: The target differs beside it.",
        "xen/arch/gone.c file not found",
    ):
        assert told in shown, told
    assert '<span class="tx">!    helper(x);</span>' in page


def test_every_named_place_is_a_link_to_something_on_the_page(page: str) -> None:
    reader = Reader(page)
    ids = {attrs.get("id") for _, attrs in reader.tags}
    inside = [attrs["href"][1:] for attrs in reader.all("a") if (attrs.get("href") or "").startswith("#")]
    assert len(inside) > 6
    assert set(inside) - {"main"} <= ids


def test_the_way_up_is_told_rung_by_rung(page: str) -> None:
    shown = text_of(page)
    for told in (
        "Way up the ladder: adjacent at line 12, offset +3 · three-way refused",
        "exact, already applied saw no place",
        "three-way refused at line 13 The target changed the same lines.",
        "Way up the ladder: did not land",
        "Way up the ladder: did not land · missing symbol took it back",
        "offset took it at line 40",
        "Second-best places: line 90 in int g(void) (likeness 74 %); line 200 (likeness 50 %)",
    ):
        assert told in shown, told


def test_a_hunk_that_followed_its_function_is_told_with_the_other_file(world: World, anonymous: Client) -> None:
    evidence = factories.full_evidence()
    hunk = evidence["patches"][0]["files"][0]["hunks"][0]
    hunk["placement"] = {"rung": "offset", "line": 12, "offset": 0, "fuzz": 0, "path": "xen/arch/pv/a.c"}
    hunk["note"] = "the function f lives in xen/arch/pv/a.c here"
    hunk["trail"].append({"rung": "moved", "answer": "landed", "line": 12, "code": "", "sentence": "It moved."})
    shown = text_of(show(world, anonymous, evidence))
    assert "xen/arch/pv/a.c:12 (hunk 1) offset: The function f lives in xen/arch/pv/a.c here." in shown
    assert "offset at line 12 of xen/arch/pv/a.c" in shown
    assert "moved took it at line 12" in shown


def test_the_three_sides_of_a_conflict_stand_side_by_side(page: str) -> None:
    assert page.index("Base: what the hunk expects") < page.index("Ours: the branch at line 40") < page.index("Theirs:")
    sides = page[page.index("Base: what") : page.index("Theirs:")]
    assert '<div class="line gone"><span class="ln" data-n="30"></span><span class="tx"> int a;</span>' in sides
    assert '<div class="line del"><span class="ln" data-n="31"></span><span class="tx">-int b;</span>' in sides
    assert '<div class="line own"><span class="ln" data-n="40"></span><span class="tx">!int z;</span>' in sides


def test_the_source_beside_the_result_is_a_diff_of_diffs(page: str) -> None:
    assert '<div class="line source-only"><span class="outer">-</span><span class="tx inner-add">+    old(x);' in page
    assert '<div class="line result-only"><span class="outer">+</span><span class="tx inner-add">+    new(x);' in page
    assert "changed on its way here" in page


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"patches": [{"mark": "=", "subject": "s", "lines": []}], "cut": False}, "only line numbers differ"),
        ({"problem_code": "timeout", "problem": "It took too long."}, "It took too long."),
        ({"patches": [{"mark": "!", "subject": "s", "lines": ["  x"]}], "cut": True}, "only its first part is shown"),
        ({"patches": [{"mark": "<", "subject": "s", "lines": []}], "cut": False}, "only in the source"),
    ],
)
def test_each_answer_of_the_comparison_has_its_words(
    world: World, anonymous: Client, found: dict[str, Any], told: str
) -> None:
    assert told in show(world, anonymous, factories.full_evidence() | {"range_diff": found})


@pytest.mark.parametrize(
    ("paths", "told"), [([], "It comes to the same result."), (["common/a.c"], "Its result differs in common/a.c.")]
)
def test_another_source_with_a_whole_result_is_told_as_a_witness(
    world: World, anonymous: Client, paths: list[str], told: str
) -> None:
    evidence = factories.full_evidence()
    evidence["sources"].append(evidence["sources"][0] | {"chosen": False, "differs_in": paths})
    assert text_of(show(world, anonymous, evidence)).count(told) == 1


def test_grounds_and_likelihood_stand_with_the_confidence(world: World, anonymous: Client) -> None:
    plain = factories.full_evidence() | {"flags": [], "grounds": "Every hunk landed at its own line."}
    told = {"outcome": "applied", "confidence": "high", "probability": 0.974}
    shown = text_of(show(world, anonymous, plain, **told))
    assert "Confidence high. Every hunk landed at its own line. Weighed at 97 %." in shown
    assert "Weighed at" not in show(world, anonymous, factories.full_evidence(), probability=0.5)


@pytest.mark.parametrize(
    ("state", "reasons", "times"),
    [("unknown", [], 1), ("not-found", ["Like it is here."], 1), ("there", [], 0), ("fixed", [], 0)],
)
def test_what_is_known_of_the_code_is_told_once_and_not_where_it_is_plain(
    world: World, anonymous: Client, state: str, reasons: list[str], times: int
) -> None:
    presence = {"state": state, "sentence": "Like it is here.", "introducers": []}
    page = show(world, anonymous, factories.full_evidence() | {"presence": presence}, reasons=reasons)
    assert page.count("Like it is here.") == times


def test_reasons_that_the_page_tells_elsewhere_are_not_told_twice(world: World, anonymous: Client) -> None:
    evidence = factories.full_evidence() | {"told": ["a.c: hunk 2 did not land: because."]}
    page = show(world, anonymous, evidence, reasons=["a.c: hunk 2 did not land: because.", "The base was guessed."])
    assert "hunk 2 did not land: because." not in page
    assert "The base was guessed." in page


def test_evidence_from_before_has_its_page_with_all_reasons(world: World, anonymous: Client) -> None:
    page = show(world, anonymous, factories.evidence(), reasons=["a.c: hunk 2 did not land: because."])
    assert "hunk 2 did not land: because." in page
    assert "To look at first" not in page
    assert "Way up the ladder" not in page


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("the tree does not know it.", "The tree does not know it."),
        ("xen/common/a.c is not here.", "xen/common/a.c is not here."),
        ("root_pg gets a number.", "root_pg gets a number."),
        ("Said already.", "Said already."),
        ("", ""),
    ],
)
def test_sentences_open_with_a_capital_and_names_stay_names(sentence: str, shown: str) -> None:
    assert house.opened(sentence) == shown


def test_many_findings_are_counted_instead_of_listed(world: World, anonymous: Client) -> None:
    evidence = factories.full_evidence()
    evidence["flags"] *= 40
    assert "and 28 more, below" in text_of(show(world, anonymous, evidence))


def test_unknown_codes_of_another_version_are_shown_as_they_are(world: World, anonymous: Client) -> None:
    evidence = factories.full_evidence()
    evidence["flags"][0]["code"] = "guard-to-come"
    evidence["patches"][0]["files"][0]["hunks"][0]["trail"][2]["rung"] = "rung-to-come"
    page = show(world, anonymous, evidence)
    assert "<code" in page
    assert "guard-to-come" in page
    assert "rung-to-come" in page


def test_markup_is_sound_with_everything_on_the_page(page: str) -> None:
    reader = Reader(page)
    assert (reader.mistakes, reader.stack) == ([], [])
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert not {name for _, attrs in reader.tags for name in attrs if name.startswith("on") or name == "style"}
    for attrs in reader.all("div", "section"):
        assert attrs.get("role") != "region" or (attrs.get("aria-label") and attrs.get("tabindex") == "0")


def hostile(value: Any) -> Any:
    """The same shape with hostile text wherever text may come from outside."""
    kept = {"rung", "answer", "outcome", "kind", "mark", "origin", "confidence", "oid"}
    if isinstance(value, dict):
        return {key: one if key in kept else hostile(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return HOSTILE if isinstance(value, str) and len(value) > 1 else value


def test_hostile_text_in_any_part_of_the_evidence_is_shown_and_never_rendered(world: World, anonymous: Client) -> None:
    page = show(world, anonymous, hostile(factories.full_evidence()), reasons=[])
    assert "<script>alert" not in page
    found = re.search("[\u202e\u2066\u200b\u00ad\u0007\u2028\u00a0]", page)
    assert not found, page[found.start() - 200 : found.end()]
    assert page.count("U+202E") > 30
    assert Reader(page).mistakes == []
