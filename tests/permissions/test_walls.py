"""Each wall by itself: the database's with the application's filter taken out, and the application's alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.permissions.actors import OUTSIDERS, client_of
from tests.permissions.crawl import crawl, walk
from tests.permissions.test_canaries import leaks, told
from tests.permissions.test_matrix import differences
from tests.permissions.world import names_of
from xsa.identity import everything
from xsa.models import Advisory


@pytest.fixture(params=["database-alone", "application-alone"])
def one_wall(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "database-alone":
        monkeypatch.setattr("xsa.visibility.sees_embargoed", lambda _: True)
    else:
        monkeypatch.setattr("backports.web.middleware.reading", _sees_all)
    return str(request.param)


@contextmanager
def _sees_all(*_: Any, **__: Any) -> Iterator[None]:
    with everything("tests"):
        yield


@pytest.mark.parametrize("actor", OUTSIDERS)
def test_one_wall_alone_stops_every_outsider(secret: Advisory, known: Advisory, actor: str, one_wall: str) -> None:
    # What leads to the secret names it, so that nothing has to be followed.
    answers = crawl(client_of(actor), names_of(known), names_of(secret), follow=False)
    found = {path: leaks(told(answer), path) for path, answer in answers.items()}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize("actor", OUTSIDERS)
def test_one_wall_alone_answers_as_the_matrix_says_about_what_is_embargoed(
    secret: Advisory, actor: str, one_wall: str
) -> None:
    assert list(differences(client_of(actor), actor, names_of(secret))) == []


def test_without_both_walls_it_would_leak(secret: Advisory, known: Advisory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xsa.visibility.sees_embargoed", lambda _: True)
    monkeypatch.setattr("backports.web.middleware.reading", _sees_all)
    answers = walk(client_of("anonymous"), names_of(known), names_of(secret))
    assert any(leaks(told(answer), path) for path, answer in answers)
