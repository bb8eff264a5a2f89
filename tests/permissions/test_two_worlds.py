"""The same questions in two worlds that differ by one secret advisory: the answers are the same to the byte."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.backports.conftest import Workshop
from tests.permissions.actors import OUTSIDERS, client_of
from tests.permissions.crawl import crawl
from tests.permissions.world import Names, hide, live_in, names_of, room_people
from xsa.models import Advisory

NOWHERE = "00000000-0000-4000-8000-000000000000"
# What is never the same twice: forms' tokens, the moment of asking.
_RANDOM = [
    re.compile(rb'csrfmiddlewaretoken" value="\w+"'),
    re.compile(rb"since=\d+"),
]
_DATES = ("Date", "Expires", "Last-Modified")
# A fresh secret for an app, and a fresh challenge for a passkey: no two answers are ever the same.
_FRESH = ("/account/app/", "/account/keys/add/")


def shown(answer: Any) -> tuple[int, dict[str, str], dict[str, str], bytes]:
    """Status, headers, names of cookies, and body, without what is random by design."""
    body = answer.content
    for pattern in _RANDOM:
        body = pattern.sub(b"", body)
    headers = {key: value for key, value in answer.headers.items() if key not in _DATES}
    cookies = {name: str(one["path"]) + str(one["samesite"]) for name, one in answer.cookies.items()}
    return answer.status_code, headers, cookies, body


def everything(answers: Mapping[str, Any]) -> dict[str, tuple[int, dict[str, str], dict[str, str], bytes]]:
    return {path: shown(answer) for path, answer in answers.items() if path not in _FRESH}


@pytest.fixture
def at_one_moment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`at_one_moment(work, ...)` does the work while the clock stands, at the same moment each time."""
    moment = timezone.now() + timedelta(minutes=1)

    def stopped(work: Callable[..., Any], *args: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: moment)
            return work(*args)

    return stopped


@pytest.mark.parametrize("actor", OUTSIDERS)
def test_an_outsider_cannot_tell_the_worlds_apart(
    workshop: Workshop, known: Advisory, actor: str, at_one_moment: Callable[..., Any]
) -> None:
    names = names_of(known)
    people = room_people()
    client = client_of(actor, None)
    at_one_moment(crawl, client, names)  # what looking leaves behind, in the audit for instance, is there from now on
    without = everything(at_one_moment(crawl, client, names))
    live_in(hide(workshop), people)
    with_secret = everything(at_one_moment(crawl, client, names))
    assert with_secret.keys() == without.keys()
    assert [path for path in without if with_secret[path] != without[path]] == []
    assert len(without) > 40


def test_a_member_can(workshop: Workshop, known: Advisory) -> None:
    client = client_of("contact", None)
    without = everything(crawl(client, names_of(known)))
    hide(workshop)
    assert everything(crawl(client, names_of(known))) != without


ASKED = 60
SEEN = 0.005  # seconds


def test_the_time_of_an_answer_does_not_tell_either(secret: Advisory) -> None:
    """Secret and missing things are asked for in turn; in processor time, since the machine may be busy."""
    client, names = Client(), names_of(secret)
    nothing = Names(9999, {"number": "9999", **dict.fromkeys(("attempt", "file", "fix"), NOWHERE)})
    for path in (
        "/advisories/{number}/",
        "/attempts/{attempt}/",
        "/attempts/{attempt}/result.patch",
        "/files/{file}/raw",
    ):
        pair = [path.format(**one.words) for one in (names, nothing)]
        assert abs(_gap(client, *pair)) < SEEN, path


def test_the_clock_would_see_five_milliseconds(secret: Advisory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same measurement with a missing thing that costs 10 ms more."""
    slow = f"/attempts/{NOWHERE}/"
    get = Client.get

    def delayed(self: Client, path: str, *args: Any, **kwargs: Any) -> Any:
        until = time.process_time() + (0.01 if path == slow else 0)
        while time.process_time() < until:
            pass
        return get(self, path, *args, **kwargs)

    monkeypatch.setattr(Client, "get", delayed)
    path = f"/attempts/{names_of(secret).words['attempt']}/"
    assert abs(_gap(Client(), path, slow)) > SEEN


def _gap(client: Client, one: str, other: str) -> float:
    """The difference of the medians, in seconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(2 * ASKED):
        began = time.process_time()
        client.get((one, other)[turn % 2])
        times[turn % 2].append(time.process_time() - began)
    return statistics.median(times[0]) - statistics.median(times[1])
