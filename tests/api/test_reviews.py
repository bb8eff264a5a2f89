"""Reviews and comments by REST: given, replaced, signed, answered; and by whom they are seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Api
from tests.api.conftest import token_of
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.backports.rooms import NUMBER, OTHER_CHECK, Room, room_in
from xsa.models import User

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]
JSON = "application/json"


@pytest.fixture
def room(workshop: Workshop) -> Room:
    return room_in(workshop)


def api_of(person: User, *verbs: str) -> Api:
    return token_of(person, verbs=verbs or ("read", "review"), embargoed=True, advisories=[NUMBER])


def test_a_review_is_given_once_and_counts(room: Room) -> None:
    version = room.shared()
    api, address = api_of(room.reviewer), f"/api/v1/versions/{version.pk}/reviews/"
    said: Any = ({"verdict": "approve", "text": "Good."}, JSON)
    made = api.post(address, *said, headers={"Idempotency-Key": "one"})
    again = api.post(address, *said, headers={"Idempotency-Key": "one"})
    assert (made.status_code, again.status_code) == (201, 201), made.content
    assert made.json()["id"] == again.json()["id"] and made.json()["counts"] is True
    assert len(api.get(f"/api/v1/reviews/?backport={version.backport_id}").json()["results"]) == 1
    reader = api_of(room.reviewer, "read")
    assert reader.post(address, *said).json()["code"] == "token-verb"
    assert Api().post(address, *said).status_code == 401
    assert Api().get(made["Location"]).status_code == 404


def test_a_review_of_what_was_replaced_answers_409_and_is_kept(room: Room) -> None:
    first = room.shared()
    second = room.upload(OTHER_CHECK)
    api = api_of(room.reviewer)
    late = api.post(f"/api/v1/versions/{first.pk}/reviews/", {"verdict": "comment", "text": "My words."}, JSON)
    assert (late.status_code, late.json()["code"]) == (409, "replaced")
    assert late["Location"] == f"/api/v1/versions/{second.pk}/"
    (draft,) = api.get("/api/v1/reviews/drafts/").json()["results"]
    assert (draft["text"], draft["newest"]) == ("My words.", str(second.pk))
    assert api_of(room.third).get("/api/v1/reviews/drafts/").json()["results"] == []


def test_comments_on_lines_follow_and_are_answered(room: Room) -> None:
    version = room.shared()
    api = api_of(room.reviewer)
    address = f"/api/v1/versions/{version.pk}/comments/"
    made = api.post(address, {"text": "Why?", "place": [1, 1, 1, 4]}, JSON)
    assert made.status_code == 201, made.content
    assert made.json()["places"][0]["line"] == 4
    gone = api.post(address, {"text": "Why?", "path": "no.c", "line": 3}, JSON)
    assert (gone.status_code, gone.json()["code"], gone.json()["field"]) == (422, "no-line", "line")
    answers = f"/api/v1/comments/{made.json()['id']}/answers/"
    assert api.post(answers, {"kind": "resolve"}, JSON).status_code == 201
    assert api.post(answers, {"kind": "resolve"}, JSON).json()["code"] == "as-it-is"
    for about in (f"advisories/{NUMBER}", f"backports/{version.backport_id}"):
        assert api.post(f"/api/v1/{about}/comments/", {"text": "Hello."}, JSON).status_code == 201
    room.upload(OTHER_CHECK)
    found = api.get(f"/api/v1/comments/{made.json()['id']}/").json()
    assert found["places"][0]["version"] == str(version.pk) and len(found["places"]) == 2
    assert len(api.get(f"/api/v1/comments/?advisory={NUMBER}").json()["results"]) == 4


def test_the_quorum_is_changed_by_the_team_that_saw_it(room: Room) -> None:
    address = f"/api/v1/advisories/{NUMBER}/quorum/"
    team = api_of(room.team)
    tag = team.get(address)["ETag"]
    assert team.get(address).json() == {"advisory": NUMBER, "needed": 2}
    assert team.patch(address, {"needed": 3}, JSON).status_code == 428
    assert team.patch(address, {"needed": 3}, JSON, headers={"If-Match": '"old"'}).status_code == 412
    got = api_of(room.reviewer).patch(address, {"needed": 3}, JSON, headers={"If-Match": tag})
    assert (got.status_code, got.json()["code"]) == (403, "not-allowed")
    assert team.patch(address, {"needed": 0}, JSON, headers={"If-Match": tag}).status_code == 400


def test_the_text_to_sign_is_given_and_bad_signatures_are_refused(room: Room) -> None:
    version = room.shared()
    api = api_of(room.reviewer)
    text = api.get(f"/api/v1/versions/{version.pk}/review.txt?verdict=approve")
    assert text.content.startswith(b"backports-review 1\nadvisory: XSA-500\n")
    assert "EMBARGO" in text["X-Embargo"]
    refused = api.post(f"/api/v1/versions/{version.pk}/reviews/", {"verdict": "approve", "signature": "me"}, JSON)
    assert (refused.status_code, refused.json()["field"]) == (422, "signature")
