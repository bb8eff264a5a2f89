"""Series taken away by REST: of one version, and of all that a branch lacks, each with its manifest."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from backports.export import mbox
from backports.models import BackportVersion, Branch
from backports.services import reviewing
from backports.services.reviewing import Said
from tests import factories
from tests.api.client import Api
from tests.api.conftest import token_of
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.backports.rooms import CHECK, LIMIT, Room, own, room_in
from xsa.models import User

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]
KINDS = {"mbox": ".mbox", "quilt": ".tar", "raw": ".patch", "p0": "-p0.patch"}


@pytest.fixture
def room(workshop: Workshop) -> Room:
    made = room_in(workshop)
    workshop.work()
    return made


def api_of(person: User, *more: int) -> Api:
    return token_of(person, verbs=["read"], embargoed=True, advisories=[500, *more])


def both(api: Api, address: str) -> tuple[Any, dict[str, Any]]:
    """The file and its manifest."""
    answer, told = api.get(address), api.get(f"{address}.json")
    assert (answer.status_code, told.status_code) == (200, 200), answer.content
    manifest = told.json()
    assert manifest["file"]["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert "XSA-500 is not disclosed" in answer["X-Embargo"] and answer["X-Embargo"] == told["X-Embargo"]
    return answer, manifest


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_version_is_taken_away_with_its_reviews(room: Room, kind: str) -> None:
    version: BackportVersion = room.shared()
    reviewing.give(room.reviewer, version=version, organisation=own(room.reviewer), said=Said("approve"))
    api = api_of(room.third)
    answer, told = both(api, f"/api/v1/versions/{version.pk}/series{KINDS[kind]}")
    assert b"EMBARGOED" in answer.content and b"toy_check" in answer.content
    assert [(one["organisation"], one["verdict"], one["stale"]) for one in told["reviews"]] == [
        ("Example reviewer", "approve", False)
    ]
    assert told["file"]["kind"] == kind


def test_a_review_of_what_changed_since_is_told_as_stale(room: Room) -> None:
    version = room.shared()
    reviewing.give(room.reviewer, version=version, organisation=own(room.reviewer), said=Said("approve"))
    newer = room.upload(check=CHECK.replace("-1", "-EINVAL"))
    _, told = both(api_of(room.third), f"/api/v1/versions/{newer.pk}/series.mbox")
    assert [one["stale"] for one in told["reviews"]] == [True]
    _, told = both(api_of(room.third), f"/api/v1/versions/{version.pk}/series.mbox")
    assert [one["stale"] for one in told["reviews"]] == [False]


def test_what_landed_in_part_is_offered_as_it_came_alone(room: Room) -> None:
    version = room.shared()
    BackportVersion.objects.update(outcome="partly-applied")
    api = api_of(room.third)
    assert api.get(f"/api/v1/versions/{version.pk}/series.patch").status_code == 200
    for name in (".mbox", ".tar", "-p0.patch"):
        assert api.get(f"/api/v1/versions/{version.pk}/series{name}").status_code == 404


@pytest.mark.parametrize("kind", list(KINDS))
def test_all_that_a_branch_lacks_is_taken_away(room: Room, kind: str) -> None:
    other = {"common/table.c": [(LIMIT, LIMIT + CHECK.replace("-1", "-2"))]}
    room.workshop.take(501, {"xsa501.patch": room.workshop.toy.patch("master", other, "another")})
    room.workshop.work()
    room.shared()
    branch = Branch.objects.get(name="4.1", repository__name="toy")
    _, told = both(api_of(room.third, 501), f"/api/v1/branches/{branch.pk}/missing{KINDS[kind]}")
    assert [(one["advisory"], one["way"]) for one in told["series"]] == [("XSA-500", "shared backport")]
    assert [one["advisory"] for one in told["left_out"]] == ["XSA-501"]
    page = factories.log_in(Api(), room.third).get(f"/r/toy/branches/4.1/missing/{kind}.json")
    assert page.json()["file"] == told["file"]


def test_who_may_not_see_it_is_told_of_nothing(room: Room) -> None:
    version = room.shared()
    branch = Branch.objects.get(name="4.1", repository__name="toy")
    for api in (token_of(factories.person("outsider"), verbs=["read"]), token_of(room.third, verbs=["read"]), Api()):
        for address in (f"branches/{branch.pk}/missing.mbox", f"versions/{version.pk}/series.tar"):
            assert api.get(f"/api/v1/{address}").status_code == 404
            assert api.get(f"/api/v1/{address}.json").status_code == 404
    assert "missing/mbox" not in Api().get("/r/toy/branches/4.1/").content.decode()


def test_what_was_damaged_is_not_given_out(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    version = room.shared()
    whole = mbox.as_mbox
    monkeypatch.setattr(mbox, "as_mbox", lambda *given: whole(*given).replace(b"toy_check", b"toy_chock"))
    answer = api_of(room.third).get(f"/api/v1/versions/{version.pk}/series.mbox")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-the-result")
