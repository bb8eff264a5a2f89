"""Reading by REST: what is given to whom, by pages, in part, and again only when it changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories
from tests.api.client import Api
from tests.api.conftest import World, token_of
from xsa.models import User

NOWHERE = "00000000-0000-4000-8000-000000000000"


def numbers(answer: Any) -> list[int]:
    return [row["number"] for row in answer.json()["results"]]


def test_the_root_names_every_list_and_each_answers(world: World) -> None:
    found = Api().get("/api/v1/").json()
    lists = {"advisories", "branches", "attempts", "backports", "uploads", "organisations", "events"}
    lists |= {"reviews", "comments", "claims", "webhooks"}
    assert set(found) == lists | {"openapi"}
    assert [Api().get(path).status_code for path in found.values()] == [200] * len(found)


def test_a_stranger_reads_what_is_disclosed_and_a_token_what_it_was_made_for(world: World, contact: User) -> None:
    assert numbers(Api().get("/api/v1/advisories/")) == [456]
    assert numbers(token_of(contact).get("/api/v1/advisories/")) == [456]
    both = token_of(contact, embargoed=True, advisories=[777, 456])
    assert numbers(both.get("/api/v1/advisories/")) == [777, 456]
    one = token_of(contact, embargoed=True, advisories=[777])
    assert numbers(one.get("/api/v1/advisories/")) == [777]
    assert one.get("/api/v1/advisories/456/").status_code == 404


def test_what_is_not_visible_answers_in_the_bytes_of_what_does_not_exist(world: World) -> None:
    pairs = {
        "/api/v1/advisories/777/": "/api/v1/advisories/9999/",
        "/api/v1/advisories/777/fixes/": "/api/v1/advisories/9999/fixes/",
        f"/api/v1/attempts/{world.secret_attempt.pk}/": f"/api/v1/attempts/{NOWHERE}/",
        f"/api/v1/attempts/{world.secret_attempt.pk}/result.mbox": f"/api/v1/attempts/{NOWHERE}/result.mbox",
        f"/api/v1/attempts/{world.secret_attempt.pk}/result.patch": "/api/v1/no/such/address/",
    }
    for secret, nothing in pairs.items():
        got, missing = Api().get(secret), Api().get(nothing)
        assert got.status_code == missing.status_code == 404
        assert got.content == missing.content


def test_a_token_for_some_branches_reads_those(world: World, contact: User) -> None:
    other = factories.attempt(world.known, world.master, "conflict")
    api = token_of(contact, branches=["4.11"])
    found = [row["id"] for row in api.get("/api/v1/attempts/").json()["results"]]
    assert found == [str(world.known_attempt.pk)]
    assert api.get(f"/api/v1/attempts/{other.pk}/").status_code == 404
    assert [row["name"] for row in api.get("/api/v1/branches/").json()["results"]] == ["4.11"]


def test_a_token_without_the_verb_is_told_so(world: World, contact: User) -> None:
    answer = token_of(contact, verbs=["upload"]).get("/api/v1/advisories/")
    assert (answer.status_code, answer.json()["code"]) == (403, "token-verb")


def test_pages_follow_one_another_without_a_total(world: World) -> None:
    for number in range(1, 8):
        factories.advisory(number)
    path, found = "/api/v1/advisories/?limit=3", []
    while path:
        page = Api().get(path).json()
        assert set(page) == {"results", "next"}
        found += [row["number"] for row in page["results"]]
        path = page["next"]
    assert found == [456, 7, 6, 5, 4, 3, 2, 1]


def test_pages_of_several_columns_miss_and_repeat_nothing(world: World) -> None:
    for name in ("4.1", "4.2", "4.3"):
        factories.branch(world.branch.repository, name)
    path, found = "/api/v1/branches/?limit=2", []
    while path:
        page = Api().get(path).json()
        found += [row["name"] for row in page["results"]]
        path = page["next"]
    assert found == ["master", "4.11", "4.3", "4.2", "4.1"]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJ4Il0", "bnVsbA", "WyIxIiwiMiJd", "%00", "é"])
def test_a_cursor_of_nobodys_is_refused(world: World, cursor: str) -> None:
    answer = Api().get("/api/v1/advisories/", {"cursor": cursor})
    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


def test_filters_narrow_and_unknown_ones_are_refused(world: World) -> None:
    factories.attempt(world.known, world.master, "conflict")
    rows = Api().get("/api/v1/attempts/?outcome=conflict").json()["results"]
    assert [row["branch"] for row in rows] == ["master"]
    assert numbers(Api().get("/api/v1/advisories/?missing_on=4.11")) == [456]
    assert numbers(Api().get("/api/v1/advisories/?since=2030-01-01T00:00:00Z")) == []
    for query, field in (("?outcom=conflict", "outcom"), ("?outcome=nonsense", "outcome"), ("?limit=0", "limit")):
        answer = Api().get(f"/api/v1/attempts/{query}")
        assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_answer_of_some_fields_has_those_alone(world: World) -> None:
    assert Api().get("/api/v1/advisories/456/?fields=number,title").json() == {
        "number": 456,
        "title": "guests can do a thing",
    }
    (row,) = Api().get("/api/v1/attempts/?fields=id,outcome").json()["results"]
    assert set(row) == {"id", "outcome"}
    answer = Api().get("/api/v1/advisories/456/?fields=number,secret")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "unknown-field", "fields")


def test_what_did_not_change_is_not_sent_again(world: World) -> None:
    first = Api().get("/api/v1/advisories/456/")
    tag = first["ETag"]
    assert tag.startswith('"')
    again = Api().get("/api/v1/advisories/456/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert "Content-Type" not in again
    assert Api().head("/api/v1/advisories/456/")["ETag"] == tag
    version = world.known.current
    version.title = "guests can do more"
    version.save()
    changed = Api().get("/api/v1/advisories/456/", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag
    assert Api().get("/api/v1/advisories/456/", headers={"If-Match": tag}).status_code == 412


def test_what_is_embargoed_is_kept_and_compressed_by_nobody(world: World, contact: User) -> None:
    api = token_of(contact, embargoed=True, advisories=[777])
    for path in ("/api/v1/advisories/777/", "/api/v1/advisories/", "/api/v1/attempts/"):
        answer = api.get(path, headers={"Accept-Encoding": "gzip, br"})
        assert b"777" in answer.content
        assert answer["Cache-Control"] == "no-store, no-transform"
        assert "Content-Encoding" not in answer


def test_there_is_one_representation_whatever_is_accepted(world: World) -> None:
    plain = Api().get("/api/v1/advisories/456/")
    for kind in ("text/html", "application/xml", "*/*", "nonsense"):
        assert Api().get("/api/v1/advisories/456/", headers={"Accept": kind}).content == plain.content


def test_methods_that_are_not_declared_answer_alike_whatever_is_there(world: World) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answers = [Api().generic(method, f"/api/v1/advisories/{number}/") for number in (456, 777, 9999)]
        assert {one.status_code for one in answers} == {405}
        assert len({one.content for one in answers}) == 1


def test_of_an_organisation_its_name_is_told_and_no_more(world: World, contact: User) -> None:
    (row,) = Api().get("/api/v1/organisations/").json()["results"]
    assert row == {"id": row["id"], "name": "Example contact", "security_team": False}
