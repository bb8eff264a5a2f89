"""A whole embargo by mail alone: the advisory comes by mail, a member sends v1 and v2, another answers the
digest, replies inline and reviews, and each digest is read by a second implementation; the browser shows the same room.
"""

from __future__ import annotations

import email
import email.policy
import subprocess
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pysequoia
import pytest
from django.test import Client
from django.utils import timezone

from backports.models import Attempt, Backport, InboundMail, OutboxMail, Repository, Review, Subscription
from backports.pgp import Home, RoomKey
from backports.services import digests, sending
from backports.services.disclosing import disclose_alone
from tests import factories
from tests.backports.conftest import Workshop
from tests.mail.conftest import give_key
from tests.mail.inbound.conftest import Member, Take, body_of, fix, make_member
from tests.mail.letters import mail
from tests.xsa.samples import advisory
from xsa.formats.signature import clear_sign, make_demo_key
from xsa.models import Advisory, Organisation, PatchFile, User

NUMBER = 500
SUBJECT = f"[PATCH XSA-{NUMBER} 4.1"
PROJECT_SECRET, PROJECT_PUBLIC = make_demo_key("Example Project", "security@project.example")


class Postbox:
    """A member's mail program: Sequoia with their key. What came is read once, in order."""

    def __init__(self, member: Member, outbox: list[Any], room: RoomKey) -> None:
        self.member, self.outbox, self.room, self.at = member, outbox, room, 0
        place = member.organisation
        self.address = f"role@{place.name.split()[-1]}.example"
        Organisation.objects.filter(pk=place.pk).update(role_address=self.address)
        give_key(place, armoured=place.pgp_key, fingerprint=place.pgp_fingerprint)
        now = timezone.now()
        wish = {"cadence": "instant", "position": 0, "looked_at": now - timedelta(minutes=1), "set_at": now}
        Subscription.objects.create(organisation=place, **wish)

    def fetch(self) -> list[tuple[Any, EmailMessage]]:
        """What came since: each mail as it travelled, and what is in it, signed by the room."""
        new = [one for one in self.outbox[self.at :] if one.to == [self.address]]
        self.at = len(self.outbox)
        return [(one.message(), self._opened(one.message().as_bytes())) for one in new]

    def _opened(self, raw: bytes) -> EmailMessage:
        assert b"table_pick" not in raw
        assert b"guest may pick" not in raw
        _, body = email.message_from_bytes(raw, policy=email.policy.default).iter_parts()  # type: ignore[attr-defined]
        secret = pysequoia.Tsk.from_bytes(self.member.secret)
        known = [pysequoia.Cert.from_bytes(self.room.public.encode())]
        found = pysequoia.decrypt(
            bytes=body.get_payload().encode(), decryptor=secret.decryptor(), store=lambda _ids: known
        )
        assert [one.certificate.upper() for one in found.valid_sigs] == [self.room.fingerprint]
        return email.message_from_bytes(bytes(found.bytes), policy=email.policy.default)  # type: ignore[return-value]


def text_of(inside: EmailMessage) -> str:
    body = inside.get_body(preferencelist=("plain",))
    return str(body.get_content()) if body else ""


def files_of(inside: EmailMessage) -> dict[str | None, bytes]:
    return {one.get_filename(): one.get_payload(decode=True) for one in inside.iter_attachments()}  # type: ignore[misc]


def send_out() -> int:
    """Be the scheduler and the worker: digests are made, and everything that waits is sent."""
    digests.make_digests()
    with Home(secret=sending.room_key().secret) as home:
        waiting = OutboxMail.objects.filter(state="waiting").order_by("made_at").values_list("pk", flat=True)
        return sum(sending.send(str(pk), home) for pk in list(waiting))


@pytest.fixture
def posts(
    workshop: Workshop, room: RoomKey, settings: Any, tmp_path: Path, mailoutbox: list[Any]
) -> tuple[Postbox, Postbox]:
    """Two members; the project's key is known to the room, and the toy is what advisories are about."""
    (tmp_path / "project.asc").write_bytes(PROJECT_PUBLIC)
    settings.ADVISORY_KEYS = [tmp_path / "project.asc"]
    Repository.objects.update(project="xen")
    one, two = (Postbox(make_member(name, room), mailoutbox, room) for name in ("engineer", "reviewer"))
    return one, two


def announce(workshop: Workshop) -> bytes:
    """As the project sends it, with the date in its text."""
    name = f"xsa{NUMBER}.patch"
    made = advisory(NUMBER, lines=f"{name}    xen-unstable", files={name: fix(workshop)})
    text = b"*** EMBARGOED UNTIL 2031-05-06 12:00 UTC ***\n\n" + made.pop(f"advisory-{NUMBER}.txt")
    title = f"Xen Security Advisory {NUMBER} v1 - guest may pick outside the table"
    told = {"sender": "Example team <security@project.example>", "message_id": "<xsa@project.example>"}
    return mail(clear_sign(text, PROJECT_SECRET).decode(), subject=title, files=made, **told)


def confirm_date(row: InboundMail) -> None:
    """A person of the security team confirms the date that the mail proposes."""
    team = factories.log_in(Client(), factories.person("team", security_team=True))
    assert team.post(f"/mail/in/{row.pk}/", {"step": "confirm-date", "at": "2031-05-06 12:00"}).status_code == 302


