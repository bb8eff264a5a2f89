"""What an attempt's page says of its two builds, and who sees it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backports.models import Compilation
from tests.web.conftest import World

HOSTILE = "</pre><script>alert(1)</script>\u202e"
CLEAN: dict[str, Any] = {
    "state": "clean",
    "code": "",
    "reason": "",
    "diagnostics": [],
    "more": 0,
    "cut": False,
    "last": "",
    "seconds": 71,
}
SAID = {"path": f"xen/a{HOSTILE}.c", "line": 12, "kind": "error", "message": f"no member {HOSTILE}"}
WORSE = {**CLEAN, "state": "new-diagnostics", "diagnostics": [SAID], "more": 3, "cut": True, "last": f"stop {HOSTILE}"}


def page(world: World, found: dict[str, Any]) -> str:
    row = world.known_attempt
    row.evidence = {**row.evidence, "compile": found}
    row.save()
    return Client().get(reverse("attempt", args=[row.pk])).content.decode()


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (CLEAN, "no new error and no new warning"),
        (
            {**CLEAN, "state": "failed-before", "reason": "The build of the branch fails."},
            "The build of the branch fails.",
        ),
        ({**CLEAN, "state": "not-run", "reason": "It took too long."}, "It took too long."),
        (CLEAN, "Both builds took 71 seconds"),
    ],
)
def test_each_answer_has_its_words(found: dict[str, Any], told: str, world: World) -> None:
    assert told in page(world, found)


def test_new_diagnostics_are_named_and_nothing_in_them_is_markup(world: World) -> None:
    shown = page(world, WORSE)
    assert "<script>alert" not in shown
    assert "\u202e" not in shown
    assert "Does not compile cleanly" in shown
    assert ":12</code> <strong>error</strong> no member" in shown
    assert "and 3 more" in shown
    assert "more than was read" in shown


def test_an_attempt_that_was_not_compiled_says_nothing_of_it(world: World) -> None:
    assert (
        "What the compiler says" not in Client().get(reverse("attempt", args=[world.known_attempt.pk])).content.decode()
    )


def test_an_outsider_learns_of_a_compiled_secret_what_he_learns_of_none(world: World) -> None:
    row = world.secret_attempt
    paths = ["/", "/queue/", f"/attempts/{row.pk}/"]
    before = [(answer.status_code, answer.content) for answer in map(Client().get, paths)]
    row.evidence = {**row.evidence, "compile": WORSE}
    row.save()
    Compilation.objects.create(attempt=row)
    assert [(answer.status_code, answer.content) for answer in map(Client().get, paths)] == before
    assert before[-1][0] == 404
