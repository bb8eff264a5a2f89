"""A whole embargo with curl alone: programs with tokens, forms where it takes a person, a stranger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import embargo
from tests.e2e.curl import Answer, Curl
from tests.e2e.embargo import CONFLICT, OTHER, Stranger
from tests.e2e.server import Server, wait_until

NUMBER = 941
ONE, TWO, TEAM, TEAM_TOO = "member-one", "member-two", "security-team", "security-two"

pytestmark = pytest.mark.timeout(240)


@dataclass
class Room:
    """Who takes part: each with the pages' forms, and with a token once the advisory is there."""

    server: Server
    folder: Path
    people: dict[str, Curl]
    programs: dict[str, Curl]
    stranger: Stranger

    @property
    def address(self) -> str:
        return f"/api/v1/advisories/{self.stranger.number}/"

    def on(self, branch: str) -> str:
        """Where the backports of a branch are."""
        return f"{self.address}branches/{branch}/backports/"


@pytest.fixture
def room(server: Server, tmp_path: Path) -> Iterator[Room]:
    embargo.colleague(server, TEAM_TOO)
    people = {}
    for name in (ONE, TWO, TEAM, TEAM_TOO):
        (folder := tmp_path / name).mkdir()
        people[name] = Curl(server, folder)
        people[name].log_in(name)
    yield Room(server, tmp_path, people, {}, Stranger(server, NUMBER))


def test_from_the_arrival_to_what_everyone_reads(room: Room, tmp_path: Path) -> None:
    (arrival := tmp_path / "arrival").mkdir()
    embargo.arrive(room.server, arrival, NUMBER)
    tokens(room)
    attempt = tried(room)
    claimed(room)
    finished = finish(room, attempt)
    first = uploaded(room, finished)
    shared(room, finished, first)
    reviewed(room, TWO, first, "needs-changes", "The length is looked at too late.")
    second = renewed(room, finished, first)
    checked(room, second)
    agreed(room, second)
    disclosed(room)
    public(room, attempt, second)


def tokens(room: Room) -> None:
    """Each makes one of the advisory for a program, on the page for that."""
    for name in (ONE, TWO, TEAM):
        fields = {"name": "curl", "kind": "person", "advisories": str(NUMBER)}
        room.programs[name] = room.people[name].program(
            room.folder / f"{name}-token", fields, "upload", "review", "check"
        )


def tried(room: Room) -> str:
    """The ladder tried every branch; returns the id of the attempt that left a conflict."""
    one, where = room.programs[ONE], f"/api/v1/attempts/?advisory={NUMBER}&repository=demo"

    def done() -> bool:
        return all(row["state"] == "done" for row in one.get(where)["results"])

    wait_until(done, "every branch is tried", 60)
    (row,) = one.get(f"{where}&branch={CONFLICT}")["results"]
    assert (row["hunks_landed"], row["hunks_total"], row["missing"]) == (1, 2, True)
    room.stranger.finds_nothing(
        f"/api/v1/attempts/{row['id']}/", row["page"], f"/api/v1/attempts/{row['id']}/result.patch"
    )
    return str(row["id"])


def claimed(room: Room) -> None:
    """One organisation is on two branches; the other is told so, and goes elsewhere."""
    wanted = {"first": OTHER, "last": CONFLICT, "repository": "demo", "until": f"{embargo.in_two_days()}:00Z"}
    made = room.programs[ONE].post(f"{room.address}claims/", wanted)
    assert (made.status, len(made.json["results"])) == (201, 2)
    refused = room.programs[TWO].post(f"{room.address}claims/", wanted)
    assert refused.status == 409
    assert "Example Distribution" in refused.json["detail"]
    room.stranger.finds_nothing(f"/api/v1/claims/{made.json['results'][0]['id']}/")


def finish(room: Room, attempt: str) -> str:
    """The conflict is answered in one's own words, by the form that asks for it; returns the draft's version."""
    person, path = room.people[ONE], f"/attempts/{attempt}/finish/"
    page = person.run(path).text
    (organisation,) = re.findall(r'<option value="([0-9a-f-]{36})"', page)
    answer = person.form(path, {"organisation": organisation, "choice-0": "edit", "text-0": embargo.FINISHED})
    assert answer.status == 302, answer.text
    (row,) = room.programs[ONE].get(room.on(CONFLICT))["results"]
    assert answer.headers["location"] == f"/backports/{row['id']}/v1/"
    assert (row["life"], row["current"]["outcome"]) == ("draft", "applied")
    hidden(room, row["id"], row["current"]["id"])
    return str(row["current"]["id"])


def hidden(room: Room, backport: str, version: str) -> None:
    """Another organisation finds a draft no more than a stranger does."""
    paths = (f"/api/v1/backports/{backport}/", f"/api/v1/versions/{version}/", f"/backports/{backport}/")
    room.stranger.finds_nothing(*paths)
    for path in paths[:2]:
        assert room.programs[TWO].run(path).status == 404


def patch_of(room: Room, version: str) -> str:
    return room.programs[ONE].run(f"/api/v1/versions/{version}/patches.patch").body.decode()


def uploaded(room: Room, finished: str) -> str:
    """What was finished for one branch fits the next; its first version says too little. Returns the version."""
    text = patch_of(room, finished).replace("+    if (!text)", "+    if (!limit)")
    answer = upload(room, text)
    assert (answer.status, answer.json["version"]["number"]) == (201, 1)
    again = upload(room, text)
    assert (again.status, again.json["created"], again.json["version"]) == (200, False, answer.json["version"])
    hidden(room, answer.json["backport"]["id"], answer.json["version"]["id"])
    return str(answer.json["version"]["id"])


