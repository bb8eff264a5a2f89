"""Known answers on the page of an attempt: who is shown what, and text from outside that cannot hurt."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backports.engine.resolutions import Chunk
from backports.models import Attempt, Branch, Resolution
from backports.web.resolutions import _rows
from tests import factories
from tests.web.conftest import World
from xsa.models import Advisory, Membership, User

OURS, THEIRS = (b"    log(toy);\n",), (b"    trace(toy, 2);\n",)
CHUNK = Chunk((b"    trace(toy);\n",), OURS, THEIRS)
ANSWER = b"    log(toy, 2);\n"


def conflicts(chunk: Chunk = CHUNK) -> dict[str, Any]:
    """The evidence of an attempt that leaves this chunk."""
    sides = {"base": chunk.base, "ours": chunk.ours, "theirs": chunk.theirs}
    row = {"path": "common/a.c", "start": 39, "stop": 40, "clean": False, "key": chunk.key}
    row |= {side: b"".join(lines).decode() for side, lines in sides.items()}
    return factories.evidence() | {"conflicts": {"whole": True, "chunks": [row]}}


def open_attempt(of: Advisory, on: Branch, chunk: Chunk = CHUNK) -> Attempt:
    Attempt.objects.filter(advisory=of, branch=on).update(current=False)
    return factories.attempt(of, on, "conflict", evidence=conflicts(chunk), hunks_total=1)


def resolution(of: Advisory, on: Branch, *, chunk: Chunk = CHUNK, answer: bytes = ANSWER, **columns: Any) -> Resolution:
    """Somebody's answer; the security team's unless an organisation is named."""
    values = {
        "made_by": User.objects.first() or factories.person("answerer"),
        "path": "common/a.c",
        "key": chunk.key,
        "loose_key": chunk.loose_key,
        "base": b"".join(chunk.base),
        "ours": b"".join(chunk.ours),
        "theirs": b"".join(chunk.theirs),
        "created_at": factories.DAY,
    }
    return Resolution.objects.create(advisory=of, branch=on, answer=answer, **(values | columns))


def page(client: Client, attempt: Attempt) -> str:
    answer = client.get(f"/attempts/{attempt.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def fixed_parts(text: str) -> str:
    """The page without the forms' tokens, which are never the same twice."""
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", text)


@pytest.fixture
def older(world: World) -> Branch:
    return factories.branch(world.branch.repository, "4.8")


def test_an_answer_stands_on_the_page_with_who_gave_it_where_and_when(
    world: World, older: Branch, anonymous: Client, member: Client
) -> None:
    organisation = Membership.objects.get(user__username="member").organisation
    resolution(world.known, older, organisation=organisation)
    shown = page(anonymous, open_attempt(world.known, world.branch))
    assert "1 of 1 conflict here was met and answered by a person before." in shown
    told = re.sub(r"<[^>]+>", "", shown)
    assert "The same conflict was answered on 4.8 by Example member on 2024-05-07." in " ".join(told.split())
    assert "log(toy, 2);" in shown
    assert "common/a.c:40" in shown


def test_the_security_teams_answer_and_another_advisorys_are_named_as_such(
    world: World, older: Branch, anonymous: Client
) -> None:
    other = factories.advisory(455)
    resolution(other, older)
    told = " ".join(re.sub(r"<[^>]+>", "", page(anonymous, open_attempt(world.known, world.branch))).split())
    assert "answered on 4.8 for XSA-455 by the security team on" in told


def test_white_space_that_differs_and_rivals_are_said(world: World, older: Branch, anonymous: Client) -> None:
    wide = Chunk(CHUNK.base, (b"\tlog(toy);\n",), CHUNK.theirs)
    resolution(world.known, older, chunk=wide, answer=b"\tlog(toy, 2);\n")
    resolution(world.known, older, chunk=wide, answer=b"\tlog_other(toy);\n", path="common/b.c")
    shown = page(anonymous, open_attempt(world.known, world.branch))
    assert "White space differs" in shown
    assert "1 other answer says otherwise" in shown


