"""What git sends, as HTTP carries it: in chunks, packed, too long, or no such thing."""

from __future__ import annotations

import gzip
import io
import os
from typing import Any

import pytest
from django.test import Client

from backports.api import git_access
from backports.api.git_access import ASKED_BYTES, COMMAND_BYTES, PIECE
from backports.git import offering
from backports.git.packets import FLUSH, NO_OID, packet
from backports.git.pushed import PUSH_BYTES
from backports.models import Upload
from tests import factories
from tests.api.conftest import secret_of
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.permissions.world import KNOWN, publish

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]
FETCH, PUSH = f"/git/xsa-{KNOWN}.git/git-upload-pack", f"/git/xsa-{KNOWN}.git/git-receive-pack"


@pytest.fixture
def client(workshop: Workshop) -> Client:
    publish(workshop)
    secret = secret_of(factories.person("pusher", listed=True), verbs=["read", "upload"])
    return Client(headers={"authorization": f"Token {secret}"})


def sent(client: Client, path: str, body: bytes, **environ: Any) -> tuple[int, bytes]:
    answer = client.post(path, body, content_type="application/x-git-request", **environ)
    streamed = getattr(answer, "streaming_content", None)
    return answer.status_code, b"".join(streamed) if streamed else answer.content


def wanted(workshop: Workshop) -> bytes:
    return packet(f"want {workshop.toy.tip('4.1')}\n".encode()) + FLUSH + packet(b"done\n")


def pushed(pack: bytes, name: bytes = b"refs/for/4.1", oid: str = "1" * 40) -> bytes:
    command = f"{NO_OID} {oid} ".encode() + name + b"\0 report-status side-band-64k"
    return packet(command) + FLUSH + pack


def test_a_request_may_come_packed_or_in_chunks(client: Client, workshop: Workshop) -> None:
    asked = wanted(workshop)
    plain = sent(client, FETCH, asked)
    assert plain[0] == 200
    assert b"PACK" in plain[1]
    assert sent(client, FETCH, gzip.compress(asked), HTTP_CONTENT_ENCODING="gzip") == plain
    chunked = {"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(asked)}
    answer = client.generic("POST", FETCH, b"", **chunked)
    assert (answer.status_code, b"".join(answer.streaming_content)) == plain


def test_what_is_too_long_is_refused_packed_or_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    most = PUSH_BYTES + COMMAND_BYTES
    long = pushed(b"PACK" + os.urandom(1024) * (most // 1024))
    status, said = sent(client, PUSH, long + bytes(3 * PIECE))
    assert status == 200
    assert b"ng refs/for/4.1 too-large\n" in said
    assert sent(client, PUSH, gzip.compress(bytes(100_000_000)), HTTP_CONTENT_ENCODING="gzip")[0] == 400
    assert sent(client, FETCH, b"0" * (ASKED_BYTES + 1))[0] == 413
    monkeypatch.setattr(git_access, "DROPPED_BYTES", 2 * PIECE)
    assert sent(client, PUSH, long + bytes(3 * PIECE))[0] == 413
    assert Upload.objects.count() == 2  # those of the world


def test_what_git_does_not_send_is_told_so(client: Client) -> None:
    for body in (b"", b"x", b"ffff", pushed(b"", name=b"refs/for/\x01"), b"0010" + b"x" * 12):
        assert sent(client, PUSH, body)[0] == 400, body
    assert sent(client, PUSH, b"no gzip", HTTP_CONTENT_ENCODING="gzip")[0] == 400
    assert sent(client, PUSH, FLUSH) == (200, b"")


def test_a_damaged_pack_and_one_without_its_commit_are_told_ref_by_ref(client: Client) -> None:
    status, said = sent(client, PUSH, pushed(b"PACK" + bytes(40)))
    assert status == 200
    assert b"unpack bad-pack\n" in said
    assert b"ng refs/for/4.1 bad-pack\n" in said
    assert b"\x02refs/for/4.1: The pack is damaged" in said
    status, said = sent(client, PUSH, pushed(b"", oid=NO_OID))
    assert b"ng refs/for/4.1 no-deleting\n" in said


def test_who_comes_when_too_many_are_there_is_asked_to_come_again(
    client: Client, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offering, "WAIT_SECONDS", 0.01)
    held = [offering.offered([]) for _ in range(offering.AT_ONCE)]
    for one in held:
        one.__enter__()
    status, said = sent(client, FETCH, wanted(workshop))
    assert (status, b"in a minute" in said) == (503, True)
    for one in held:
        one.__exit__(None, None, None)
    assert sent(client, FETCH, wanted(workshop))[0] == 200


def test_a_session_is_no_way_in_and_so_no_form_can_push(client: Client, workshop: Workshop) -> None:
    browser = factories.log_in(Client(enforce_csrf_checks=True), factories.person("browser", listed=True))
    for path in (FETCH, PUSH):
        assert sent(browser, path, wanted(workshop))[0] == 401
    assert sent(browser, f"/git/xsa-{KNOWN}.git/info/refs?service=git-upload-pack", b"")[0] == 405


def test_how_often_one_asks_is_counted_as_by_rest(client: Client, workshop: Workshop, settings: Any) -> None:
    settings.API_RATES = {"read": 1, "change": 1}
    refs = f"/git/xsa-{KNOWN}.git/info/refs?service=git-upload-pack"
    assert [client.get(refs).status_code for _ in range(2)] == [200, 429]
    assert [sent(client, FETCH, wanted(workshop))[0] for _ in range(2)] == [200, 429]
