"""The same questions in two worlds that differ by one secret advisory: the answers are the same to the byte."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from tests.permissions.actors import OUTSIDERS
from tests.permissions.looks import Looks
from tests.permissions.world import THINGS, Names, names_of
from xsa.models import Advisory

NOWHERE = "00000000-0000-4000-8000-000000000000"
# What is never the same twice: forms' tokens, the moment of asking, the text to sign with a key.
_RANDOM = [
    re.compile(rb'csrfmiddlewaretoken" value="\w+"'),
    re.compile(rb"since=\d+"),
    re.compile(rb"/[0-9a-f]{16}:\w{6}:[\w-]{43}"),
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


@pytest.mark.parametrize("actor", OUTSIDERS)
def test_an_outsider_cannot_tell_the_worlds_apart(looks: Looks, actor: str) -> None:
    """Everything that is linked, and the secret's own addresses, which stand for nothing in the world without it."""
    without = everything(looks.at(looks.rooms.without, actor).answers)
    with_secret = everything(looks.at(looks.rooms.both, actor).answers)
    assert with_secret.keys() == without.keys()
    assert [path for path in without if with_secret[path] != without[path]] == []
    assert len(without) > 60


def test_a_member_can(looks: Looks) -> None:
    without = everything(looks.at(looks.rooms.without, "contact").answers)
    assert everything(looks.at(looks.rooms.both, "contact").answers) != without


ASKED = 60
SEEN = 0.005  # seconds


def test_the_time_of_an_answer_does_not_tell_either(secret: Advisory) -> None:
    """Secret and missing things are asked for in turn; in processor time, since the machine may be busy."""
    client, names = Client(), names_of(secret)
    nothing = Names(9999, {"number": "9999", **dict.fromkeys(THINGS, NOWHERE)})
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