def test_a_page_without_known_answers_has_no_part_for_them(world: World, older: Branch, anonymous: Client) -> None:
    resolution(world.known, older, chunk=Chunk(CHUNK.base, (b"    other(toy);\n",), CHUNK.theirs))
    assert "Known answers" not in page(anonymous, open_attempt(world.known, world.branch))
    assert "Known answers" not in page(anonymous, world.known_attempt)


def test_a_removed_chunk_is_said_in_words(world: World, older: Branch, anonymous: Client) -> None:
    resolution(world.known, older, answer=b"")
    assert "No lines: they are removed." in page(anonymous, open_attempt(world.known, world.branch))


def test_members_see_the_answers_of_an_embargoed_advisory(
    world: World, older: Branch, member: Client, team: Client
) -> None:
    resolution(world.secret, older)
    attempt = open_attempt(world.secret, world.branch)
    for client in (member, team):
        assert "log(toy, 2);" in page(client, attempt)


@pytest.mark.parametrize("reader", ["anonymous", "outsider", "member"])
def test_an_embargoed_answer_leaves_no_byte_on_the_page_of_a_disclosed_advisory(
    world: World, older: Branch, reader: str, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(reader)
    resolution(world.secret, older)
    attempt = open_attempt(world.known, world.branch)
    with_secret = page(client, attempt)
    Resolution.objects.all().delete()
    assert fixed_parts(page(client, attempt)) == fixed_parts(with_secret)


@pytest.mark.parametrize("reader", ["anonymous", "outsider"])
def test_the_proposal_of_a_secret_attempt_answers_as_what_does_not_exist(
    world: World, older: Branch, reader: str, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(reader)
    resolution(world.secret, older)
    secret = open_attempt(world.secret, world.branch)
    missing = client.get(f"/attempts/{uuid.uuid4()}/proposal.patch")
    for ask in (client.get, client.head):
        answer = ask(f"/attempts/{secret.pk}/proposal.patch")
        assert (answer.status_code, dict(answer.headers)) == (404, dict(missing.headers))
    assert client.get(f"/attempts/{secret.pk}/proposal.patch").content == missing.content


def test_without_the_files_the_answers_are_shown_and_no_result_is(
    world: World, older: Branch, anonymous: Client
) -> None:
    resolution(world.known, older)
    attempt = open_attempt(world.known, world.branch)
    assert "Download the proposal" not in page(anonymous, attempt)
    assert anonymous.get(f"/attempts/{attempt.pk}/proposal.patch").status_code == 404


def test_hostile_text_in_an_answer_is_shown_and_does_nothing(world: World, older: Branch, anonymous: Client) -> None:
    hostile = "<script>alert(1)</script> \u202e \x00 \udcff\n".encode("utf-8", "surrogateescape")
    resolution(world.known, older, answer=hostile)
    shown = page(anonymous, open_attempt(world.known, world.branch))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "\u202e" not in shown
    assert "U+202E" in shown


def test_the_head_of_a_file_is_no_removed_and_no_added_line() -> None:
    head, hunk = "diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n", "@@ -1,2 +1,2 @@\n one\n--- two\n+++ three\n"
    patch = f"{head}{hunk}diff --git a/b.c b/b.c\n--- a/b.c"
    assert [tag for tag, _ in _rows(patch.split("\n"))] == ["", "", "", "", " ", "-", "+", "", ""]


def test_a_page_asks_for_answers_once_and_only_where_conflicts_are_open(
    world: World, older: Branch, anonymous: Client
) -> None:
    assert asked(anonymous, world.known_attempt) == 0
    for number in range(20):
        resolution(world.known, older, path=f"common/{number}.c")
    assert asked(anonymous, open_attempt(world.known, world.branch)) == 1


def asked(client: Client, attempt: Attempt) -> int:
    """How many questions about answers the page asks the database."""
    with CaptureQueriesContext(connection) as queries:
        page(client, attempt)
    return sum("backports_resolution" in query["sql"] for query in queries)
