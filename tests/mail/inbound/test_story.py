"""A backport by mail alone: a member sends v1 and v2 with their own tools, another answers and reviews."""

from __future__ import annotations

import os
import shutil
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
from tests.backports.toy import Edits
from tests.mail.inbound.conftest import Member, Take, fix, make_member
from tests.pgp.keys import CURVE, Ring, ring
from xsa.models import Advisory

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "tools" / "send-signed"


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


class Git:
    """The member's own clone, where git knows nothing but what docs/mail-in.md tells to set."""

    def __init__(self, workshop: Workshop, sender: Sender) -> None:
        self.sender, self.home = sender, sender.folder / "home"
        self.tree, self.sent = self.home / "xen", self.home / "sent"
        self.sent.mkdir(parents=True)
        self.recipients = self.home / "recipients"
        self.sendmail = self.home / "sendmail"
        self.sendmail.write_text(
            f'#!/bin/sh\necho "$@" >> {self.recipients}\ncat > {self.sent}/$(ls {self.sent} | wc -l)\n'
        )
        self.sendmail.chmod(0o700)
        shutil.copy(TOOL, self.home / "send-signed")
        self("git", "clone", "--quiet", str(workshop.toy.path), str(self.tree), cwd=self.home)
        self("git", "config", "user.name", sender.member.user.username)
        self("git", "config", "user.email", sender.member.address)

    def __call__(self, *command: str, cwd: Path | None = None, ok: bool = True, data: bytes = b"") -> str:
        # Git's own tests answer its questions so, where there is no terminal.
        env = {"HOME": str(self.home), "PATH": os.environ["PATH"], "GIT_SEND_EMAIL_NOTTY": "1", "LC_ALL": "C"}
        done = subprocess.run(command, check=False, cwd=cwd or self.tree, env=env, input=data, capture_output=True)
        assert (done.returncode == 0) == ok, (done.stdout + done.stderr).decode()
        return (done.stdout + done.stderr).decode()

    def commit(self, patch: bytes, subject: str) -> None:
        """A commit that names others, as those of Xen do."""
        self("git", "am", "--quiet", data=patch)
        trailers = "Cc: Colleague <colleague@elsewhere.example>\nSigned-off-by: Author <author@elsewhere.example>"
        self("git", "commit", "--quiet", "--amend", "-m", f"{subject}\n\n{trailers}")

    def documented(self, prefix: str) -> list[str]:
        """The commands of the page, with the member's own names in them."""
        text = (ROOT / "docs" / "mail-in.md").read_text()
        lines = [line.strip() for line in text.splitlines() if line.startswith(f"    git {prefix}")]
        stubs = f"--gpg {self.sender.gpg} --sendmail {self.sendmail}"
        names = {
            "/path/to/send-signed": f"{self.home}/send-signed {stubs}",
            "SECURITY@MEMBER.EXAMPLE": self.sender.fingerprint,
            "ROOM-FINGERPRINT": self.sender.member.room.fingerprint,
            "room@backports.example.org": "room@backports.example",
        }
        for name, own in names.items():
            lines = [line.replace(name, own) for line in lines]
        assert lines
        return lines

    def send_version(self, patches: int, tag: str, *, ok: bool = True, options: str = "") -> str:
        """What the page says to do for each version; what git said."""
        (form,), (send,) = self.documented("format-patch"), self.documented("send-email")
        form = form.replace("XSA-500 4.8 v2", tag).replace("-3", f"-{patches}")
        shutil.rmtree(self.tree / "out-v2", ignore_errors=True)
        self("sh", "-c", form)
        cover = next((self.tree / "out-v2").glob("0000-*"))
        filled = cover.read_text().replace("*** SUBJECT HERE ***", "two checks").replace("*** BLURB HERE ***", "Both.")
        cover.write_text(filled)
        return self("sh", "-c", f"{send} {options}", data=b"a\n", ok=ok)

    def left(self) -> list[bytes]:
        """What left the machine, in order; once."""
        files = sorted(self.sent.iterdir(), key=lambda one: int(one.name))
        mails = [file.read_bytes() for file in files]
        for file in files:
            file.unlink()
        return mails


@pytest.fixture
def git(workshop: Workshop, sender: Sender) -> Git:
    git = Git(workshop, sender)
    git.commit(fix(workshop), "table: check what is picked")
    limit = "    unsigned int table_place_limit = toy->table_place_count;\n\n"
    edits: Edits = {
        "common/table.c": [(limit, f"{limit}    if ( toy_check(table_place_index) )\n        return -1;\n\n")]
    }
    git.commit(workshop.toy.patch("master", edits, "more"), "table: check what is placed")
    return git


def test_gits_own_tools_send_both_versions_as_the_page_says(advisory: Advisory, git: Git, take: Take) -> None:
    for command in git.documented("config"):
        git("sh", "-c", command)
    for number, tag in ((1, "XSA-500 4.1"), (2, "XSA-500 4.1 v2")):
        git.send_version(number, tag)
        mails = git.left()
        assert len(mails) == number + 1
        assert all(b"BEGIN PGP MESSAGE" in one for one in mails)
        told = (b"XSA-500", b"table", b"check", b"colleague", b"author", b"Both")
        assert not any(word in one for word in told for one in mails)
        rows = [take(one) for one in mails]
        assert rows[-1].code == "backport", [(row.code, row.sentence) for row in rows]
    assert set(git.recipients.read_text().splitlines()) == {"-i room@backports.example"}
    versions = BackportVersion.objects.order_by("number")
    assert [(row.number, row.came_by, row.patches.count()) for row in versions] == [(1, "mail", 1), (2, "mail", 2)]


@pytest.mark.parametrize("option", ["", "--bcc=me@elsewhere.example"])
def test_nothing_is_sent_where_a_copy_would_go_to_others(git: Git, option: str) -> None:
    for command in git.documented("config"):
        if option or "suppressCc" not in command:
            git("sh", "-c", command)
    assert "for the room alone" in git.send_version(2, "XSA-500 4.1", ok=False, options=option)
    assert git.left() == []
    assert not git.recipients.exists()


def test_a_git_that_knows_no_sendmail_command_sends_nothing(git: Git) -> None:
    for command in git.documented("config"):
        if "sendmailCmd" not in command:
            git("sh", "-c", command)
    git.send_version(2, "XSA-500 4.1", ok=False)
    assert git.left() == []
