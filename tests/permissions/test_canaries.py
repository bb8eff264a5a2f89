"""An embargoed advisory made of words that stand nowhere else: none of them is where it must not be."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from backports.models import OutboxMail, Subscription
from backports.services import accounts, digests, sending, subscriptions
from tests import factories
from tests.backports.conftest import Workshop
from tests.mail.conftest import give_key
from tests.permissions.actors import OUTSIDERS, SEE_EMBARGOED, client_of
from tests.permissions.crawl import crawl
from tests.permissions.looks import Looks
from tests.permissions.packed import unpacked
from tests.permissions.world import CANARIES, SECRET, TEAMS, THINGS, hide, names_of
from tests.pgp.keys import Correspondent
from xsa.identity import NOBODY, _acting
from xsa.models import Advisory, Organisation, PasswordReset, User


def leaks(text: bytes, asked: str = "") -> list[str]:
    """The canaries in a text, but for those that the reader brought along in the address."""
    return [word for word in CANARIES if word.strip("><") not in asked and word.encode() in text]


def told(answer: Any) -> bytes:
    """Everything that an answer says: headers, body, and what is packed in that."""
    return b"\n".join((repr(sorted(answer.headers.items())).encode(), *unpacked(answer.content)))


@pytest.mark.parametrize("actor", OUTSIDERS)
def test_no_page_tells_an_outsider(looks: Looks, actor: str) -> None:
    answers = looks.at(looks.rooms.both, actor).answers
    words = looks.rooms.names(SECRET).words
    ids = {words[name].encode() for name in THINGS}
    assert len(ids) == len(THINGS)
    found = {path: leaks(told(answer), path) for path, answer in answers.items()}
    assert {path: words for path, words in found.items() if words} == {}
    assert [path for path, answer in answers.items() if any(one in answer.content for one in ids)] == []
    assert len(answers) > 60


@pytest.mark.parametrize("actor", sorted(SEE_EMBARGOED))
def test_the_canaries_are_on_the_pages_of_those_who_may_see_them(looks: Looks, actor: str) -> None:
    answers = looks.at(looks.rooms.both, actor).answers
    sung = {word for answer in answers.values() for word in leaks(told(answer))}
    assert sung == set(CANARIES) - (frozenset() if actor == "team" else TEAMS)


@pytest.mark.parametrize("actor", sorted(SEE_EMBARGOED))
def test_no_answer_with_a_canary_may_be_kept(looks: Looks, actor: str) -> None:
    answers = looks.at(looks.rooms.both, actor).answers
    singing = [answer for answer in answers.values() if leaks(told(answer))]
    assert singing
    assert {answer["Cache-Control"] for answer in singing} <= {"no-store", "no-store, no-transform"}


def test_no_log_mail_cache_message_or_file_holds_one(
    workshop: Workshop, known: Advisory, caplog: pytest.LogCaptureFixture, tmp_path: Path, settings: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    row = hide(workshop)
    names = names_of(row)
    for actor in ("anonymous", "contact"):
        client = client_of(actor, row)
        client.raise_request_exception = False
        crawl(client, names_of(known), names, follow=False)
        client.post(f"/attempts/{names.words['attempt']}/retry/")
    Client().post("/login/", {"login": row.current.title, "password": "a wrong password"})
    settings.ROOM_KEY = tmp_path / "room-key.asc"
    _write_mails()
    assert leaks(caplog.text.encode()) == []
    told_by_mail = [leaks(message.message().as_bytes()) for message in mail.outbox]
    assert told_by_mail == [[]] * 4
    assert leaks(repr(workshop.sent).encode()) == []
    cached = _cached()
    assert cached
    assert [leaks(entry) for entry in cached] == [[]] * len(cached)
    mirrors = [path for path in (tmp_path / "git").glob("*.git/**/*") if path.is_file()]
    assert mirrors
    assert [path for path in [*mirrors, *_files(settings.STATIC_ROOT)] if leaks(path.read_bytes())] == []


def _write_mails() -> None:
    """Every mail that there is, about an organisation that sees the embargoed advisory."""
    person = factories.person("reader", listed=True)
    User.objects.filter(pk=person.pk).update(email="reader@member.example")
    place = person.memberships.get().organisation
    accounts.mail_invitation(str(accounts.invite(person, organisation=place, email="new@member.example").pk))
    accounts.mail_password_reset(str(PasswordReset.objects.create(email="reader@member.example").pk))
    for user in (person, factories.person("other-reader", listed=True)):
        _write_digest(user, user.memberships.get().organisation)


def _write_digest(user: User, place: Organisation) -> None:
    """One that tells of the embargoed advisory, to a reader with a key and to one without."""
    Organisation.objects.filter(pk=place.pk).update(role_address=f"{user.username}@member.example")
    if user.username == "reader":
        give_key(place, Correspondent())
    subscriptions.set_wish(user, organisation=place, cadence="instant")
    Subscription.objects.filter(organisation=place).update(position=0)
    assert digests.make_digests() == 1
    (row,) = OutboxMail.objects.filter(kind="digest", state="waiting")
    letter = sending.letter_of(row)
    assert letter is not None
    assert leaks(letter.text.encode())
    sending.send_batch([str(row.pk)])
    row.refresh_from_db()
    assert (row.state, row.notice) == ("sent", user.username != "reader")


def _cached() -> list[bytes]:
    """The entries of the cache, with their keys, as they are kept."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM xsa_cache")
        return [key.encode() + b" " + base64.b64decode(value) for key, value in cursor.fetchall()]


