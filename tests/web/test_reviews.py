"""Reviewing and talking in the browser, as the author, a reviewer, and somebody outside."""

from __future__ import annotations

import pytest
from django.test import Client

from backports.models import Comment, Review, ReviewDraft
from backports.services import commenting
from backports.services.commenting import Where
from backports.web.written import written
from tests import factories
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.backports.rooms import OTHER_CHECK, Room, own, room_in
from xsa.models import User
from xsa.services.disclose import disclose

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]


@pytest.fixture
def room(workshop: Workshop) -> Room:
    return room_in(workshop)


def as_(person: User) -> Client:
    return factories.log_in(Client(), person)


def words(person: User, **more: str) -> dict[str, str]:
    return {"organisation": str(own(person).pk), **more}


def test_a_review_is_read_by_the_others_and_a_late_one_is_kept(room: Room) -> None:
    first = room.shared()
    page, browser = f"/backports/{first.backport_id}/", as_(room.reviewer)
    assert b"0 of 2 other organisations approve" in browser.get(page).content
    review = f"/versions/{first.pk}/review/"
    assert browser.post(review, words(room.reviewer, verdict="tested")).status_code == 400
    sent = browser.post(review, words(room.reviewer, verdict="approve", text="It holds <b>here</b>."))
    assert sent.status_code == 302, sent.content
    told = as_(room.author).get(page).content.decode()
    assert "1 of 2 other organisations approve" in told
    assert "It holds &lt;b&gt;here&lt;/b&gt;." in told
    room.upload(OTHER_CHECK)
    assert "stale: changed since" in browser.get(page).content.decode()
    late = browser.post(review, words(room.reviewer, verdict="needs-changes", text="Where is the lock?"))
    assert late.status_code == 409
    assert "v2 took the place of v1" in late.content.decode() and "Where is the lock?" in late.content.decode()
    assert Review.objects.count() == ReviewDraft.objects.count() == 1
    assert "Where is the lock?</textarea>" in browser.get(page).content.decode()


def test_a_line_is_chosen_spoken_of_answered_and_resolved(room: Room) -> None:
    version = room.shared()
    browser, page = as_(room.reviewer), f"/backports/{version.backport_id}/"
    chooser = f"/versions/{version.pk}/comment/"
    assert f"{chooser}?at=p1-f1-h1" in browser.get(page).content.decode()
    assert "p1-f1-h1-2" in browser.get(f"{chooser}?at=p1-f1-h1").content.decode()
    assert browser.get(f"{chooser}?at=p9-f1-h1").status_code == 404
    assert browser.get(f"{chooser}?at=x").status_code == 400
    sent = browser.post(chooser, words(room.reviewer, place="p1-f1-h1-4", text="Why here?"))
    assert sent.status_code == 302, sent.content
    thread = Comment.objects.get()
    answers = f"/comments/{thread.pk}/answers/"
    author = as_(room.author)
    assert author.post(answers, words(room.author, kind="say")).status_code == 400
    assert author.post(answers, words(room.author, kind="resolve", text="Done.")).status_code == 302
    told = browser.get(page).content.decode()
    assert "Why here?" in told and "resolved it" in told


def test_the_advisory_is_talked_about_inside_its_room_alone(room: Room) -> None:
    room.shared()
    page, browser = "/advisories/500/", as_(room.author)
    said = words(room.author, text="Ask @example-third and @nobody:\n```\nif ( a < b )\n```")
    assert browser.post(f"{page}comments/", said).status_code == 302
    told = as_(room.third).get(page).content.decode()
    assert '<span class="mention" title="Example third">@example-third</span> and @nobody' in told
    assert "if ( a &lt; b )" in told
    disclose(None, advisory=room.advisory, reason="public", at=room.advisory.created_at)
    assert "@nobody" not in Client().get(page).content.decode()


def test_what_opens_names_organisations_and_no_people(room: Room) -> None:
    version = room.shared()
    where = Where(place=(1, 1, 1, 4))
    commenting.say_of_line(
        room.reviewer, organisation=own(room.reviewer), version=version, where=where, text="@author look"
    )
    # The author has spoken: they sent the version.
    assert Comment.objects.get().mentions[0]["word"] == "author"
    inside = factories.log_in(Client(), room.reviewer).get(f"/backports/{version.backport_id}/").content.decode()
    assert "by author" in inside and "from author" in inside
    disclose(None, advisory=room.advisory, reason="public", at=room.advisory.created_at)
    told = Client().get(f"/backports/{version.backport_id}/").content.decode()
    assert "@somebody of Example author</span> look" in told
    assert "reviewer of Example" not in told and "@author" not in told
    assert "by author" not in told and "from author" not in told


def test_the_team_sets_the_quorum_and_others_are_told_why_not(room: Room) -> None:
    room.shared()
    assert as_(room.reviewer).post("/advisories/500/quorum/", {"needed": "1"}).status_code == 403
    assert (
        "Only the security team sets how many must approve."
        in as_(room.reviewer).get("/advisories/500/").content.decode()
    )
    team = as_(room.team)
    assert team.post("/advisories/500/quorum/", {"needed": "x"}).status_code == 400
    assert team.post("/advisories/500/quorum/", {"needed": "1"}).status_code == 302
    assert "1 other organisation must approve" in team.get("/advisories/500/").content.decode()


def test_patches_code_and_hidden_characters_are_shown_and_nothing_is_markup() -> None:
    html = written("See:\n\n--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n-old<\n+new\u202e\n\nEnd <script>\n    code & more")
    assert '<span class="del">-old&lt;</span>' in html
    assert '<span class="add">+new<span class="hidden-char"' in html
    assert '<p class="said">End &lt;script&gt;</p>' in html
    assert "<code>    code &amp; more</code>" in html
    assert written("") == ""
