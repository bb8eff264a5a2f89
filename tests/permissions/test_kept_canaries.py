"""Words of the keeper's own, and secrets: none of them is anywhere for those who share the room either."""

from __future__ import annotations

import bz2
import gzip
import io
import logging
import lzma
import re
import tarfile
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backports.models import Webhook
from backports.services import sharing, webhooks
from tests.permissions.actors import ACTORS, KEEPER, client_of
from tests.permissions.looks import Looks
from tests.permissions.packed import unpacked
from tests.permissions.test_canaries import leaks, tables, told
from tests.permissions.world import KEPT, KNOWN, SECRET, names_of, send_draft
from xsa.identity import reading
from xsa.models import Advisory, User
from xsa.services.disclose import disclose
from xsa.services.tokens import create_token


def words_in(text: bytes, words: tuple[str, ...] = KEPT) -> list[str]:
    return [word for word in words if word.encode() in text]


@pytest.mark.parametrize("actor", ACTORS)
def test_what_cannot_be_read_is_on_no_page_of_others(looks: Looks, actor: str) -> None:
    """The page that says what is wrong with it among them, asked for by its address."""
    answers = looks.at(looks.rooms.both, actor).answers
    pages = {f"{start}/uploads/{looks.rooms.names(SECRET).words['broken']}/" for start in ("", "/api/v1")}
    assert {answers[path].status_code for path in pages} == {404}
    assert {path: words for path, answer in answers.items() if (words := words_in(told(answer)))} == {}


@pytest.mark.parametrize("actor", sorted(set(ACTORS) - {"anonymous"}))
def test_no_row_that_others_may_read_holds_a_word_of_it(secret: Advisory, actor: str) -> None:
    user = cleared(actor)
    user.cleared = actor != "halfway"
    with reading(user):
        assert [table for table, rows in tables() if words_in(rows)] == []


def test_its_keeper_reads_on_the_page_what_is_wrong_with_it(secret: Advisory) -> None:
    """Else the tests above would find nothing for another reason."""
    client, words = client_of(KEEPER), names_of(secret).words
    for start in ("", "/api/v1"):
        answer = client.get(f"{start}/uploads/{words['broken']}/")
        assert answer.status_code == 200
        assert words_in(told(answer))
    with reading(cleared(KEEPER)):
        assert {table for table, rows in tables() if words_in(rows)} == {"backports_upload"}


def cleared(username: str) -> User:
    """As in a session in which a second factor was proved."""
    user = User.objects.get(username=username)
    user.cleared = True
    return user


def secrets_of(webhook: Webhook) -> tuple[str, ...]:
    """A webhook's signing secret as it is told, and bare."""
    told_so = webhooks.secret_of(webhook)
    return told_so, told_so.removeprefix("whsec_")


@pytest.mark.parametrize("actor", ACTORS)
def test_a_webhooks_secret_is_in_no_answer(looks: Looks, actor: str) -> None:
    ids = [looks.rooms.names(number).words["webhook"] for number in (KNOWN, SECRET)]
    secrets = tuple(word for pk in ids for word in secrets_of(Webhook(pk=UUID(pk))))
    answers = looks.at(looks.rooms.both, actor).answers
    assert [path for path, answer in answers.items() if words_in(told(answer), secrets)] == []


