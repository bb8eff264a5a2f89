"""What is refused: by a code, a sentence and a field, in one form, whoever refuses."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backports.api import rates
from backports.api.base import Deprecation, Endpoint, Operation
from backports.git.errors import GitError
from backports.models import DoneRequest, RateWindow
from backports.services.accounts import forget_requests
from tests import factories
from tests.api.client import Api
from tests.api.conftest import World, token_of
from xsa.models import AuditRecord, User


class Silent(Endpoint):
    """An address that declares nothing, though it has a method."""

    def get(self, _: Request) -> Response:
        raise AssertionError("nobody comes here")


class Foreign(APIView):
    """A view of the framework's, on none of our bases."""

    def get(self, _: Request) -> Response:
        raise AssertionError("nobody comes here")


class Old(Endpoint):
    """An address that goes."""

    operations = {"GET": Operation()}
    deprecation = Deprecation(
        datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 7, 2, 10, tzinfo=UTC), "/api/v2/advisories/"
    )

    def get(self, _: Request) -> Response:
        return Response({})


class Broken(Endpoint):
    """An address behind which git fails."""

    operations = {"GET": Operation()}

    def get(self, _: Request) -> Response:
        raise GitError("no-such-commit", "There is no such commit.")


def answer_of(view: type[APIView], user: User) -> Any:
    request = RequestFactory().get("/api/v1/x/")
    request.user = user
    return view.as_view()(request).render()


def test_what_is_not_declared_is_denied_even_to_the_team(db: None) -> None:
    team = factories.person("team", security_team=True)
    assert answer_of(Silent, team).status_code == 405
    assert answer_of(Foreign, team).status_code == 403


def test_every_address_of_the_api_is_made_of_the_one_base() -> None:
    found = next(one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/").url_patterns
    assert found
    assert [one.name for one in found if not issubclass(one.callback.cls, Endpoint)] == []
    assert [one.name for one in found if not one.callback.cls.operations] == []


def test_an_address_that_goes_says_so(db: None) -> None:
    answer = answer_of(Old, factories.person("one"))
    assert answer["Deprecation"] == "@1767312000"
    assert answer["Sunset"] == "Thu, 02 Jul 2026 10:00:00 GMT"
    assert answer["Link"] == '</api/v2/advisories/>; rel="successor-version"'


def test_what_fails_around_us_is_told_by_code_and_sentence(db: None) -> None:
    answer = answer_of(Broken, factories.person("one"))
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.data["code"], answer.data["detail"]) == ("no-such-commit", "There is no such commit.")


def test_a_bad_token_is_a_problem_too(db: None) -> None:
    answer = Api("xbt_00000000_" + "A" * 43).get("/api/v1/advisories/")
    assert (answer.status_code, answer.json()["code"]) == (401, "bad-token")
    assert answer["WWW-Authenticate"] == "Token"


def test_guessing_tokens_ends_with_an_honest_wait(db: None) -> None:
    api = Api("xbt_00000000_" + "A" * 43)
    answer = next(one for one in (api.get("/api/v1/") for _ in range(50)) if one.status_code == 429)
    assert 0 < int(answer["Retry-After"]) <= 600


def test_an_unforeseen_error_tells_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backports.api.advisories.words.deployment", _breaks)
    monkeypatch.setattr("backports.api.advisories.OneAdvisory.row", _breaks)
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/advisories/456/")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "error"
    assert b"secret" not in answer.content


def _breaks(*_: Any, **__: Any) -> Any:
    raise RuntimeError("secret words")


def test_a_token_is_stopped_at_its_rate_and_answered_again_after_the_wait(
    world: World, contact: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_RATES = {"read": 3, "change": 1}
    now = 1_800_000_030.0
    monkeypatch.setattr("backports.api.rates.time.time", lambda: now)
    one, other = token_of(contact), token_of(contact)
    assert [one.get("/api/v1/advisories/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = one.get("/api/v1/advisories/")
    assert refused.json()["code"] == "too-many-requests"
    assert other.get("/api/v1/advisories/").status_code == 200
    now += int(refused["Retry-After"]) - 1
    assert one.get("/api/v1/advisories/").status_code == 429
    now += 1
    assert one.get("/api/v1/advisories/").status_code == 200


def test_what_fails_counts_too(db: None) -> None:
    now = int(time.time())
    with pytest.raises(RuntimeError), transaction.atomic():
        assert rates.count("before", now) == 1
        raise RuntimeError
    assert rates.count("after", now) == 1
    assert rates.count("after", now) == 2
    assert rates.count("after", now + rates.WINDOW) == 1


def test_taking_away_what_is_embargoed_by_a_session_needs_a_fresh_second_factor(world: World, contact: User) -> None:
    keeper = factories.person("keeper", listed=True)
    own = keeper.memberships.get().organisation
    row = factories.backport(world.secret, world.branch, own, keeper, life="shared", shared_at=factories.DAY)
    path = f"/api/v1/versions/{factories.version(row).pk}/patches.patch"
    client = factories.log_in(Api(), contact)
    assert client.get(path).status_code == 200
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() - 13 * 3600}]
    session.save()
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor")


def test_old_counts_and_keys_are_forgotten(db: None, contact: User) -> None:
    now = timezone.now()
    for days in (0, 3):
        at = now - timedelta(days=days)
        rates.count(f"somebody {days}", int(at.timestamp()))
        DoneRequest.objects.create(user=contact, key=str(days), request="x", done_at=at)
    assert forget_requests(now) == 2
    assert DoneRequest.objects.get().key == "0"
    assert RateWindow.objects.count() == 1


def test_whoever_reads_what_is_embargoed_by_a_token_is_recorded(world: World, contact: User) -> None:
    api = token_of(contact, embargoed=True, advisories=[777])
    tag = api.get("/api/v1/advisories/777/")["ETag"]
    found = AuditRecord.objects.filter(verb="seen", detail__route="api_advisory")
    assert found.get().advisories == [777]
    assert "token" in found.get().detail
    api.get("/api/v1/advisories/777/", headers={"If-None-Match": tag})
    assert found.count() == 2