def _files(folder: Path) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def test_an_error_page_holds_none(secret: Advisory, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of("contact", secret)
    client.raise_request_exception = False
    monkeypatch.setattr("backports.web.advisories.render", _breaks)
    answer = client.get(f"/advisories/{secret.number}/")
    assert answer.status_code == 500
    assert leaks(told(answer)) == []


def _breaks(*_: Any, **__: Any) -> None:
    raise RuntimeError("canarytitleqzx")


def test_no_row_that_nobody_may_read_holds_one(secret: Advisory, known: Advisory) -> None:
    crawl(client_of("contact", secret), names_of(known), names_of(secret), follow=False)
    with _acting(NOBODY):
        assert [table for table, rows in tables() if leaks(rows)] == []
    singing = {table for table, rows in tables() if leaks(rows)}
    assert singing == {
        "backports_attempt",
        "backports_backportversion",
        "backports_check",
        "backports_comment",
        "backports_inboundmail",
        "backports_outboxtext",
        "backports_review",
        "backports_upload",
        "backports_versionpatch",
        "xsa_advisoryversion",
        "xsa_auditrecord",
        "xsa_disclosurerequest",
        "xsa_patchfile",
    }


def tables() -> Iterator[tuple[str, bytes]]:
    """Every table of the database, as much of it as can be read now; bytes as the letters that they stand for."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL bytea_output = 'escape'")
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM {table} t")  # noqa: S608
            yield table, cursor.fetchone()[0].encode()


def test_mirrors_have_no_ref_that_names_it(workshop: Workshop, secret: Advisory) -> None:
    packed = (workshop.mirror / "packed-refs").read_bytes() if (workshop.mirror / "packed-refs").exists() else b""
    loose = [str(path).encode() for path in (workshop.mirror / "refs").rglob("*")]
    assert leaks(packed + b" ".join(loose)) == []


def test_the_crawl_would_see_a_leak(secret: Advisory, known: Advisory) -> None:
    Advisory.objects.filter(pk=secret.pk).update(disclosed_at=secret.created_at, disclosure_reason="test")
    answers = crawl(Client(), names_of(known), names_of(secret), follow=False)
    # What the room said of the advisory stays in the room.
    sung = {word for answer in answers.values() for word in leaks(told(answer))}
    assert sung == set(CANARIES) - TEAMS - {"canarydiscussionqzx"}
