"""What every answer says to browsers and proxies, whoever asks for whatever."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.web.conftest import World

PLACES = ["/", "/advisories/777/", "/advisories/456/", "/no/such/page", "/files/unread/", "/healthz", "/login/"]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("who", ["anonymous", "member"])
def test_every_answer_tells_nobody_where_it_was_read(
    world: World, request: pytest.FixtureRequest, who: str, path: str
) -> None:
    client: Client = request.getfixturevalue(who)
    answer = client.get(path)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in answer["Permissions-Policy"]
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_policy_allows_what_the_pages_use_of_passkeys(world: World, anonymous: Client) -> None:
    assert "publickey-credentials-get=(self)" in anonymous.get("/")["Permissions-Policy"]


def test_whatever_is_embargoed_is_kept_and_changed_by_no_one(world: World, member: Client) -> None:
    pages = [
        "/",
        "/advisories/777/",
        "/advisories/777/files.tar",
        f"/attempts/{world.secret_attempt.pk}/",
        f"/files/{world.secret_file.pk}/raw",
        "/r/xen/progress/?newest=999&oldest=1&since=0",
    ]
    for path in pages:
        answer = member.get(path, headers={"accept-encoding": "gzip, deflate, br, zstd"})
        assert answer.status_code == 200, path
        assert answer["Cache-Control"] == "no-store, no-transform", path
        assert "Content-Encoding" not in answer, path


@pytest.fixture
def strict(member: Client) -> Any:
    """The same reader with the check against forgery on, and the token of a form."""
    member.handler.enforce_csrf_checks = True
    page = member.get("/advisories/777/").content.decode()
    token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page)[0]
    return lambda **headers: member.post(
        "/advisories/777/statements/", {"csrfmiddlewaretoken": token if token else ""}, headers=headers
    )


def test_a_form_of_ours_comes_from_nowhere_and_is_known_all_the_same(world: World, strict: Any) -> None:
    """Past the check it is a statement without content, which makes no sense."""
    assert strict(origin="null", sec_fetch_site="same-origin").status_code == 400
    assert strict(origin="http://testserver").status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"},
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"origin": "null", "sec_fetch_site": "same-site"},
        {"origin": "null", "sec_fetch_site": "none"},
        {"origin": "https://elsewhere.example", "sec_fetch_site": "same-origin"},
        {"origin": "https://elsewhere.example", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_form_of_somebody_elses_is_refused(world: World, strict: Any, headers: dict[str, str]) -> None:
    assert strict(**headers).status_code == 403


def test_a_form_of_ours_without_its_token_is_refused(world: World, member: Client) -> None:
    member.handler.enforce_csrf_checks = True
    answer = member.post("/advisories/777/statements/", {}, headers={"origin": "null", "sec-fetch-site": "same-origin"})
    assert answer.status_code == 403
