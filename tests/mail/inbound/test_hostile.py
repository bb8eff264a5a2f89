"""Our own hostile mails: each ends as it must, nothing of it is done, and nothing is lost or told."""

from __future__ import annotations

import base64
import hashlib
import logging
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as sent
from django.utils import timezone
from gnupg import GPG

from backports.bench.hostile import Hostile, Writer, corpus
from backports.bench.letters import wrapped_as_encrypted
from backports.mail.reading.agreement import OLDEST
from backports.models import BackportVersion, Comment, InboundMail, OutboxMail, OutboxText, Review, Upload
from backports.pgp import Home
from backports.pgp.home import MOST
from backports.services.inbound import handling
from backports.services.inbound.door import receive
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, body_of, fix
from tests.pgp.keys import ring
from xsa.models import Advisory

SWOLLEN = 100 << 20  # bytes of what swells: more than is opened of one message


def _all(member: Member) -> list[Hostile]:
    writer = Writer(member.address, member.secret, 500, "4.1")
    return list(corpus(writer, member.room.public.encode(), timezone.now()))


def test_each_ends_as_it_must_and_nothing_is_done(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wanted, found = {}, {}
    for one in _all(member):
        row = take(one.raw)
        wanted[one.name], found[one.name] = (one.state, one.code), (row.state, row.code)
        assert hashlib.sha256(bytes(row.raw)).hexdigest() == hashlib.sha256(one.raw).hexdigest() == row.sha256
    assert found == wanted
    assert len(wanted) > 30
    for model in (BackportVersion, Comment, Review, Upload):
        assert not model.objects.exists(), model
    # Who is not proved is not answered.
    assert {one.event.partition(" ")[0] for one in OutboxMail.objects.all()} <= {"receipt"}
    assert sent.outbox == []
    assert not [one.subject for one in OutboxText.objects.all() if not one.subject.isprintable()]
    told = caplog.text
    assert not [word for word in (member.address, "common/table.c", "table: check", "attacker") if word in told]


def test_every_mail_has_one_end(workshop: Workshop, advisory: Advisory, member: Member, take: Take) -> None:
    rows = [take(one.raw) for one in _all(member)]
    assert len({row.pk for row in rows}) == len(rows) == InboundMail.objects.count()
    assert not InboundMail.objects.filter(state="waiting").exists()


def test_what_was_acted_on_is_not_acted_on_again(
    workshop: Workshop, advisory: Advisory, member: Member, take: Take
) -> None:
    raw = member.sign(member.write(body_of(fix(workshop)), subject="[PATCH XSA-500 4.1] x", message_id="<a@e.example>"))
    assert take(raw).code == "backport"
    assert take(raw).code == "backport"
    # A list's footer makes another mail of it, with the same signed part.
    row = take(raw + b"A list's footer.\r\n")
    assert (row.state, row.code) == ("refused", "replayed")
    assert BackportVersion.objects.count() == 1


def test_a_signed_mail_that_waited_with_somebody_is_too_old(member: Member, take: Take) -> None:
    row = receive(member.sign(member.write("x\n", subject="[PATCH XSA-500 4.1] x")), via="pipe")
    InboundMail.objects.filter(pk=row.pk).update(received_at=timezone.now() + 2 * OLDEST)
    handling.handle(row.pk)
    row.refresh_from_db()
    assert (row.state, row.code) == ("refused", "too-old")


def test_without_a_key_of_the_room_what_is_encrypted_waits(
    member: Member, take: Take, settings: Any, tmp_path: Path
) -> None:
    raw = member.encrypt(member.write("x\n", subject="[PATCH XSA-500 4.1] x"))
    settings.ROOM_KEY = tmp_path / "none.asc"
    row = take(raw)
    assert (row.state, row.code) == ("quarantined", "no-room-key")


def _packed(data: bytes) -> bytes:
    """An OpenPGP message that is compressed and not encrypted, armoured: whoever opens it opens all of it."""
    body = b"b\0\0\0\0\0" + data
    literal = b"\xcb\xff" + len(body).to_bytes(4) + body
    small = b"\x02" + zlib.compress(literal, 9)
    packet = b"\xc8\xff" + len(small).to_bytes(4) + small
    lines = base64.encodebytes(packet)
    return b"-----BEGIN PGP MESSAGE-----\n\n" + lines + b"-----END PGP MESSAGE-----\n"


@pytest.fixture
def bombs(member: Member) -> list[bytes]:
    """Small mails that GnuPG makes large ones of: compressed alone, and compressed and encrypted to the room."""
    raw = member.write("x\n", subject="[PATCH XSA-500 4.1] x")
    with ring() as other:
        other.gpg("--import", data=member.room.public.encode())
        told = ("--encrypt", "--compress-level=9", "--armor", f"--recipient={member.room.fingerprint}")
        sealed = other.gpg(*told, data=bytes(SWOLLEN))
    made = [wrapped_as_encrypted(raw, one) for one in (_packed(bytes(SWOLLEN)), sealed)]
    assert max(map(len, made)) < SWOLLEN // 100
    return made


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes GnuPG gave of each message, whatever was made of them."""
    found: list[int] = []
    real = GPG.decrypt

    def decrypted(gpg: GPG, *arguments: Any, **told: Any) -> Any:
        result = real(gpg, *arguments, **told)
        found.append(len(result.data))
        return result

    monkeypatch.setattr(GPG, "decrypt", decrypted)
    return found


def test_what_swells_in_gnupg_is_cut_off_there(take: Take, bombs: list[bytes], unpacked: list[int]) -> None:
    rows = [take(one) for one in bombs]
    assert {row.state for row in rows} == {"refused"}
    assert {row.code for row in rows} <= {"too-large", "damaged"}
    assert len(unpacked) == 2
    assert max(unpacked) <= MOST


def test_without_the_limit_it_would_swell(
    take: Take, bombs: list[bytes], unpacked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is the limit that the test above shows, and nothing else."""
    monkeypatch.setattr(Home.open, "__kwdefaults__", {"most": 4 * SWOLLEN})
    for one in bombs:
        take(one)
    assert min(unpacked) >= SWOLLEN
