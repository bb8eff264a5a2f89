"""Claims, checks and what branches require, by REST, as programs have them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from backports.models import Backport, BackportVersion, Check, Claim
from tests import factories
from tests.api.client import Api
from tests.api.conftest import World, token_of
from xsa.models import Organisation, User


@pytest.fixture
def one(db: None) -> User:
    return factories.person("one", listed=True)


@pytest.fixture
def two(db: None) -> User:
    return factories.person("two", listed=True)


def api_of(person: User, *verbs: str) -> Api:
    return token_of(person, verbs=["read", *verbs], embargoed=True, advisories=[777])


def until() -> str:
    return (timezone.now() + timedelta(days=2)).isoformat()


CLAIMS = "/api/v1/advisories/777/claims/"
JSON = "application/json"


def test_a_range_is_claimed_and_whoever_comes_second_is_told(world: World, one: User, two: User) -> None:
    factories.branch(world.branch.repository, "4.12")
    first, second = api_of(one, "upload"), api_of(two, "upload")
    made = first.post(CLAIMS, {"first": "4.11", "last": "4.12", "until": until()}, JSON)
    assert made.status_code == 201, made.content
    assert [row["branch"] for row in made.json()["results"]] == ["4.11", "4.12"]
    answer = second.post(CLAIMS, {"first": "4.11", "until": until()}, JSON)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (409, "claimed", "also")
    assert "Example one is on 4.11 until" in answer.json()["detail"]
    also = second.post(CLAIMS, {"first": "4.11", "until": until(), "also": True}, JSON)
    assert also.json()["results"][0]["also"] is True
    assert len(first.get("/api/v1/claims/?branch=4.11").json()["results"]) == 2


def test_claiming_with_the_same_key_again_gives_the_same_claims(world: World, one: User) -> None:
    api, body = api_of(one, "upload"), {"first": "4.11", "until": until()}
    answers = [api.post(CLAIMS, body, JSON, headers={"Idempotency-Key": "a"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert Claim.objects.count() == 1


def test_a_claim_is_handed_over_by_both(world: World, one: User, two: User) -> None:
    first, second = api_of(one, "upload"), api_of(two, "upload")
    made = first.post(CLAIMS, {"first": "4.11", "until": until()}, JSON).json()["results"][0]
    address = f"/api/v1/claims/{made['id']}/"
    heir = str(Organisation.objects.get(name="Example two").pk)
    assert first.patch(address, {"offered_to": heir}, JSON).status_code == 428
    tag = first.get(address)["ETag"]
    assert first.patch(address, {"offered_to": heir}, JSON, headers={"If-Match": tag}).json()["offered_to"] == heir
    assert second.patch(address, {"accept": True}, JSON, headers={"If-Match": tag}).status_code == 412
    tag = second.get(address)["ETag"]
    theirs = second.patch(address, {"accept": True}, JSON, headers={"If-Match": tag}).json()
    assert (theirs["organisation"], theirs["taken_over"]) == (heir, made["id"])
    assert first.get(address).json()["ended_because"] == "handed-over"


def test_claims_are_for_those_who_share_the_room(world: World, one: User) -> None:
    api_of(one, "upload").post(CLAIMS, {"first": "4.11", "until": until()}, JSON)
    outside = token_of(factories.person("outsider"), verbs=["read", "upload"])
    assert outside.get("/api/v1/claims/").json()["results"] == []
    assert outside.post(CLAIMS, {"first": "4.11", "until": until()}, JSON).status_code == 404
    reader = api_of(one)
    assert reader.post(CLAIMS, {"first": "4.11", "until": until()}, JSON).json()["code"] == "token-verb"


@pytest.fixture
def version(world: World, one: User) -> BackportVersion:
    place = one.memberships.get().organisation
    row = factories.backport(world.secret, world.branch, place, one, life="shared", shared_at=factories.DAY)
    return factories.version(row)


def checks_of(version: BackportVersion) -> str:
    return f"/api/v1/versions/{version.pk}/checks/"


def log(data: bytes = b"cc -c a.c\nquiet title\n") -> SimpleUploadedFile:
    return SimpleUploadedFile("build.log", data)


def test_a_robot_says_pending_then_the_result_with_log_and_artefact(version: BackportVersion, two: User) -> None:
    robot = token_of(two, verbs=["read", "check"], embargoed=True, advisories=[777], branches=["4.11"])
    begun = robot.post(checks_of(version), {"name": "build", "state": "pending"})
    assert begun.status_code == 201, begun.content
    done = {"name": "build", "state": "success", "summary": "made all", "artefact_sha256": "ab" * 32, "log": log()}
    made = robot.post(checks_of(version), done).json()
    assert (made["state"], made["artefact_sha256"]) == ("success", "ab" * 32)
    text = robot.get(made["log"])
    assert text.content == b"cc -c a.c\nquiet title\n"
    assert text["Cache-Control"].startswith("no-store")
    listed = robot.get(robot.get(f"/api/v1/versions/{version.pk}/").json()["checks"]).json()["results"]
    assert [row["state"] for row in listed] == ["success", "pending"]


def test_a_log_is_as_secret_as_the_patch(version: BackportVersion, two: User) -> None:
    row = factories.check(version, log=b"quiet title", log_size=11)
    for outside in (Api(), token_of(factories.person("outsider"), verbs=["read", "check"])):
        for path in (f"/api/v1/checks/{row.pk}/", f"/api/v1/checks/{row.pk}/log.txt", checks_of(version)):
            nowhere = path.replace(str(row.pk), str(two.pk)).replace(str(version.pk), str(two.pk))
            assert outside.get(path).content == outside.get(nowhere).content
    Backport.objects.update(life="draft", shared_at=None)
    assert api_of(two, "check").get(f"/api/v1/checks/{row.pk}/log.txt").status_code == 404


def test_who_may_not_check_is_told_why(version: BackportVersion, two: User) -> None:
    form: Any = {"name": "build", "state": "success"}
    session = factories.log_in(Api(), two)
    assert "come from programs" in session.post(checks_of(version), form).json()["detail"]
    assert api_of(two).post(checks_of(version), form).json()["code"] == "token-verb"
    elsewhere = token_of(two, verbs=["check"], embargoed=True, advisories=[777], branches=["4.12"])
    assert elsewhere.post(checks_of(version), form).status_code == 404
    bad = api_of(two, "check").post(checks_of(version), {"name": "Build!", "state": "success"})
    assert (bad.status_code, bad.json()["field"]) == (422, "name")
    assert not Check.objects.exists()


def test_a_branch_says_what_it_requires(world: World) -> None:
    team = factories.log_in(Api(), factories.person("team", security_team=True))
    address = f"/api/v1/branches/{world.branch.pk}/required-checks/"
    tag = team.get(address)["ETag"]
    answer = team.put(address, {"names": ["xtf", "build"]}, JSON, headers={"If-Match": tag})
    assert answer.json() == {"names": ["build", "xtf"]}
    assert team.put(address, {"names": []}, JSON, headers={"If-Match": tag}).status_code == 412
    member = factories.log_in(Api(), factories.person("member", listed=True))
    assert member.get(address).json() == {"names": ["build", "xtf"]}
    assert member.put(address, {"names": []}, JSON, headers={"If-Match": tag}).status_code == 403


def test_one_event_is_found_by_its_id(world: World, one: User) -> None:
    api = api_of(one, "upload")
    api.post(CLAIMS, {"first": "4.11", "until": until()}, JSON)
    event = api.get("/api/v1/events/").json()["results"][-1]
    assert event["kind"] == "claim.made"
    assert api.get(f"/api/v1/events/{event['id']}/").json() == event
    assert Api().get(f"/api/v1/events/{event['id']}/").status_code == 404
