"""What an attempt's page says of commits in the way and of proposals, and the proposals as files."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from backports.models import Attempt
from tests.web.conftest import World

HOSTILE = "</pre><script>alert(1)</script>\u202e"
COMMIT = {
    "oid": "ab" * 20,
    "subject": f"Rename {HOSTILE}",
    "side": "source",
    "lines": ["a"],
    "strange": [],
    "files": 1200,
    "changed": 3,
    "tree_wide": True,
    "is_there": True,
    "words": [[[" ", "x = "], ["-", f"old{HOSTILE}"], ["+", "new"]]],
}
CULPRITS = {
    "complete": False,
    "hunks": [
        {"patch": 1, "file": 1, "hunk": 2, "path": f"a{HOSTILE}.c", "header": "@@ -1 +1 @@", "commits": [COMMIT]}
    ],
}
SET = {"commits": [COMMIT], "rung": "offset", "flags": [HOSTILE], "result": "cd" * 20}
PART = {
    "path": "a.c",
    "header": "",
    "name": "",
    "lines": [HOSTILE],
    "sentence": f"It is not here {HOSTILE}",
    "origin": "ef" * 20,
}
DROPS = {"parts": [PART], "outcome": "applied", "landed": 1, "total": 1, "rung": "exact", "result": "cd" * 20}


def page(world: World, **more: object) -> str:
    row = world.known_attempt
    row.evidence = {**row.evidence, **more}
    row.save()
    return Client().get(reverse("attempt", args=[row.pk])).content.decode()


def test_commits_in_the_way_are_told_word_by_word_and_nothing_in_them_is_markup(world: World) -> None:
    shown = page(world, culprits=CULPRITS)
    assert "<script>alert" not in shown
    assert "\u202e" not in shown
    assert '<ins class="add">new</ins>' in shown
    assert '<del class="del">old' in shown
    assert 'href="#hunk-1-1-2"' in shown
    assert "1,200 files" in shown
    assert "is hardly worth a backport" in shown
    assert "Time ran out" in shown


def test_a_set_and_a_drop_are_proposals_with_their_cost_and_proof(world: World) -> None:
    shown = page(world, prerequisite_sets=[SET], drops=DROPS)
    assert "<script>alert" not in shown
    assert "A proposal, tried on this branch" in shown
    assert "no proof that the branch is not affected" in shown
    for what in ("prerequisites", "drops"):
        assert reverse("explained", args=[world.known_attempt.pk, what]) in shown


@pytest.mark.parametrize(
    ("total", "result", "words"),
    [(0, "", "Nothing of the fix is left without it."), (3, "", "Of what is left 1 of 3 hunks land.")],
)
def test_what_is_left_without_the_parts_is_told(world: World, total: int, result: str, words: str) -> None:
    assert words in page(world, drops={**DROPS, "total": total, "result": result})


def test_a_page_without_an_explanation_has_none_of_it(world: World) -> None:
    shown = page(world)
    assert all(f'id="{name}"' not in shown for name in ("culprits", "prerequisites", "drops"))


def test_who_may_not_see_the_advisory_finds_no_proposal_of_it(world: World) -> None:
    row = world.secret_attempt
    row.evidence = {"prerequisite_sets": [SET], "drops": DROPS}
    row.save()
    for what in ("prerequisites", "drops"):
        hidden = Client().get(reverse("explained", args=[row.pk, what]))
        absent = Client().get(reverse("explained", args=["00000000-0000-4000-8000-000000000000", what]))
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
        assert dict(hidden.headers) == dict(absent.headers)


@pytest.mark.parametrize("what", ["prerequisites", "drops", "others"])
def test_a_proposal_that_was_not_made_does_not_exist(world: World, what: str) -> None:
    assert Client().get(reverse("explained", args=[world.known_attempt.pk, what])).status_code == 404


def test_what_needs_commits_offers_only_what_landed_as_its_result(world: World) -> None:
    Attempt.objects.filter(pk=world.known_attempt.pk).update(outcome="needs-prerequisite", result="ab" * 20)
    shown = Client().get(reverse("attempt", args=[world.known_attempt.pk])).content.decode()
    assert "once the commits named below are in the branch" in shown
    assert "Download what landed" in shown
