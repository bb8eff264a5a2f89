"""Comments: threads, lines that they follow, who is named in them, and who reads them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from backports.models import Backport, BackportVersion, Comment, CommentPlace
from backports.services import commenting, sharing
from backports.services.commenting import Where
from backports.services.errors import NotDone
from backports.services.mentions import words_in
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.rooms import CHECK, OTHER_CHECK, Room, fresh, own, room_in
from xsa.models import Organisation, User
from xsa.services.disclose import disclose
from xsa.visibility import visible_to


@pytest.fixture
def room(workshop: Workshop) -> Room:
    return room_in(workshop)


def say(room: Room, person: User, text: str = "Look.", backport: Backport | None = None) -> Comment:
    return commenting.say(person, organisation=own(person), advisory=room.advisory, backport=backport, text=text)


def of_line(person: User, version: BackportVersion, where: Where, text: str = "Why?") -> Comment:
    return commenting.say_of_line(person, organisation=own(person), version=fresh(version), where=where, text=text)


def line_of(version: BackportVersion, text: str, path: str = "common/table.c") -> Where:
    """Where a line stands, by its number in the file."""
    from backports.engine.follow import spots
    from backports.services.contents import patches_of

    found = next(one for one in spots(patches_of(version)) if path in one.paths and text.encode() in one.text)
    return Where(path=path, line=found.new_line)


def place(comment: Comment, version: BackportVersion) -> CommentPlace:
    return CommentPlace.objects.get(comment=comment, version=version)


def test_a_comment_is_on_a_line_and_keeps_what_stood_around_it(room: Room) -> None:
    version = room.shared()
    row = of_line(room.reviewer, version, line_of(version, "toy_check"))
    assert row.quoted[row.quoted_at] == ["+", CHECK.split("\n")[0]]
    found = place(row, version)
    patch = BackportVersion.objects.get(pk=version.pk)
    assert found.path == "common/table.c" and found.anchor == f"p1-f{found.file}-h1-{found.line}"
    assert patch.comments.get() == row
    same = of_line(room.third, version, Where(place=(found.patch, found.file, found.hunk, found.line)))
    assert place(same, version).file_line == found.file_line


def test_it_follows_its_hunk_into_later_versions(room: Room) -> None:
    first = room.shared()
    row = of_line(room.reviewer, first, line_of(first, "toy_check"))
    longer = "    barrier();\n    barrier();\n"
    second = room.upload("    spin_barrier();\n\n" + CHECK, longer)
    moved, before = place(row, second), place(row, first)
    assert (moved.file_line, moved.path) == (before.file_line + 2, before.path)


def test_a_line_that_went_away_is_outdated_with_its_old_context(room: Room) -> None:
    first = room.shared()
    gone = of_line(room.reviewer, first, line_of(first, "return -1"))
    stays = of_line(room.reviewer, first, line_of(first, "toy_check"))
    second = room.upload(OTHER_CHECK)
    assert place(gone, second).anchor == ""
    assert gone.quoted[gone.quoted_at] == ["+", "        return -1;"]
    assert place(stays, second).line
    third = room.upload(push="")
    assert place(gone, third).line, "it came back"


def test_a_comment_on_an_older_version_stands_in_the_newer_ones_at_once(room: Room) -> None:
    first = room.shared()
    second = room.upload(OTHER_CHECK)
    row = of_line(room.reviewer, first, line_of(first, "toy_check"))
    gone = of_line(room.reviewer, first, line_of(first, "return -1"))
    assert place(row, second).line and not place(gone, second).line


def test_a_comment_on_a_line_that_is_not_there_is_refused(room: Room) -> None:
    version = room.shared()
    for where in (Where(place=(1, 1, 9, 1)), Where(path="common/table.c", line=1), Where(path="no.c", line=3), Where()):
        with pytest.raises(NotDone) as error:
            of_line(room.reviewer, version, where)
        assert error.value.code == "no-line"
    assert not Comment.objects.exists()


def test_threads_are_answered_resolved_and_opened_again(room: Room) -> None:
    version = room.shared()
    thread = of_line(room.reviewer, version, line_of(version, "toy_check"))
    answer = {"thread": thread, "organisation": own(room.author)}
    commenting.answer(room.author, **answer, text="Because.")
    assert not commenting.is_resolved(thread)
    commenting.answer(room.author, **answer, kind="resolve")
    assert commenting.is_resolved(thread)
    with pytest.raises(NotDone):
        commenting.answer(room.author, **answer, kind="resolve")
    commenting.answer(room.reviewer, thread=thread, organisation=own(room.reviewer), kind="reopen")
    assert not commenting.is_resolved(thread)
    for bad in ({"text": " "}, {"kind": "delete", "text": "x"}, {"text": "x" * 50_001}):
        with pytest.raises(NotDone):
            commenting.answer(room.author, **answer, **bad)  # type: ignore[arg-type]
    assert thread.answers.count() == 3


def test_mentions_name_those_in_the_room_and_nobody_else(room: Room) -> None:
    factories.person("outsider")
    factories.person("silent", listed=True)
    say(room, room.reviewer, "first")
    row = say(
        room,
        room.author,
        "@example-third, @reviewer and @author. Not @outsider @example-outsider @nobody a@example-third",
    )
    named = {one["word"]: (one["organisation"], one["person"]) for one in row.mentions}
    assert named == {
        "example-third": ("Example third", False),
        "reviewer": ("Example reviewer", True),
        "author": ("Example author", True),
    }


def test_trying_names_does_not_tell_who_is_there(room: Room) -> None:
    factories.person("silent", listed=True)
    assert say(room, room.author, "@silent").mentions == say(room, room.author, "@missing").mentions == []


def test_a_member_who_was_not_let_in_is_not_named(room: Room) -> None:
    factories.person("colleague", listed=True, contact=False)
    colleague = User.objects.get(username="colleague")
    colleague.memberships.update(organisation=own(room.author))
    assert say(room, room.author, "@colleague").mentions == []
    colleague.memberships.update(contact=True)
    assert say(room, room.author, "@colleague").mentions != []


def test_nobody_of_the_room_is_named_in_what_a_draft_is_about(room: Room) -> None:
    version = room.upload()
    row = say(room, room.author, "@example-third @example-author", fresh(version).backport)
    assert [one["word"] for one in row.mentions] == ["example-author"]


def test_words_behind_an_at_sign() -> None:
    assert words_in("@one, (@two) @one. x@three @@four /@five @six-") == ["one", "two", "six"]


def test_what_is_said_about_a_draft_stays_with_its_organisation(room: Room) -> None:
    version = fresh(room.upload())
    say(room, room.author, "own", version.backport)
    of_line(room.author, version, line_of(version, "toy_check"), "own too")
    assert not visible_to(room.reviewer, Comment.objects.all()).exists()
    sharing.share(room.author, backport=version.backport)
    assert not visible_to(room.reviewer, Comment.objects.all()).exists()
    assert visible_to(room.author, Comment.objects.all()).count() == 2
    assert visible_to(room.reviewer, CommentPlace.objects.all()).count() == 0


def test_discussions_stay_in_the_room_and_what_is_about_lines_opens(room: Room) -> None:
    version = room.shared()
    say(room, room.reviewer, "about it all")
    say(room, room.reviewer, "about the backport", version.backport)
    thread = of_line(room.reviewer, version, line_of(version, "toy_check"), "about a line")
    commenting.answer(room.author, organisation=own(room.author), thread=thread, text="Because.")
    anyone = AnonymousUser()
    assert not visible_to(anyone, Comment.objects.all()).exists()
    disclose(None, advisory=room.advisory, reason="public", at=room.advisory.created_at)
    assert {row.text for row in visible_to(anyone, Comment.objects.all())} == {"about a line", "Because."}
    assert visible_to(room.third, Comment.objects.all()).count() == 4


def test_those_outside_the_room_say_nothing(room: Room) -> None:
    outsider = factories.person("outsider")
    with pytest.raises(PermissionDenied):
        say(room, outsider)
    with pytest.raises(PermissionDenied):
        commenting.say(room.author, organisation=own(room.third), advisory=room.advisory, text="x")
    Organisation.objects.filter(pk=own(room.author).pk).update(listed=False)
    with pytest.raises(PermissionDenied):
        say(room, room.author)
