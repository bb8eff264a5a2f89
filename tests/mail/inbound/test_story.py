"""A backport by mail alone: a member sends v1 and v2 with their own tools, another answers and reviews."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from email.utils import format_datetime
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from backports.models import Backport, BackportVersion, Comment, InboundMail, OutboxText, Review
from tests import factories
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, fix, make_member
from tests.pgp.keys import CURVE, Ring, ring
from xsa.models import Advisory

TOOL = Path(__file__).parents[3] / "tools" / "send-signed"


class Sender:
    """A member with a keyring, whose git hands mails to `tools/send-signed`; what it would send is in a folder."""

    def __init__(self, member: Member, keys: Ring, folder: Path) -> None:
        self.member, self.keys, self.folder = member, keys, folder
        self.fingerprint = keys.make(CURVE)
        keys.gpg("--import", data=member.room.public.encode())
        member.organisation.pgp_key, member.organisation.pgp_fingerprint = _public(keys, self.fingerprint)
        member.organisation.save()
        self.gpg, self.out = folder / "gpg", folder / "sent"
        self.gpg.write_text(f'#!/bin/sh\nexec gpg --homedir {keys.home} "$@"\n')
        (folder / "sendmail").write_text(f'#!/bin/sh\ncat > {self.out}\necho "$@" > {folder}/to\n')
        for name in (self.gpg, folder / "sendmail"):
            name.chmod(0o700)

    def send(self, mail: bytes) -> bytes:
        """What leaves the machine."""
        command = [sys.executable, str(TOOL), "--key", self.fingerprint, "--room", self.member.room.fingerprint]
        command += ["--gpg", str(self.gpg), "--sendmail", str(self.folder / "sendmail"), "-i", "room@backports.example"]
        subprocess.run(command, input=mail, check=True)
        assert (self.folder / "to").read_text() == "-i room@backports.example\n"
        return self.out.read_bytes()


def _public(keys: Ring, fingerprint: str) -> tuple[str, str]:
    return keys.gpg("--armor", "--export", fingerprint).decode(), fingerprint


@pytest.fixture
def sender(member: Member, tmp_path: Path) -> Iterator[Sender]:
    with ring() as keys:
        yield Sender(member, keys, tmp_path)


def _formatted(member: Member, patches: Sequence[bytes], version: int) -> list[bytes]:
    """As `git format-patch` and `git send-email --thread` make them."""
    mails, tag = [], f"PATCH XSA-500 4.1 v{version}" if version > 1 else "PATCH XSA-500 4.1"
    for at, patch in enumerate(patches, start=1):
        _, _, body = patch.partition(b"\n\n")
        head = [
            f"From: {member.user.username} <{member.address}>",
            "To: room@backports.example",
            f"Subject: [{tag} {at}/{len(patches)}] table: check what is picked,\n in part {at}",
            f"Date: {format_datetime(timezone.now())}",
            f"Message-ID: <2026-v{version}-{at}-{member.address}>",
            *([f"In-Reply-To: <2026-v{version}-1-{member.address}>"] if at > 1 else []),
            *([f"References: <2026-v{version}-1-{member.address}>"] if at > 1 else []),
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=UTF-8",
            "Content-Transfer-Encoding: 8bit",
        ]
        mails.append("\n".join(head).encode() + b"\n\n" + body)
    return mails


def test_v1_v2_an_answer_and_a_review_by_mail_alone(
    workshop: Workshop, advisory: Advisory, member: Member, sender: Sender, take: Take, client: Client
) -> None:
    second = fix(workshop, subject="more").replace(b"table.c", b"other.c")
    sent = [sender.send(one) for one in _formatted(member, [fix(workshop), second], 1)]
    assert all(b"table_pick" not in one and b"XSA-500" not in one for one in sent)
    rows = [take(one) for one in reversed(sent)]
    assert [(row.state, row.code) for row in rows] == [("quarantined", "series-incomplete"), ("acted", "backport")], [
        row.sentence for row in rows
    ]
    rows = [take(sender.send(one)) for one in _formatted(member, [fix(workshop, check="toy_check_all")], 2)]
    assert rows[0].code == "backport", rows[0].sentence
    assert list(BackportVersion.objects.order_by("number").values_list("number", "came_by")) == [
        (1, "mail"),
        (2, "mail"),
    ]
    reviewer = make_member("reviewer", member.room)
    text = (
        "> +    if ( toy_check_all(table_pick_index) )\n\nRight.\n\n"
        f"Reviewed-by: Example Reviewer <{reviewer.address}>\n"
    )
    answer = reviewer.write(
        text,
        subject="Re: [PATCH XSA-500 4.1 v2 1/1] table: check what is picked, in part 1",
        message_id="<answer@reviewer.example>",
        answers=f"<2026-v2-1-{member.address}>",
    )
    row = take(reviewer.encrypt(answer))
    assert (row.state, row.code) == ("acted", "answer"), row.sentence
    assert Comment.objects.get().version is not None
    assert Review.objects.get().verdict == "approve"
    assert OutboxText.objects.count() == 3  # v1, v2, the answer; none for the half of a series
    _the_browser_shows_the_same(client)


def _the_browser_shows_the_same(client: Client) -> None:
    factories.log_in(client, factories.person("onlooker", listed=True))
    page = client.get(f"/backports/{Backport.objects.get().pk}/").content.decode()
    assert "Right." in page
    assert "toy_check_all" in page
    assert "approves" in page
    assert InboundMail.objects.filter(state="waiting").count() == 0