def test_a_webhooks_secret_is_told_to_whoever_adds_it_and_kept_nowhere(
    secret: Advisory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token, value = make_token(cleared(KEEPER), secret)
    program = Client(headers={"authorization": f"Token {value}"})
    added = program.post("/api/v1/webhooks/", {"url": "https://hooks.example.org/new"}, "application/json")
    row = Webhook.objects.get(pk=added.json()["id"])
    page = client_of(KEEPER).post(f"/tokens/{token.pk}/webhooks/", {"url": "https://hooks.example.org/page"})
    other = Webhook.objects.get(url="https://hooks.example.org/page")
    secrets = (*secrets_of(row), *secrets_of(other))
    assert (added.status_code, page.status_code) == (201, 200)
    assert words_in(told(added), secrets) == [*secrets_of(row)]
    assert words_in(told(page), secrets) == [*secrets_of(other)]
    later = [program.get(path) for path in ("/api/v1/webhooks/", f"/api/v1/webhooks/{row.pk}/", "/api/v1/events/")]
    admin, team = keeper_as_admin(), client_of("team")
    seen = [admin.get(path) for path in ("/tokens/", f"/tokens/{token.pk}/webhooks/", "/organisation/audit/")]
    seen += [team.get(path) for path in ("/audit/", "/tokens/", f"/audit/export?advisory={KNOWN}")]
    assert {answer.status_code for answer in (*later, *seen)} == {200}
    assert [answer for answer in (*later, *seen) if words_in(told(answer), secrets)] == []
    assert [table for table, rows in tables() if words_in(rows, secrets)] == []
    assert words_in(caplog.text.encode(), secrets) == []


def make_token(user: User, row: Advisory) -> tuple[Any, str]:
    values = {"name": "a script", "expires_at": timezone.now() + timedelta(days=1), "embargoed": True}
    return create_token(user, organisation=user.memberships.get().organisation, advisories=[row.number], **values)


def keeper_as_admin() -> Client:
    """Who reads the organisation's audit."""
    cleared(KEEPER).memberships.update(role="admin")
    return client_of(KEEPER)


def lineage(client: Client, path: str) -> list[str]:
    """What the picture on a backport's page names, and the list below it says."""
    page = client.get(path).content.decode()
    _, _, part = page.partition('id="lineage"')
    drawn, _, rest = part.partition("</svg>")
    found = re.findall(r'class="lineage-label"[^>]*>([^<]+)<', drawn)
    listed = rest.partition("</ul>")[0]
    assert all(name in listed for name in found)
    return sorted(found)


def test_the_picture_of_what_derives_from_what_draws_no_draft_of_others(secret: Advisory) -> None:
    """The room's contact has a draft on 4.2; the keeper shares a second backport, so that there is a picture."""
    path, keeper = f"/backports/{names_of(secret).words['backport']}/", cleared(KEEPER)
    sharing.share(keeper, backport=send_draft(keeper, secret, "4.3").backport)
    shared = ["4.1 v1", "4.3 v1"]
    for actor in ("contact", "team", KEEPER):
        assert lineage(client_of(actor, secret), path) == shared
    assert lineage(client_of("guest", secret), path) == shared
    assert lineage(client_of("room-contact"), path) == ["4.1 v1", "4.2 v1", "4.3 v1"]
    assert lineage(client_of("member"), path) == []
    disclose(None, advisory=secret, reason="public", at=secret.created_at)
    assert lineage(Client(), path) == shared


def test_a_word_is_found_in_whatever_it_is_packed() -> None:
    for packed in (archived(gzip.compress(b"canarytitleqzx")), zipped(archived(lzma.compress(b"canarytitleqzx")))):
        for data in (packed, gzip.compress(packed), bz2.compress(packed)):
            assert leaks(data) == []
            assert leaks(told(HttpResponse(data))) == ["canarytitleqzx"]
    assert leaks(told(HttpResponse(gzip.compress(archived(b"", name="canaryfileqzx"))))) == ["canaryfileqzx"]


def archived(data: bytes, name: str = "a.gz") -> bytes:
    file, member = io.BytesIO(), tarfile.TarInfo(name)
    member.size = len(data)
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.tar", data)
    return file.getvalue()


def test_the_files_that_members_take_away_are_looked_into(looks: Looks) -> None:
    answers = looks.at(looks.rooms.both, "contact").answers
    packed = {path: list(unpacked(answer.content))[1:] for path, answer in answers.items()}
    sung = {path for path, inside in packed.items() if leaks(b"\n".join(inside))}
    words = looks.rooms.names(SECRET).words
    assert sung >= {
        f"/advisories/{SECRET}/files.tar",
        f"/api/v1/versions/{words['backport_version']}/series.tar",
        f"/api/v1/branches/{words['branch']}/missing.tar",
    }
