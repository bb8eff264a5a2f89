"""A whole embargo on the server that people run: what arrives, who takes part, what a stranger may find meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.backports.toy import git, replaced
from tests.e2e.server import Server
from tests.xsa.samples import advisory

TITLE = "length of nothing, and a start that is nowhere"
CONFLICT, OTHER = "4.5", "4.4"
LENGTH = "    while (length < limit && text[length])\n"
MODE = "        if ((value ^ m->efer) & EFER_LMA)\n            break;\n        m->efer = value;\n"
KEPT = MODE.replace("EFER_LMA", "~(uint64_t)EFER_KNOWN").replace("= value;", "= value & EFER_KNOWN;")
FINISHED = """            return -EINVAL;
        if ((value ^ m->efer) & ~(uint64_t)EFER_KNOWN)
            return -EINVAL;
        m->efer = value & EFER_KNOWN;
    } else if (index == MSR_STAR) {
"""
EDITS = {
    "common/lib.c": (LENGTH, f"    if (!text)\n        return 0;\n\n{LENGTH}"),
    "arch/x86/msr.c": (MODE, KEPT),
}
LISTS = ("/", "/r/demo/", "/advisories/", "/r/demo/branches/4.4/", "/queue/", "/api/v1/advisories/", "/api/v1/events/")

SECOND = """
import secrets
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from xsa.identity import everything
from xsa.models import Membership, Organisation
from xsa.services.members import create_person
with everything("command"):
    password, key = secrets.token_urlsafe(12), generate_totp_secret()
    team = Organisation.objects.get(security_team=True)
    role = Membership.Role.ADMIN
    person = create_person(None, username="{name}", password=password, organisation=team, role=role, contact=True,
                           email="{name}@demo.example")
    TOTP.activate(person, key)
    print("account", password, key)
"""


def arrive(server: Server, folder: Path, number: int) -> None:
    """An embargoed advisory of our own about the demo project, taken in as its operator does."""
    said = server.manage("ingest", str(_published(server, folder, number)), "--project", "demo")
    assert f"XSA-{number} v1: new" in said


def _published(server: Server, folder: Path, number: int) -> Path:
    """Its files, in the published layout: a fix for master of which older branches take one file alone."""
    clone, out = folder / "clone", folder / "in"
    git(folder, "clone", "--quiet", str(server.data / "demo" / "project.git"), "clone")
    for path, edit in EDITS.items():
        (clone / path).write_text(replaced((clone / path).read_text(), [edit]))
    author = ("-c", "user.name=Security Engineer One", "-c", "user.email=one@example.org")
    git(clone, *author, "commit", "--quiet", "--all", "--message", "lib, msr: look first\n\nNeither was looked at.")
    name = f"xsa{number}.patch"
    files = {name: git(clone, "format-patch", "--stdout", "-1")}
    out.mkdir()
    for path, data in advisory(number, title=TITLE, lines=f"{name}    xen-unstable", files=files).items():
        (out / path).write_bytes(data)
    return out


def colleague(server: Server, name: str) -> None:
    """A second person of the security team, with an app of their own, beside the demo's people."""
    words = server.manage("shell", "--verbosity=0", "--command", SECOND.format(name=name)).split()
    password, key = words[words.index("account") + 1 :][:2]
    with (server.data / "demo-accounts.txt").open("a") as file:
        file.write(f"{name} password {password}  key {key}\n")


def in_two_days() -> str:
    """When a claim ends, to the minute, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 2 * 86_400))


@dataclass
class Stranger:
    """Who asks without a name, until the day of the disclosure: nothing of it is there."""

    server: Server
    number: int

    def finds_nothing(self, *paths: str) -> None:
        """Addresses of it answer as ones that were never there do; lists do not name it."""
        own = (
            f"/advisories/{self.number}/",
            f"/api/v1/advisories/{self.number}/",
            f"/advisories/{self.number}/timeline/",
        )
        for path in (*own, *paths):
            status, body = self.server.get(path)
            assert (status, self._told(body)) == (404, False), path
        for path in LISTS:
            status, body = self.server.get(path)
            assert (status, self._told(body)) == (200, False), path

    def _told(self, body: bytes) -> bool:
        return any(word.encode() in body for word in (TITLE, f"XSA-{self.number}", f'"number": {self.number}'))

    def reads(self, path: str, *words: str) -> bytes:
        """An address that is open now, with what is to be read there."""
        status, body = self.server.get(path)
        assert status == 200, path
        for word in words:
            assert word.encode() in body, (path, word)
        return body
