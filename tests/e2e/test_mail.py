"""Mail in a real browser: a key pinned by who holds it, a digest that comes and that GnuPG reads, and a mail that came
in and that nobody signed.
"""

from __future__ import annotations

import email
import email.policy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from backports.runtime.embedded import CODE_DIR
from tests.e2e.server import Server, wait_until
from tests.e2e.test_membership import log_in, person, shoot
from tests.mail.letters import mail
from tests.pgp.keys import CURVE, Ring, ring

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ADDRESS = "member-one@demo.example"
MOVED = """
from datetime import timedelta
from django.utils import timezone
from backports.services.disclosing import plan_disclosure
from xsa.identity import everything
from xsa.models import Advisory, User
with everything("command"):
    team = User.objects.get(username="security-team")
    team.cleared = True
    row = Advisory.objects.filter(disclosed_at=None).latest("number")
    plan_disclosure(team, advisory=row, at=timezone.now() + timedelta(days=200))
    print("moved", row.number)
"""


@pytest.fixture
def pages(browser: Browser, server: Server) -> Iterator[tuple[Page, Page]]:
    """A member's page and the security team's; neither may complain."""
    complaints: list[str] = []
    member, team = person(browser, server, complaints), person(browser, server, complaints)
    yield member[1], team[1]
    member[0].close()
    team[0].close()
    assert complaints == []


def pin(page: Page, keys: Ring, name: str) -> None:
    """The text of the page, signed by the key, and the public key."""
    challenge = page.locator("pre.letter").inner_text()
    page.get_by_label("Public key").fill(keys.public())
    page.get_by_label("The text above, signed with it").fill(keys.gpg("--clearsign", data=challenge.encode()).decode())
    shoot(page, f"{name}-filled")
    page.get_by_role("button", name="Pin the key").click()
    expect(page.get_by_text("The key is pinned")).to_be_visible()


def wish(page: Page) -> None:
    page.get_by_label("Digests").select_option(label="at once")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("Digests come as you said.")).to_be_visible()


def test_a_key_is_pinned_and_a_digest_read_by_gnupg(pages: tuple[Page, Page], server: Server) -> None:
    page, team = pages
    log_in(page, server, "member-one")
    with ring() as keys:
        keys.make(CURVE)
        page.goto("/keys/")
        shoot(page, "keys-none")
        pin(page, keys, "keys")
        shoot(page, "keys")
        page.goto("/mail/digests/")
        wish(page)
        shoot(page, "digests")
        number = server.manage("shell", "--verbosity=0", "--command", MOVED).split()[-1]
        sealed = arrived(server)
        assert sealed["Subject"] == f"XSA-{number}"
        keys.gpg("--import", data=server.manage("room_key", "--public").encode())
        inside = email.message_from_bytes(opened(keys, sealed), policy=email.policy.default)
        text = inside.get_body(preferencelist=("plain",)).get_content()  # type: ignore[attr-defined]
        assert "the planned disclosure is" in text
    page.goto("/mail/")
    expect(page.get_by_role("cell", name="Sent").or_(page.get_by_role("cell", name="sent")).first).to_be_visible()
    shoot(page, "outbox")
    page.locator("table a").first.click()
    expect(page.get_by_text(f"XSA-{number}").first).to_be_visible()
    shoot(page, "outbox-mail")
    _of_the_organisation(page)
    page.goto(str(sealed["List-Unsubscribe"]).strip("<>"))
    shoot(page, "unsubscribe")
    log_in(team, server, "security-team")
    team.goto("/mail/")
    shoot(team, "outbox-team")


def _of_the_organisation(page: Page) -> None:
    page.goto("/organisation/")
    page.get_by_role("link", name="OpenPGP keys").first.click()
    shoot(page, "organisation-keys")
    page.get_by_role("link", name="Digests").first.click()
    shoot(page, "organisation-digests")


def arrived(server: Server) -> email.message.EmailMessage:
    """The newest mail to the member, as it was written to the folder of mail; it says nothing in clear."""
    found: list[bytes] = []

    def came() -> bool:
        folder = server.data / "mail"
        rows = [path.read_bytes() for path in folder.glob("*")] if folder.exists() else []
        found.extend(row for row in rows if ADDRESS.encode() in row and b"BEGIN PGP MESSAGE" in row)
        return bool(found)

    wait_until(came, "the digest is mailed", 90)
    assert b"planned disclosure" not in found[-1]
    raw = found[-1].split(b"\n" + b"-" * 79)[0]
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def opened(keys: Ring, sealed: email.message.EmailMessage) -> bytes:
    _, body = sealed.iter_parts()
    return keys.gpg("--decrypt", data=str(body.get_payload()).encode())


def test_an_unsigned_mail_waits_for_a_person(pages: tuple[Page, Page], server: Server) -> None:
    member, team = pages
    sender = f"Member One <{ADDRESS}>"
    for at, subject in enumerate(("[PATCH XSA-500 4.8 v2 1/1] x86: look first", "<b>A question</b>")):
        bring(server, mail("Hello.\n", subject=subject, sender=sender, message_id=f"<{at}@demo.example>"))
    log_in(team, server, "security-team")
    team.goto("/mail/in/")
    wait_until(lambda: _waits(team), "both mails have their end", 60)
    shoot(team, "mail-in")
    team.get_by_role("link", name="look first").first.click()
    shoot(team, "mail-in-one")
    team.get_by_label("Why").fill("Nobody knows whose it is.")
    team.get_by_role("button", name="Refuse").click()
    expect(team.get_by_text("It was refused.")).to_be_visible()
    shoot(team, "mail-in-refused")
    log_in(member, server, "member-one")
    assert member.goto("/mail/in/").status == 403  # type: ignore[union-attr]


def _waits(page: Page) -> bool:
    page.reload()
    return page.get_by_text("quarantined").count() > 0 and page.get_by_text("waiting for").count() == 0


def bring(server: Server, raw: bytes) -> None:
    """As a mail server's pipe does."""
    command = [sys.executable, "manage.py", "receive_mail"]
    done = subprocess.run(command, input=raw, cwd=Path(CODE_DIR), env=server.environment, check=False)
    assert done.returncode == 0