def upload(room: Room, text: str) -> Answer:
    """The file is the upload; the answer is its verdict."""
    file = room.folder / f"xsa{NUMBER}-{OTHER}.patch"
    file.write_text(text)
    answer = room.programs[ONE].send(room.on(OTHER), file)
    assert answer.json["version"]["outcome"] == "applied", answer.text
    return answer


def shared(room: Room, *versions: str) -> None:
    """Shared with the room, and with nobody else; the uploads ended what was claimed."""
    one, two = room.programs[ONE], room.programs[TWO]
    for version in versions:
        backport = f"/api/v1/backports/{one.get(f'/api/v1/versions/{version}/')['backport']}/"
        assert one.run(backport, "--request", "PATCH", "--json", '{"life": "shared"}').status == 428
        assert one.change(backport, {"life": "shared"}).json["life"] == "shared"
        assert two.get(backport)["life"] == "shared"
        room.stranger.finds_nothing(backport)
    assert two.get(f"/api/v1/claims/?advisory={NUMBER}")["results"] == []


def reviewed(room: Room, name: str, version: str, verdict: str, text: str) -> None:
    made = room.programs[name].post(f"/api/v1/versions/{version}/reviews/", {"verdict": verdict, "text": text})
    assert (made.status, made.json["counts"]) == (201, True), made.text
    room.stranger.finds_nothing(f"/api/v1/reviews/{made.json['id']}/")


def renewed(room: Room, finished: str, first: str) -> str:
    """The second version changes what was reviewed: the review is stale, and a late one of the first is kept back."""
    answer = upload(room, patch_of(room, finished))
    assert (answer.status, answer.json["version"]["number"]) == (201, 2)
    two = room.programs[TWO]
    (review,) = two.get(f"/api/v1/reviews/?advisory={NUMBER}")["results"]
    assert review["stale"] is True
    late = two.post(f"/api/v1/versions/{first}/reviews/", {"verdict": "comment", "text": "Late."})
    assert (late.status, late.json["code"]) == (409, "replaced")
    return str(answer.json["version"]["id"])


def checked(room: Room, version: str) -> None:
    """A robot with a token for this cell says that it began, then that it passed."""
    fields = {"name": "builder", "kind": "robot", "advisories": str(NUMBER), "branches": OTHER}
    robot = room.people[ONE].program(room.folder / "robot", fields, "check")
    log = room.folder / "build.log"
    for state in ("pending", "success"):
        log.write_text(f"cc -c lib.c: {state}\n")
        made = robot.send(f"/api/v1/versions/{version}/checks/", log, "log", name="build", state=state)
        assert (made.status, made.json["state"]) == (201, state), made.text
        check = f"/api/v1/checks/{made.json['id']}/"
        room.stranger.finds_nothing(check, f"{check}log.txt")
        assert room.programs[TWO].run(f"{check}log.txt").text == log.read_text()
    states = [row["state"] for row in room.programs[TEAM].get(f"/api/v1/versions/{version}/checks/")["results"]]
    assert states == ["success", "pending"]


def agreed(room: Room, version: str) -> None:
    """Two other organisations approve, as the page of the backport says too."""
    assert room.programs[TEAM].get(f"{room.address}quorum/")["needed"] == 2
    backport = f"/backports/{room.programs[TWO].get(f'/api/v1/versions/{version}/')['backport']}/"
    for name, told in ((TWO, "Not enough yet"), (TEAM, "Enough approve")):
        reviewed(room, name, version, "approve", "Builds and boots.")
        assert told in room.people[ONE].run(backport).text
    kinds = {row["kind"] for row in room.programs[TWO].get(f"/api/v1/events/?advisory={NUMBER}")["results"]}
    assert {"backport.shared", "review.given", "check.result", "claim.ended"} <= kinds


def disclosed(room: Room) -> None:
    """It takes two people with their second factors: no token does it, and who asked cannot confirm."""
    path = f"/advisories/{NUMBER}/disclosure/"
    assert room.programs[TEAM].run(path).status == 403
    assert room.people[TEAM].form(path, {"step": "ask", "reason": "the planned day"}).status == 302
    (request,) = re.findall(r'name="request" value="([^"]+)"', room.people[TEAM].run(path).text)
    step = {"step": "confirm", "request": request}
    assert room.people[TEAM].form(path, step).status == 403
    room.stranger.finds_nothing(path)
    assert room.people[TEAM_TOO].form(path, step).status == 302


def public(room: Room, attempt: str, version: str) -> None:
    """Everyone reads the advisory, what the ladder made and what members made; what members said stays with them."""
    room.stranger.reads(f"/advisories/{NUMBER}/", embargo.TITLE, "Example Distribution")
    room.stranger.reads(f"/api/v1/attempts/{attempt}/", "hunks_total")
    patch = room.stranger.reads(f"/api/v1/versions/{version}/patches.patch", "+    if (!text)")
    assert patch == patch_of_member(room, version)
    for kind in ("claims", "events"):
        seen = room.stranger.reads(f"/api/v1/{kind}/?advisory={NUMBER}")
        assert b"claim" not in seen


def patch_of_member(room: Room, version: str) -> bytes:
    """With a token of the pages' own session: those for programs ended with the embargo."""
    assert room.programs[ONE].run(f"/api/v1/versions/{version}/patches.patch").status == 401
    return room.people[ONE].run(f"/api/v1/versions/{version}/patches.patch").body
