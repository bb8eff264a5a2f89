"""However much a room holds, its pages ask the database as many questions; and a long discussion has pages."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backports.bench import room as bench_room
from backports.bench.full_room import FullRoom, add_backports, add_long_backport, make_full_room
from backports.bench.long_diff import long_diff
from backports.models import Comment, Event, Look
from backports.web import comments
from tests import factories
from xsa.models import Membership, User

MOST_QUERIES = 25


@pytest.fixture
def full(db: None, monkeypatch: pytest.MonkeyPatch) -> FullRoom:
    monkeypatch.setattr(bench_room, "ORGANISATIONS", 12)
    room = make_full_room(backports=5, versions=2, comments=40)
    seen = Event.objects.order_by("position")[3]
    Look.objects.create(advisory=room.advisory, user=room.reader, event=seen, at=factories.DAY)
    return room


def pages(room: FullRoom) -> dict[str, str]:
    branch, number = room.backport.branch, room.advisory.number
    return {
        "room": f"/advisories/{number}/",
        "backport": f"/backports/{room.backport.pk}/",
        "branch": f"/r/{branch.repository.name}/branches/{branch.name}/",
        "timeline": f"/advisories/{number}/timeline/",
    }


def queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def contact(room: FullRoom) -> User:
    return room.reader


def admitted(room: FullRoom) -> User:
    """A colleague who is no contact, and was let into this one room."""
    user = User.objects.create_user("colleague")
    Membership.objects.create(user=user, organisation=room.reader.memberships.get().organisation)
    factories.admit(user, room.advisory)
    return user


def in_the_team(room: FullRoom) -> User:
    """Somebody of the security team, who is shown most buttons."""
    return User.objects.get(username="asks")


@pytest.mark.parametrize("who", [contact, admitted, in_the_team])
def test_twice_as_many_backports_need_no_query_more(full: FullRoom, who: object) -> None:
    assert callable(who)
    client = factories.log_in(Client(), who(full))
    few = {name: queries(client, path) for name, path in pages(full).items()}
    add_backports(full.advisory, 5, 4)
    many = {name: queries(client, path) for name, path in pages(full).items()}
    assert many == few
    assert few["room"] <= MOST_QUERIES


def test_five_thousand_lines_stand_on_their_page_without_any_script(full: FullRoom) -> None:
    row = add_long_backport(full.advisory, 5_000)
    page = factories.log_in(Client(), full.reader).get(f"/backports/{row.pk}/").content.decode()
    lines = long_diff(5_000).decode().split("\n")
    assert page.count("context_line(") == sum("context_line(" in line for line in lines) > 4_000
    assert page.count("return -EINVAL; /* &amp; */") == 250


def test_a_long_discussion_has_pages_and_loses_no_thread(full: FullRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "THREADS", 4)
    client = factories.log_in(Client(), full.reader)
    firsts = Comment.objects.filter(backport=None, thread=None).order_by("-made_at")
    wanted = [str(pk) for pk in firsts.values_list("pk", flat=True)]
    path, met = f"/advisories/{full.advisory.number}/", []
    where = path
    while where:
        page = client.get(where).content.decode()
        shown = re.findall(r'id="c-([0-9a-f-]{36})"', page)
        assert len(shown) <= 4
        met += reversed(shown)
        older = re.search(r'href="(\?talk=[0-9a-f-]{36})#talk" rel="next"', page)
        where = path + older[1] if older else ""
    assert met == wanted
    assert len(wanted) == 10
    assert "The newest threads" in page


def test_who_answers_an_old_thread_is_led_back_to_it(full: FullRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "THREADS", 4)
    client = factories.log_in(Client(), full.reader)
    own = full.reader.memberships.get().organisation_id
    oldest = Comment.objects.filter(backport=None, thread=None).earliest("made_at")
    said = {"organisation": own, "text": "Late, and yet.", "kind": "say"}
    answer = client.post(f"/comments/{oldest.pk}/answers/", said)
    assert answer.status_code == 302, answer.content
    assert "Late, and yet." in client.get(answer["Location"].partition("#")[0]).content.decode()


def test_what_names_no_thread_of_the_page_shows_the_newest(full: FullRoom) -> None:
    client = factories.log_in(Client(), full.reader)
    path = f"/advisories/{full.advisory.number}/"
    other = Comment.objects.filter(backport=full.backport, thread=None).earliest("made_at")
    newest = re.findall(r'id="c-([0-9a-f-]{36})"', client.get(path).content.decode())
    for name in ("nonsense", "0", str(other.pk), "%00"):
        found = client.get(f"{path}?talk={name}")
        assert found.status_code == 200
        assert re.findall(r'id="c-([0-9a-f-]{36})"', found.content.decode()) == newest
