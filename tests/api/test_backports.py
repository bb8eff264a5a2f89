"""Backports by REST, as a person with curl has them: sent, judged, seen by whom it should, changed, sent again."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from backports.models import Backport, BackportVersion, DoneRequest, Upload
from tests import factories
from tests.api.client import Api
from tests.api.conftest import token_of
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.permissions.world import KNOWN, SECRET, hide, publish
from xsa.models import Advisory, Organisation, PatchFile, User

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]


@pytest.fixture
def known(workshop: Workshop) -> Advisory:
    return publish(workshop)


@pytest.fixture
def secret(workshop: Workshop, known: Advisory) -> Advisory:
    return hide(workshop)


@pytest.fixture
def uploader(db: None) -> User:
    return factories.person("uploader", listed=True)


def sent(row: Advisory, name: str = "xsa.patch") -> SimpleUploadedFile:
    data = PatchFile.objects.get(version__advisory=row, kind="patch").data
    return SimpleUploadedFile(name, bytes(data))


def cell(row: Advisory, branch: str = "4.2") -> str:
    return f"/api/v1/advisories/{row.number}/branches/{branch}/backports/"


def api_of(person: User, *numbers: int) -> Api:
    return token_of(person, verbs=["read", "upload"], embargoed=bool(numbers), advisories=numbers)


def test_a_file_is_answered_with_its_verdict_and_links(known: Advisory, uploader: User) -> None:
    api = api_of(uploader)
    answer = api.post(cell(known, "4.1"), {"patch": sent(known)})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["created"] is True
    assert made["version"]["outcome"] == "applied"
    assert made["backport"]["life"] == "draft"
    assert answer["Location"] == f"/api/v1/versions/{made['version']['id']}/"
    assert api.get(answer["Location"]).json()["number"] == 1
    patch = api.get(made["version"]["patch"])
    assert bytes(sent(known).read()) == patch.content
    assert Upload.objects.get(pk=made["upload"]).came_by == "rest"


def test_the_same_content_again_is_the_version_that_is_there(known: Advisory, uploader: User) -> None:
    api = api_of(uploader)
    first = api.post(cell(known), {"patch": sent(known)})
    again = api.post(cell(known), {"patch": sent(known, "another-name.patch")})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["created"] is False
    assert again.json()["version"]["id"] == first.json()["version"]["id"]


def test_a_draft_is_seen_by_its_organisation_alone_and_a_shared_one_by_the_room(
    secret: Advisory, uploader: User, contact: User
) -> None:
    api, other = api_of(uploader, SECRET), api_of(contact, SECRET)
    made = api.post(cell(secret), {"patch": sent(secret)}).json()
    address = f"/api/v1/backports/{made['backport']['id']}/"
    assert other.get(address).status_code == 404
    assert other.get(made["version"]["patch"]).status_code == 404
    tag = api.get(address)["ETag"]
    shared = api.patch(address, {"life": "shared"}, "application/json", headers={"If-Match": tag})
    assert (shared.status_code, shared.json()["life"]) == (200, "shared")
    refused = other.patch(address, {"life": "withdrawn"}, "application/json", headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    assert other.get(address).json()["organisation"] == made["backport"]["organisation"]
    assert b"EMBARGOED: XSA-7123" in other.get(made["version"]["patch"]).content
    assert Api().get(address).content == Api().get("/api/v1/backports/00000000-0000-4000-8000-000000000000/").content


def test_what_a_token_is_not_for_it_does_not_send_to(secret: Advisory, known: Advisory, uploader: User) -> None:
    for api in (api_of(uploader), token_of(uploader, verbs=["upload"], advisories=[KNOWN])):
        assert api.post(cell(secret), {"patch": sent(secret)}).status_code == 404
    reader = token_of(uploader)
    assert reader.post(cell(known), {"patch": sent(known)}).json()["code"] == "token-verb"
    elsewhere = token_of(uploader, verbs=["upload"], branches=["4.1"])
    assert elsewhere.post(cell(known), {"patch": sent(known)}).status_code == 404
    assert Api().post(cell(known), {"patch": sent(known)}).status_code == 401
    assert not Upload.objects.filter(made_by=uploader).exists()


def test_a_token_for_one_advisory_sends_first_and_says_then(secret: Advisory, uploader: User) -> None:
    """What is embargoed is reached by such tokens alone: it sees what it sent where that names its advisory."""
    api, key = api_of(uploader, SECRET), {"Idempotency-Key": "once"}
    kept = api.post("/api/v1/uploads/", {"patch": sent(secret, f"xsa{SECRET}-4.2.patch")}, headers=key)
    again = api.post("/api/v1/uploads/", {"patch": sent(secret, f"xsa{SECRET}-4.2.patch")}, headers=key)
    assert (kept.status_code, again.json()) == (201, kept.json())
    address = kept["Location"]
    where = {"advisory": SECRET, "branch": kept.json()["proposal"]["branches"][0]["id"]}
    assert token_of(uploader, advisories=[KNOWN]).get(address).status_code == 404
    assert token_of(uploader, branches=["4.1"]).get(address).status_code == 404
    assert token_of(uploader, branches=["4.2"]).get(address).status_code == 200
    made = api.post(f"{address}version/", where, "application/json")
    assert (made.status_code, made.json()["version"]["number"]) == (201, 1)


def test_a_token_for_one_advisory_sees_none_of_what_names_no_advisory(known: Advisory, uploader: User) -> None:
    data = SimpleUploadedFile("x.patch", b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")
    kept = token_of(uploader, verbs=["read", "upload"]).post("/api/v1/uploads/", {"patch": data})
    assert kept.status_code == 201
    narrow = token_of(uploader, advisories=[KNOWN])
    assert narrow.get(kept["Location"]).status_code == 404
    assert narrow.get("/api/v1/uploads/").json()["results"] == []


def test_a_change_needs_the_state_that_was_seen(known: Advisory, uploader: User) -> None:
    api = api_of(uploader)
    made = api.post(cell(known), {"patch": sent(known)}).json()
    address = f"/api/v1/backports/{made['backport']['id']}/"
    change: Any = ({"members_only_later": True}, "application/json")
    assert api.patch(address, *change).status_code == 428
    tag = api.get(address)["ETag"]
    assert api.patch(address, *change, headers={"If-Match": '"other"'}).status_code == 412
    assert api.patch(address, *change, headers={"If-Match": tag}).json()["members_only_later"] is True
    assert api.patch(address, *change, headers={"If-Match": tag}).status_code == 412
    assert api.patch(address, *change, headers={"If-Match": f"W/{api.get(address)['ETag']}"}).status_code == 412


def test_what_cannot_be_done_says_why_and_by_which_field(known: Advisory, uploader: User) -> None:
    api = api_of(uploader)
    made = api.post(cell(known), {"patch": sent(known)}).json()
    address = f"/api/v1/backports/{made['backport']['id']}/"
    tag = api.get(address)["ETag"]
    answer = api.patch(address, {"life": "withdrawn"}, "application/json", headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "no-reason", "because")
    assert Backport.objects.get(pk=made["backport"]["id"]).life == "draft"


@pytest.mark.parametrize(
    "data", [b"", b"no patch at all\n", b"\x1f\x8b\x08broken", b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n cut"]
)
def test_what_cannot_be_read_is_kept_and_told_why(known: Advisory, uploader: User, data: bytes) -> None:
    api = api_of(uploader)
    answer = api.post(cell(known), {"patch": SimpleUploadedFile("x.patch", data)})
    if not data:
        assert (answer.status_code, answer.json()["field"]) == (400, "patch")
        return
    assert (answer.status_code, answer.json()["field"]) == (422, "patch"), answer.content
    kept = api.get(answer["Location"]).json()
    assert kept["problem_code"] == answer.json()["code"]
    assert kept["size"] == len(data)


def test_a_file_that_is_too_large_is_refused_before_it_is_kept(
    known: Advisory, uploader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backports.web.held.MAX_UPLOAD", 100_000)
    answer = api_of(uploader).post(cell(known), {"patch": SimpleUploadedFile("x.patch", b"x" * 100_001)})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert not Upload.objects.filter(made_by=uploader).exists()


def test_a_request_with_a_key_is_done_once(known: Advisory, uploader: User) -> None:
    api = api_of(uploader)
    key = {"Idempotency-Key": "5f0c"}
    first = api.post(cell(known), {"patch": sent(known)}, headers=key)
    again = api.post(cell(known), {"patch": sent(known)}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["version"]["id"] == first.json()["version"]["id"]
    assert "Idempotency-Replayed" not in first
    other = api.post(cell(known, "4.1"), {"patch": sent(known)}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "key-used")
    assert BackportVersion.objects.filter(made_by=uploader).count() == 1


def test_a_request_that_failed_leaves_its_key_free(known: Advisory, uploader: User) -> None:
    api = api_of(uploader)
    key = {"Idempotency-Key": "5f0d"}
    assert api.post(cell(known), {"patch": SimpleUploadedFile("x", b"none")}, headers=key).status_code == 422
    assert not DoneRequest.objects.exists()
    assert api.post(cell(known), {"patch": sent(known)}, headers=key).status_code == 201


def test_keys_are_a_persons_own(known: Advisory, uploader: User, contact: User) -> None:
    key = {"Idempotency-Key": "5f0e"}
    for person in (uploader, contact):
        answer = api_of(person).post(cell(known), {"patch": sent(known)}, headers=key)
        assert (answer.status_code, "Idempotency-Replayed" in answer) == (201, False)


def test_a_file_is_sent_first_and_placed_later(known: Advisory, uploader: User, contact: User) -> None:
    api = api_of(uploader)
    kept = api.post("/api/v1/uploads/", {"patch": sent(known, f"xsa{KNOWN}-4.2.patch")})
    assert kept.status_code == 201
    assert [one["number"] for one in kept.json()["proposal"]["advisories"]] == [KNOWN]
    assert api_of(contact).get(kept["Location"]).status_code == 404
    (branch,) = api.get("/api/v1/branches/?name=4.2").json()["results"]
    where = {"advisory": KNOWN, "branch": branch["id"]}
    made = api.post(f"{kept['Location']}version/", where, "application/json")
    assert (made.status_code, made.json()["upload"]) == (201, kept.json()["id"])
    nowhere = api.post(f"{kept['Location']}version/", where | {"advisory": 9999}, "application/json")
    assert (nowhere.status_code, nowhere.json()["field"]) == (422, "advisory")


def test_people_of_two_organisations_say_for_which(known: Advisory, uploader: User) -> None:
    second = Organisation.objects.create(name="Example Second", listed=True)
    uploader.memberships.create(organisation=second)
    client = factories.log_in(Api(), uploader)
    assert client.post(cell(known), {"patch": sent(known)}).json()["code"] == "which-organisation"
    made = client.post(cell(known), {"patch": sent(known), "organisation": str(second.pk)})
    assert made.json()["backport"]["organisation"] == str(second.pk)


def test_a_session_needs_its_form_token_for_a_change(known: Advisory, uploader: User) -> None:
    client = factories.log_in(Api(enforce_csrf_checks=True), uploader)
    answer = client.post(cell(known), {"patch": sent(known)})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_what_happened_is_told_in_order_to_those_who_may_know(
    secret: Advisory, known: Advisory, uploader: User
) -> None:
    api = api_of(uploader, SECRET, KNOWN)
    now = api.get("/api/v1/events/?newest=true").json()
    assert now["results"] == []
    made = api.post(cell(secret), {"patch": sent(secret)}).json()
    tag = api.get(f"/api/v1/backports/{made['backport']['id']}/")["ETag"]
    change: Any = ({"life": "shared"}, "application/json")
    api.patch(f"/api/v1/backports/{made['backport']['id']}/", *change, headers={"If-Match": tag})
    told = api.get(now["next"]).json()
    assert [(one["kind"], one["advisory"]) for one in told["results"]] == [
        ("backport.version", SECRET),
        ("backport.shared", SECRET),
    ]
    assert api.get(told["next"]).json()["results"] == []
    outside = Api().get("/api/v1/events/").json()["results"]
    assert {one["advisory"] for one in outside} == {KNOWN}
    assert {one["kind"] for one in outside} >= {"advisory.version", "attempt.finished"}
    unseen = Api().get("/api/v1/events/", {"after": told["results"][0]["id"]})
    nothing = Api().get("/api/v1/events/", {"after": "00000000-0000-4000-8000-000000000000"})
    assert (unseen.status_code, unseen.content) == (400, nothing.content)


def test_members_events_stay_with_members_after_the_disclosure(known: Advisory, uploader: User) -> None:
    kinds = {one["kind"] for one in Api().get("/api/v1/events/").json()["results"]}
    assert not {one for one in kinds if one.startswith("backport")}
    room = factories.log_in(Api(), uploader).get("/api/v1/events/").json()["results"]
    assert "backport.shared" in {one["kind"] for one in room}
