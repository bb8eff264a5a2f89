"""What the pages show."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from backports.engine.result import Confidence, Outcome, Rung
from backports.models import Attempt
from backports.services.repositories import refresh_repository
from backports.web import words
from backports.web.matrix import PAGE
from tests import factories
from tests.web.conftest import World


def test_an_empty_database_says_what_to_do(db: None, anonymous: Client) -> None:
    page = anonymous.get("/").content.decode()
    assert "add_repository" in page
    for path in ("/advisories/", "/queue/", "/repositories/"):
        assert 'class="empty"' in anonymous.get(path).content.decode()


def test_an_unknown_repository_does_not_exist(world: World, anonymous: Client) -> None:
    assert anonymous.get("/r/nope/").status_code == 404
    assert anonymous.get("/?repository=nope").status_code == 404


def test_the_matrix_takes_xen_before_others(world: World, anonymous: Client) -> None:
    factories.repository("a-first")
    assert anonymous.get("/").context["repository"].name == "xen"
    assert anonymous.get("/?repository=a-first").context["repository"].name == "a-first"


def test_a_cell_says_its_outcome_in_a_word_and_links_to_its_attempt(world: World, anonymous: Client) -> None:
    page = anonymous.get("/").content.decode()
    assert f'<a href="/attempts/{world.known_attempt.pk}/" title="partly applied: 1 of 2 hunks">' in page
    assert "</i>1/2</a>" in page


def test_master_shows_whether_the_fix_is_there(world: World, anonymous: Client, member: Client) -> None:
    assert "holds the official fix" in anonymous.get("/").content.decode()
    assert "no commit names this advisory" in member.get("/").content.decode()


def test_history_stands_at_the_end_and_staging_nowhere(world: World, anonymous: Client) -> None:
    xen = world.branch.repository
    factories.branch(xen, "4.0", history_only=True)
    factories.branch(xen, "4.22")
    factories.branch(xen, "9.98", rank=9998)
    factories.branch(xen, "4.3", gone=True)
    names = [column.branch.name for column in anonymous.get("/").context["columns"]]
    assert names == ["master", "4.22", "4.11", "4.0"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("missing=4.11", [456, 300]),
        ("missing=4.10", [200]),
        ("outcome=conflict", [300, 200]),
        ("outcome=conflict&missing=4.10", [200]),
        ("since=2024-06-01", [300]),
        ("until=2024-06-01", [456, 200]),
        ("text=XSA-300", [300]),
        ("text=300", [300]),
        ("text=thing", [456]),
        ("text=2024-0456", [456]),
        ("text=%00", [456, 300, 200]),
        ("outcome=nonsense", [456, 300, 200]),
        ("since=yesterday", [456, 300, 200]),
    ],
)
def test_filters(world: World, anonymous: Client, query: str, numbers: list[int]) -> None:
    other = factories.branch(world.branch.repository, "4.10")
    third = factories.advisory(300, title="other")
    third.disclosed_at = factories.DAY.replace(month=7)
    third.save()
    factories.attempt(third, world.branch, "conflict")
    second = factories.advisory(200, title="another")
    factories.attempt(second, world.branch, "not-affected")
    factories.attempt(second, other, "conflict")
    rows = anonymous.get(f"/?{query}").context["rows"]
    assert [row.advisory.number for row in rows] == numbers


def test_the_matrix_is_paged_by_number_both_ways(world: World, anonymous: Client) -> None:
    for number in range(1, 121):
        factories.attempt(factories.advisory(number), world.branch, "conflict")
    first = anonymous.get("/")
    newest = [456, *range(120, 121 - PAGE, -1)]
    assert [row.advisory.number for row in first.context["rows"]] == newest
    second = anonymous.get("/" + first.context["page"].older)
    assert [row.advisory.number for row in second.context["rows"]] == list(range(121 - PAGE, 121 - 2 * PAGE, -1))
    back = anonymous.get("/" + second.context["page"].newer)
    assert [row.advisory.number for row in back.context["rows"]] == newest
    last = second
    while last.context["page"].older:
        last = anonymous.get("/" + last.context["page"].older)
    assert [row.advisory.number for row in last.context["rows"]][-1] == 1
    assert last.context["page"].older == ""


def test_a_cursor_that_is_no_number_is_no_cursor(world: World, anonymous: Client) -> None:
    for cursor in ("x", "-1", "٣", "9" * 40):
        assert anonymous.get("/", {"before": cursor}).status_code == 200


def test_an_advisory_without_a_cell_is_in_the_list_and_not_in_the_matrix(world: World, anonymous: Client) -> None:
    factories.advisory(500, title="for another project")
    assert "XSA-500" not in anonymous.get("/").content.decode()
    page = anonymous.get("/advisories/").content.decode()
    assert "XSA-500" in page
    assert "no fix for a repository here" in page


def test_the_matrix_asks_few_questions_whatever_its_size(
    world: World, member: Client, django_assert_max_num_queries: object
) -> None:
    member.get("/")
    for number in range(1, 61):
        factories.attempt(factories.advisory(number), world.branch, "applied")
    # Two of them are the savepoint that stands for the answer's transaction, and three are the audit's.
    with django_assert_max_num_queries(16) as asked:  # type: ignore[operator]
        member.get("/")
    assert not [query for query in asked.captured_queries if "evidence" in query["sql"]]


def test_a_page_polls_while_something_is_open_and_stops_after(world: World, anonymous: Client) -> None:
    assert 'hx-trigger="load delay:2s"' not in anonymous.get("/").content.decode()
    other = factories.branch(world.branch.repository, "4.10")
    waiting = factories.attempt(world.known, other, state="waiting")
    page = anonymous.get("/").content.decode()
    assert 'hx-trigger="load delay:2s"' in page
    assert f'id="c456-{other.rank}"' in page
    fragment = anonymous.get("/r/xen/progress/?newest=456&oldest=456&since=0").content.decode()
    assert f'id="c456-{other.rank}" class="wait" hx-swap-oob="true"' in fragment
    Attempt.objects.filter(pk=waiting.pk).update(state="done", outcome="conflict", finished_at=factories.DAY)
    fragment = anonymous.get("/r/xen/progress/?newest=456&oldest=456&since=0").content.decode()
    assert f'id="c456-{other.rank}" class="bad" hx-swap-oob="true"' in fragment
    assert "hx-trigger" not in fragment


def test_an_attempt_shows_where_hunks_landed_and_what_did_not(world: World, anonymous: Client) -> None:
    page = anonymous.get(f"/attempts/{world.known_attempt.pk}/").content.decode()
    told = ("at line 12, offset +3", "did not land", "likeness 62 %", "Nothing like it is here.", "1 of 2 hunks")
    assert [sentence for sentence in told if sentence not in page] == []
    assert '<span class="ln" data-n="12"></span>' in page
    assert '<span class="ln" data-n="41"></span><span class="tx">!int y;</span>' in page


@pytest.mark.parametrize(
    "outcome",
    [
        "fixed-upstream",
        "already-applied",
        "applied",
        "partly-applied",
        "not-affected",
        "needs-prerequisite",
        "conflict",
        "malformed",
        "error",
    ],
)
def test_every_outcome_has_its_page_its_cell_and_its_count(world: World, anonymous: Client, outcome: str) -> None:
    world.known_attempt.delete()
    row = factories.attempt(world.known, world.branch, outcome, problem_code="a-code", problem="A sentence.")
    for path in ("/", f"/attempts/{row.pk}/", "/r/xen/branches/4.11/", "/advisories/456/", "/queue/"):
        assert anonymous.get(path).status_code == 200
    assert "A sentence." in anonymous.get(f"/attempts/{row.pk}/").content.decode()


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_an_attempt_that_is_not_done_has_its_page_too(world: World, anonymous: Client, state: str) -> None:
    row = factories.attempt(
        world.known, factories.branch(world.branch.repository, "4.1"), state=state, started_at=factories.DAY
    )
    page = anonymous.get(f"/attempts/{row.pk}/").content.decode()
    assert state in page
    assert "hx-get" in page
    for path in ("/", "/queue/", "/r/xen/branches/4.1/"):
        assert anonymous.get(path).status_code == 200


def test_trying_again_needs_a_login(world: World, anonymous: Client, outsider: Client) -> None:
    path = f"/attempts/{world.known_attempt.pk}/retry/"
    assert anonymous.get(path).status_code == 405
    assert anonymous.post(path)["Location"].startswith("/login/")
    assert Attempt.objects.filter(current=True, advisory=world.known).get() == world.known_attempt
    answer = outsider.post(path)
    newest = Attempt.objects.get(current=True, advisory=world.known)
    assert newest != world.known_attempt
    assert answer["Location"] == f"/attempts/{newest.pk}/"
    history = outsider.get(answer["Location"]).context["history"]
    assert history == [newest, world.known_attempt]


def test_trying_again_wants_the_token_against_forgery(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.person("forged"))
    assert client.post(f"/attempts/{world.known_attempt.pk}/retry/").status_code == 403


def test_fetching_now_is_for_the_security_team(world: World, anonymous: Client, member: Client) -> None:
    assert "disabled" in member.get("/repositories/").content.decode()
    for client in (anonymous, member):
        answer = client.post("/repositories/xen/fetch/")
        assert answer.status_code == 403
        assert "Only the security team" in answer.content.decode()


def test_fetching_now_queues_a_fetch(
    world: World, team: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(refresh_repository, "delay", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        answer = team.post("/repositories/xen/fetch/", follow=True)
    assert sent == [str(world.branch.repository.pk)]
    assert "xen will be fetched now" in answer.content.decode()
    assert team.post("/repositories/nope/fetch/").status_code == 404


@pytest.mark.parametrize(
    "url", ["/srv/git/private.git", "file:///srv/git", "ssh://who@host/x", "https://who:key@git.example.org/x"]
)
def test_where_a_mirror_comes_from_is_told_without_paths_and_keys(
    world: World, anonymous: Client, team: Client, url: str
) -> None:
    world.branch.repository.url = url
    world.branch.repository.save()
    page = anonymous.get("/repositories/").content.decode()
    assert "who" not in page.replace("what", "")
    assert "/srv" not in page
    assert "key" not in page


def test_a_failed_fetch_is_shown_with_its_code(world: World, anonymous: Client, team: Client) -> None:
    world.branch.repository.problem_code = "unreachable"
    world.branch.repository.problem = "The host does not answer."
    world.branch.repository.save()
    assert "unreachable" in anonymous.get("/repositories/").content.decode()
    assert "The host does not answer." not in anonymous.get("/repositories/").content.decode()
    assert "The host does not answer." in team.get("/repositories/").content.decode()


def test_the_glossary_explains_every_outcome(db: None, anonymous: Client) -> None:
    assert set(words.OUTCOMES) == set(Outcome)
    assert set(words.RUNGS) == set(Rung)
    assert set(words.CONFIDENCES) == set(Confidence)
    page = anonymous.get("/glossary/").content.decode()
    assert all(word.name in page for word in words.OUTCOMES.values())


def test_login_and_logout(db: None, anonymous: Client) -> None:
    factories.person("somebody")
    wrong = anonymous.post("/login/", {"login": "somebody", "password": "x"})
    assert "The name or the password is wrong." in wrong.content.decode()
    right = anonymous.post("/login/", {"login": "somebody", "password": "a long enough password", "next": "/queue/"})
    assert right["Location"] == "/queue/"
    assert anonymous.get("/logout/").status_code == 405
    assert anonymous.post("/logout/")["Location"] == "/"


def test_missing_pages_are_the_same_for_a_reader_whatever_the_address(db: None, outsider: Client) -> None:
    pages = {
        outsider.get(path).content
        for path in (f"/attempts/{uuid.uuid4()}/", "/attempts/x/", "/advisories/1/", "/r/no/branches/4.1/", "/zzz")
    }
    assert len(pages) == 1