def send(take: Take, by: Member, text: str, *, subject: str, name: str, answers: str = "") -> InboundMail:
    told = {"subject": subject, "message_id": f"<{name}@{by.user}.example>", "answers": answers}
    row = take(by.encrypt(by.write(text, **told)))
    assert row.state == "acted", row.sentence
    return row


def test_a_whole_embargo_by_mail(
    workshop: Workshop, posts: tuple[Postbox, Postbox], take: Take, tmp_path: Path, client: Client
) -> None:
    one, two = posts
    row = take(announce(workshop))
    assert (row.state, row.code, row.signature) == ("acted", "advisory", "good"), row.sentence
    confirm_date(row)
    workshop.work()
    assert send_out() == 2
    ((outer, told),) = two.fetch()
    assert (str(outer["Subject"]), "guest may pick" in text_of(told)) == (f"XSA-{NUMBER}", True)
    assert "2031-05-06 12:00 UTC" in text_of(told)
    name = f"xsa{NUMBER}.patch"
    assert files_of(told)[name] == bytes(PatchFile.objects.get(name=name).data)
    one.fetch()

    assert client.get(f"/advisories/{NUMBER}/").status_code == 404
    _answers_the_digest(take, two, outer)
    first = send(take, one.member, body_of(fix(workshop)), subject=f"{SUBJECT}] table: check", name="v1")
    assert first.code == "backport"
    send_out()
    _reads_the_shared_patch(workshop, two, tmp_path)
    _replies_inline(take, two)
    better = body_of(fix(workshop, check="toy_check_all"))
    second = send(take, one.member, better, subject=f"{SUBJECT} v2] table: check", name="v2")
    assert (second.version.number if second.version else 0) == 2
    _reviews(take, two)
    send_out()
    assert any("version 2 of your backport" in text_of(told) for _, told in one.fetch())
    _the_browser_shows_the_same()
    _it_opens(client, two)


def _answers_the_digest(take: Take, two: Postbox, digest: Any) -> None:
    answers = str(digest["Message-ID"])
    row = send(take, two.member, "> guest may pick\n\nWe ship 4.1.\n", subject="Re: news", name="a", answers=answers)
    assert row.code == "discussion", row.sentence


def _reads_the_shared_patch(workshop: Workshop, two: Postbox, folder: Path) -> None:
    """The digest has it as it is: `git am` takes it on the branch."""
    mails = [told for outer, told in two.fetch() if outer["List-Id"]]
    (told,) = [one for one in mails if "Reviews wanted from you" in text_of(one)]
    (data,) = files_of(told).values()
    work = folder / "checkout"
    commands = [["clone", "-q", "-b", "stable-4.1", str(workshop.mirror), str(work)]]
    commands += [["-C", str(work), "-c", "user.name=R", "-c", "user.email=r@r.example", "am", "-q"]]
    for command in commands:
        subprocess.run(["git", *command], input=data if "am" in command else None, check=True, capture_output=True)
    assert "toy_check(table_pick_index)" in (work / "common" / "table.c").read_text()


def _replies_inline(take: Take, two: Postbox) -> None:
    text = "> +    if ( toy_check(table_pick_index) )\n\nAll of them?\n"
    row = send(take, two.member, text, subject=f"Re: {SUBJECT}]", name="b", answers="<v1@engineer.example>")
    assert row.code == "answer", row.sentence


def _reviews(take: Take, two: Postbox) -> None:
    text = f"Right now.\n\nReviewed-by: Example Reviewer <{two.member.address}>\n"
    row = send(take, two.member, text, subject=f"Re: {SUBJECT} v2]", name="c", answers="<v2@engineer.example>")
    assert row.code == "answer", row.sentence
    assert Review.objects.get().organisation == two.member.organisation


def _the_browser_shows_the_same() -> None:
    onlooker = factories.log_in(Client(), factories.person("onlooker", listed=True))
    page = onlooker.get(f"/advisories/{NUMBER}/").content.decode()
    assert "We ship 4.1." in page
    assert "2031-05-06" in page
    page = onlooker.get(f"/backports/{Backport.objects.get().pk}/").content.decode()
    for said in ("All of them?", "Right now.", "toy_check_all", "approves"):
        assert said in page, said
    ends = InboundMail.objects.order_by("received_at").values_list("state", "code")
    codes = ("advisory", "discussion", "backport", "answer", "backport", "answer")
    assert list(ends) == [("acted", code) for code in codes]


def _it_opens(stranger: Client, two: Postbox) -> None:
    """At the end the digest says so, and everybody reads what was shared, and nothing of the discussion."""
    send_out()
    two.fetch()
    row = Advisory.objects.get(number=NUMBER)
    team = User.objects.get(username="team")
    team.cleared = True
    assert disclose_alone(team, advisory=row, reason="It is public.", already_public=True)
    send_out()
    assert any(f"XSA-{NUMBER}" in text_of(told) and "was disclosed" in text_of(told) for _, told in two.fetch())
    page = stranger.get(f"/advisories/{NUMBER}/")
    assert page.status_code == 200
    assert b"We ship 4.1." not in page.content
    assert Attempt.objects.filter(advisory=row).exists()
