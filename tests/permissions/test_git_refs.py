"""What git is told of refs and objects: what the reader may see, and of anything else not even that it is there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from backports.git.packets import FLUSH, packet
from backports.models import Attempt, BackportVersion, Repository
from backports.services import repositories
from tests.backports.conftest import Workshop
from tests.backports.toy import Toy
from tests.permissions.test_canaries import leaks, told
from tests.permissions.tokens import PROGRAMS, program
from tests.permissions.world import SECRET
from xsa.models import Advisory

NOWHERE = "1" * 40
SERVICES = ("git-upload-pack", "git-receive-pack")


def address(number: int, rest: str) -> str:
    return f"/git/xsa-{number}.git/{rest}"


def advertised(client: Client, number: int, service: str = SERVICES[0]) -> bytes:
    answer = client.get(address(number, f"info/refs?service={service}"))
    assert answer.status_code == 200, answer.content
    return bytes(answer.content)


def fetched(client: Client, number: int, *want: str, have: Iterable[str] = ()) -> bytes:
    """The answer to a request in the protocol's own words."""
    lines = [packet(f"want {oid} ofs-delta\n".encode()) for oid in want]
    body = b"".join([*lines, FLUSH, *(packet(f"have {oid}\n".encode()) for oid in have), packet(b"done\n")])
    answer = client.post(address(number, "git-upload-pack"), body, content_type="application/x-git-upload-pack-request")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def hidden(secret: Advisory) -> BackportVersion:
    """Another organisation's draft."""
    rows = BackportVersion.objects.select_related("backport__organisation")
    return rows.get(backport__advisory=secret, backport__life="draft")


def hidden_objects(secret: Advisory) -> list[str]:
    """The commit, tree and files of that draft, but for those that are in something that is shown too."""
    results = Path(settings.GIT_ROOT) / "results" / "toy" / f"xsa-{SECRET}.git"
    made = Attempt.objects.filter(advisory=secret, state="done").exclude(result="").values_list("result", flat=True)
    shared = BackportVersion.objects.filter(backport__advisory=secret, backport__life="shared")
    shown = [*made, *shared.values_list("result", flat=True), hidden(secret).base]

    def reached(*oids: str) -> list[str]:
        command = ["git", f"--git-dir={results}", "rev-list", "--objects", *oids]
        return [
            line.split()[0]
            for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        ]

    seen = set(reached(*shown))
    return [oid for oid in reached(hidden(secret).result) if oid not in seen]


def test_what_members_share_is_advertised_and_a_hidden_draft_is_not(secret: Advisory) -> None:
    draft, mine = hidden(secret), "Example room-contact"
    assert draft.result
    assert draft.backport.organisation.name == mine
    shared = BackportVersion.objects.get(backport__advisory=secret, backport__life="shared")
    client = program("token-in-the-room", secret)
    for service in SERVICES:
        text = advertised(client, SECRET, service)
        assert f"{shared.result} refs/backports/example-keeper/toy/4.1/v1".encode() in text
        for word in ("example-room-contact", mine, draft.result, str(draft.pk), "refs/for"):
            assert word.encode() not in text, (service, word)


def test_of_another_branch_a_token_is_told_nothing(secret: Advisory) -> None:
    text = advertised(program("token-elsewhere", secret), SECRET)
    assert b"refs/" not in text
    results = Attempt.objects.filter(advisory=secret).exclude(result="").values_list("result", flat=True)
    assert len(results) > 2
    assert [oid for oid in results if oid.encode() in text] == []


@pytest.mark.parametrize("asked", [(), ("GIT_PROTOCOL",)])
def test_wanting_what_is_hidden_answers_as_wanting_what_is_not_there(secret: Advisory, asked: tuple[str, ...]) -> None:
    client = program("token-in-the-room", secret)
    if asked:
        client.defaults["HTTP_GIT_PROTOCOL"] = "version=2"
    nothing = fetched(client, SECRET, NOWHERE)
    assert b"not our ref" in nothing
    oids = hidden_objects(secret)
    assert len(oids) >= 2
    for oid in oids:
        assert fetched(client, SECRET, oid).replace(oid.encode(), NOWHERE.encode()) == nothing


def test_having_what_is_hidden_answers_as_having_what_is_not_there(secret: Advisory) -> None:
    client = program("token-in-the-room", secret)
    attempt = Attempt.objects.get(advisory=secret, branch__name="4.1")
    nothing = fetched(client, SECRET, attempt.result, have=[NOWHERE])
    for oid in hidden_objects(secret):
        assert fetched(client, SECRET, attempt.result, have=[oid]) == nothing
    known = fetched(client, SECRET, attempt.result, have=[attempt.tip])
    assert known.startswith(packet(f"ACK {attempt.tip}\n".encode()))
    assert len(known) < len(nothing)


def test_whoever_brings_no_token_gets_one_answer_to_everything(secret: Advisory) -> None:
    asked = [("GET", f"info/refs?service={service}") for service in (*SERVICES, "x")]
    asked += [("POST", service) for service in SERVICES]
    for method, rest in asked:
        answers = [Client().generic(method, address(number, rest)) for number in (SECRET, 456, 9999)]
        assert {answer.status_code for answer in answers} == {401}
        assert len({told(answer) for answer in answers}) == 1, rest
        assert "Basic" in answers[0]["WWW-Authenticate"]


def test_no_advertisement_holds_a_canary(secret: Advisory) -> None:
    for actor in PROGRAMS:
        client: Any = program(actor, secret)
        answer = client.get(address(SECRET, "info/refs?service=git-upload-pack"))
        assert leaks(told(answer), address(SECRET, "")) == [], actor
        sees = PROGRAMS[actor].good and PROGRAMS[actor].embargoed == "secret"
        wanted = (
            200 if sees else 403 if PROGRAMS[actor].verbs == ("check",) else 401 if not PROGRAMS[actor].good else 404
        )
        assert answer.status_code == wanted, actor


def test_anothers_own_repository_is_neither_named_nor_borrowed_from(
    workshop: Workshop, secret: Advisory, tmp_path: Path
) -> None:
    theirs = Toy.build(tmp_path / "hermit.git")
    tip = theirs.commit("4.1", {"docs/notes.txt": "Nobody else has this.\n"}, "notes: our own")
    row = repositories.add_repository(None, name="hermit", url=str(theirs.path))
    Repository.objects.filter(pk=row.pk).update(organisation=hidden(secret).backport.organisation)
    client = program("token-in-the-room", secret)
    for service in SERVICES:
        text = advertised(client, SECRET, service)
        assert (b"hermit" in text, tip.encode() in text) == (False, False), service
    nothing = fetched(client, SECRET, NOWHERE)
    assert fetched(client, SECRET, tip).replace(tip.encode(), NOWHERE.encode()) == nothing
    Repository.objects.filter(pk=row.pk).update(visibility=Repository.Visibility.ROOM)
    assert f"{tip} refs/heads/hermit/4.1".encode() in advertised(client, SECRET, "git-receive-pack")
