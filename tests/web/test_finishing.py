"""A partly applied attempt is finished in the browser: shown side by side, answered, tried, kept as a draft."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from backports.git.store import open_repository
from backports.models import Attempt, BackportVersion, Resolution
from backports.services import sharing
from backports.services.places import results_path
from tests import factories
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from xsa.models import Membership, User

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]

OLD = "    spin_lock(&toy->queue_pull_lock);\n"
NEWER = "    queue_lock(toy, QUEUE_PULL);\n"
FIXED = "    queue_lock_checked(toy, QUEUE_PULL, toy_now());\n"
HERE = "    spin_lock_checked(&toy->queue_pull_lock, toy_now());\n"
LIMIT = "    unsigned int table_pick_limit = toy->table_pick_count;\n\n"


@pytest.fixture
def person(db: None) -> User:
    return factories.person("one", listed=True)


@pytest.fixture
def client(person: User) -> Client:
    return factories.log_in(Client(), person)


@pytest.fixture
def attempt(workshop: Workshop) -> Attempt:
    """Half of the fix lands on 4.4; the other half meets another lock there."""
    edits = {
        "common/queue.c": [(NEWER.strip(), FIXED.strip())],
        "common/table.c": [(LIMIT, f"{LIMIT}    toy_check(toy);\n")],
    }
    workshop.take(500, {"xsa500.patch": workshop.toy.patch("master", edits, "queue: check the lock")})
    workshop.work()
    found = workshop.cell(500, "4.4")
    assert found.outcome == "partly-applied", found.evidence
    return found


def finish(client: Client, attempt: Attempt, **answers: str) -> Any:
    organisation = str(Membership.objects.get(user__username="one").organisation_id)
    return client.post(f"/attempts/{attempt.pk}/finish/", {"organisation": organisation, **answers})


def queue_of(version: BackportVersion) -> str:
    repo = open_repository(results_path("toy", 500))
    return str(repo[version.result].tree["common/queue.c"].data.decode())  # type: ignore[attr-defined]


def made(answer: Any) -> BackportVersion:
    assert answer.status_code == 302, answer.content.decode()
    return BackportVersion.objects.get(backport=answer.url.split("/")[2], number=answer.url.split("/")[3][1:])


def test_the_conflict_is_shown_side_by_side(client: Client, attempt: Attempt) -> None:
    assert f"/attempts/{attempt.pk}/finish/" in client.get(f"/attempts/{attempt.pk}/").content.decode()
    page = client.get(f"/attempts/{attempt.pk}/finish/").content.decode()
    for line in (OLD, NEWER, FIXED):
        assert line.strip().replace("&", "&amp;").replace(">", "&gt;") in page
    assert "common/queue.c:" in page
    assert "unsigned int queue_pull_limit" in page  # the lines around it


def test_lines_that_a_person_writes_become_a_draft(client: Client, attempt: Attempt) -> None:
    answer = finish(client, attempt, **{"choice-0": "edit", "text-0": HERE.replace("\n", "\r\n"), "note": "by hand"})
    version = made(answer)
    assert (version.outcome, version.note, version.derived_attempt) == ("applied", "by hand", attempt)
    assert HERE in queue_of(version)
    assert OLD not in queue_of(version)
    assert version.backport.life == "draft"
    assert [patch.subject for patch in version.patches.all()] == ["queue: check the lock"]
    page = client.get(answer.url).content.decode()
    assert "Beside the official fix" in page
    assert re.search(r"<i[^>]*>[≈−]</i>", page)  # adapted or missing, beside what is the same


def test_the_answers_of_a_draft_are_its_organisations_until_it_is_shared(
    client: Client, attempt: Attempt, person: User
) -> None:
    """What is remembered is offered to the whole room, and opens with its advisory."""
    backport = made(finish(client, attempt, **{"choice-0": "edit", "text-0": HERE})).backport
    assert not Resolution.objects.exists()
    other = factories.log_in(Client(), factories.person("two", listed=True))
    assert HERE.strip() not in html.unescape(other.get(f"/attempts/{attempt.pk}/finish/").content.decode())
    sharing.share(person, backport=backport)
    kept = Resolution.objects.get()
    assert (bytes(kept.answer), kept.organisation) == (HERE.encode(), backport.organisation)
    assert HERE.strip() in html.unescape(other.get(f"/attempts/{attempt.pk}/finish/").content.decode())


def test_the_answers_of_what_its_members_keep_are_not_remembered(
    client: Client, attempt: Attempt, person: User
) -> None:
    backport = made(finish(client, attempt, **{"choice-0": "edit", "text-0": HERE})).backport
    kept = sharing.keep_among_members(person, backport=backport, members_only=True)
    shared = sharing.share(person, backport=kept)
    assert not Resolution.objects.exists()
    sharing.keep_among_members(person, backport=shared, members_only=False)
    assert Resolution.objects.count() == 1
    sharing.keep_among_members(person, backport=shared, members_only=True)
    assert not Resolution.objects.exists()


def test_what_was_finished_is_tried_on_the_sibling_branches(client: Client, attempt: Attempt) -> None:
    unknown = made(finish(client, attempt, **{"choice-0": "edit", "text-0": HERE})).evidence["siblings"]
    # The older branches lack a name that the answer uses.
    assert [(one["name"], one["outcome"], one["landed"]) for one in unknown] == [
        (name, "partly-applied", 1) for name in ("4.3", "4.2", "4.1")
    ]
    answer = finish(client, attempt, **{"choice-0": "edit", "text-0": OLD + "    toy_check(toy);\n"})
    siblings = made(answer).evidence["siblings"]
    assert [(one["name"], one["outcome"], one["landed"], one["total"]) for one in siblings] == [
        (name, "applied", 2, 2) for name in ("4.3", "4.2", "4.1")
    ]
    page = client.get(answer.url).content.decode()
    assert "Tried on the sibling branches" in page
    assert all(f'name="branch" value="{one["branch"]}"' in page for one in siblings)
    wanted = {"from_version": str(made(answer).pk), "advisory": "500", "branch": siblings[0]["branch"]}
    sent = client.post("/uploads/", wanted)
    version = made(client.post(sent.url, wanted))
    assert (version.outcome, version.backport.branch.name, version.derived_from) == ("applied", "4.3", made(answer))


@pytest.mark.parametrize(("choice", "left"), [("ours", ""), ("theirs", FIXED), ("both", FIXED)])
def test_a_side_is_taken(client: Client, attempt: Attempt, choice: str, left: str) -> None:
    """Of theirs the verdict says that the branch has no such names; it is kept all the same."""
    version = made(finish(client, attempt, **{"choice-0": choice}))
    text = b"".join(bytes(patch.data) for patch in version.patches.all()).decode()
    assert [line[1:] for line in text.splitlines(keepends=True) if "queue_lock_checked" in line] == [left][: bool(left)]
    assert ("-" + OLD in text) == (choice == "theirs")
    assert "+    toy_check(toy);" in text


def test_every_conflict_wants_an_answer(client: Client, attempt: Attempt) -> None:
    page = finish(client, attempt).content.decode()
    assert "Say which lines to take." in page
    assert BackportVersion.objects.count() == 0


def test_an_attempt_that_changed_meanwhile_is_told(client: Client, attempt: Attempt) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(evidence={})
    page = finish(client, attempt, **{"choice-0": "ours"}).content.decode()
    assert "There is nothing to answer here." in page
    assert BackportVersion.objects.count() == 0


def test_who_speaks_for_nobody_is_told_why(client: Client, attempt: Attempt, person: User) -> None:
    Membership.objects.filter(user=person).delete()
    assert client.get(f"/attempts/{attempt.pk}/finish/").status_code == 404  # no longer in the room
    advisory = attempt.advisory
    type(advisory).objects.filter(pk=advisory.pk).update(disclosed_at=advisory.created_at, disclosure_reason="test")
    assert client.get(f"/attempts/{attempt.pk}/finish/").status_code == 403
    assert "You belong to no organisation." in client.get(f"/attempts/{attempt.pk}/").content.decode()
