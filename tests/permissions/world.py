"""A room with one disclosed and one embargoed advisory, made by the real services from real patches.

Everything about the embargoed one is a word that stands nowhere else: where one of them is read, it leaked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from backports.models import Attempt
from backports.services.advisories import ingest
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, replaced, table
from tests.xsa.samples import advisory
from xsa.models import Advisory, Fix, Membership, PatchFile, User
from xsa.services import disclosing, plans, rooms
from xsa.services.disclose import disclose
from xsa.services.tokens import create_token

SECRET, KNOWN = 7123, 456
CANARIES = (
    "canarytitleqzx",
    "CVE-2099-07123",
    "canaryfileqzx",
    "canary_function_qzx",
    "canarysubjectqzx",
    "Canary Person Qzx",
    "canary.person@qzx.example",
    "canarynotesqzx",
    "XSA-7123",
)
_LIMIT = "    unsigned int table_{0}_limit = toy->table_{0}_count;\n\n"


def _patch(workshop: Workshop, verb: str, check: str, subject: str) -> bytes:
    limit = _LIMIT.format(verb)
    edits: Edits = {
        "common/table.c": [(limit, f"{limit}    if ( {check}(table_{verb}_index) )\n        return -1;\n\n")]
    }
    assert replaced(table(), edits["common/table.c"])  # type: ignore[arg-type]
    return workshop.toy.patch("master", edits, subject)


def publish(workshop: Workshop) -> Advisory:
    """The disclosed advisory, tried on every branch."""
    files = {f"xsa{KNOWN}.patch": _patch(workshop, "pick", "toy_check", "table: check what is picked")}
    _take(workshop, KNOWN, "guests can pick", files)
    row = Advisory.objects.get(number=KNOWN)
    disclose(None, advisory=row, reason="public", at=row.created_at)
    workshop.work()
    return row


def hide(workshop: Workshop) -> Advisory:
    """The embargoed advisory, tried on every branch but one, where it waits."""
    patch = _patch(workshop, "drop", "canary_function_qzx", "table: canarysubjectqzx\n\ncanarynotesqzx")
    named = patch.replace(b"Security Engineer One <one@example.org>", b"Canary Person Qzx <canary.person@qzx.example>")
    _take(workshop, SECRET, "canarytitleqzx", {f"xsa{SECRET}-canaryfileqzx.patch": named})
    workshop.work()
    Attempt.objects.filter(advisory__number=SECRET, branch__name="4.2").update(state="waiting", outcome="")
    return Advisory.objects.get(number=SECRET)


def _take(workshop: Workshop, number: int, title: str, files: dict[str, bytes]) -> None:
    lines = "\n".join(f"{name}    xen-unstable" for name in files)
    ingest(None, files=advisory(number, title=title, lines=lines, files=files), project=workshop.repository.project)


@dataclass(frozen=True)
class People:
    """Those who share the room; that they and their organisations are there is no secret."""

    contact: User
    colleague: User
    team: User


def room_people() -> People:
    """They exist before there is anything to share."""
    contact = factories.person("room-contact", listed=True)
    colleague = User.objects.create_user("room-colleague")
    Membership.objects.create(user=colleague, organisation=contact.memberships.get().organisation)
    contact.memberships.update(role=Membership.Role.ADMIN)
    return People(contact, colleague, factories.person("room-team", security_team=True))


def people_there() -> People:
    """The same, where they exist already."""
    contact, colleague, team = (User.objects.get(username=f"room-{name}") for name in ("contact", "colleague", "team"))
    contact.cleared = team.cleared = True
    return People(contact, colleague, team)


def live_in(row: Advisory, people: People) -> None:
    """What a room is full of after a while: readings, downloads, statements, tokens, colleagues, requests, dates."""
    reader = factories.log_in(Client(), people.contact)
    names = names_of(row).words
    for path in (
        "/advisories/{number}/",
        "/attempts/{attempt}/",
        "/attempts/{attempt}/result.patch",
        "/files/{file}/raw",
    ):
        assert reader.get(path.format(**names)).status_code == 200
    place = people.contact.memberships.get().organisation
    rooms.admit(people.contact, membership=people.colleague.memberships.get(), advisory=row)
    rooms.state(people.contact, organisation=place, advisory=row, branch="4.1", state="looking")
    ends = timezone.now() + timedelta(days=3)
    create_token(
        people.contact, organisation=place, name="a script", expires_at=ends, embargoed=True, advisories=[row.number]
    )
    plans.note_plan(None, advisory=row, at=ends)
    disclosing.ask(people.team, advisory=row, reason="canarynotesqzx")


@dataclass(frozen=True)
class Names:
    """What stands for the words in an address, for one of the two advisories."""

    number: int
    words: dict[str, str] = field(default_factory=dict)


def names_of(row: Advisory) -> Names:
    """Ids of everything that hangs on an advisory and has an address."""
    attempt = Attempt.objects.get(advisory=row, branch__name="4.1")
    file = PatchFile.objects.filter(version__advisory=row, kind="patch").get()
    fix = Fix.objects.filter(version__advisory=row).get()
    return Names(
        row.number, {"number": str(row.number), "attempt": str(attempt.pk), "file": str(file.pk), "fix": str(fix.pk)}
    )
