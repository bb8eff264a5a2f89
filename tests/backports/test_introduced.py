"""A flag of a missing name says which commit brought it."""

from __future__ import annotations

from backports.git.store import open_repository
from backports.services.introduced import MOST_NAMES, with_commits
from tests.backports.toy import Toy

FLAG = {"code": "missing-symbol", "sentence": "x", "path": "common/queue.c", "lines": [1], "names": ["queue_lock"]}


def test_the_commit_that_brought_a_missing_name_stands_with_its_flag(toy: Toy) -> None:
    other = {**FLAG, "code": "duplicate-line"}
    first, second = with_commits([FLAG, other], open_repository(toy.path), toy.tip("master"), seconds=20)
    assert first == {**FLAG, "introduced": first["introduced"]}
    (found,) = first["introduced"]
    assert (found["name"], found["oid"], found["subject"]) == ("queue_lock", toy.tip("4.5"), "toy: on the way to 4.5")
    assert second == other


def test_what_cannot_be_found_asked_or_paid_for_goes_without(toy: Toy) -> None:
    repo, tip = open_repository(toy.path), toy.tip("master")
    strange = {**FLAG, "names": ["never_heard_of", ".member", "%pv"]}
    many = {**FLAG, "names": [*(["never_heard_of"] * MOST_NAMES), "queue_lock"]}
    old = {key: value for key, value in FLAG.items() if key != "names"}
    assert with_commits([strange], repo, tip, seconds=20) == [strange]
    assert with_commits([many], repo, tip, seconds=20) == [many]
    assert with_commits([old], repo, tip, seconds=20) == [old]
    assert with_commits([FLAG], repo, tip, seconds=0) == [FLAG]
