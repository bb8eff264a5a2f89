"""A room with one disclosed and one embargoed advisory, made by the real services from real patches.

Everything about the embargoed one is a word that stands nowhere else: where one of them is read, it leaked.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.test import Client
from django.utils import timezone

from backports.models import (
    Attempt,
    BackportVersion,
    Branch,
    Check,
    Claim,
    Comment,
    Event,
    InboundMail,
    Review,
    Upload,
    Webhook,
)
from backports.services import (
    checking,
    claiming,
    commenting,
    looking,
    outbox,
    receiving,
    reviewing,
    sharing,
    signing,
    webhooks,
)
from backports.services.advisories import ingest
from backports.services.commenting import Where
from backports.services.inbound import handling
from backports.services.inbound.door import receive
from backports.services.outbox import Written
from backports.services.reviewing import Said
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, replaced, table
from tests.mail.letters import mail as letter
from tests.signing import ssh_key, ssh_sign
from tests.xsa.samples import advisory
from xsa.models import Advisory, Fix, FixPatch, Membership, PatchFile, User
from xsa.services import disclosing, plans, rooms
from xsa.services.disclose import disclose
from xsa.services.tokens import create_token

SECRET, KNOWN = 7123, 456
THINGS = (
    "attempt",
    "file",
    "fix",
    "mined",
    "backport",
    "backport_version",
    "upload",
    "broken",
    "webhook",
    "check",
    "claim",
    "event",
    "review",
    "comment",
    "inbound",
)
CANARIES = (
    "canarytitleqzx",
    "CVE-2099-07123",
    "canaryfileqzx",
    "canary_function_qzx",
    "canarysubjectqzx",
    "Canary Person Qzx",
    "canary.person@qzx.example",
    "canarynotesqzx",
    "canaryreviewqzx",
    "canarycommentqzx",
    "canarydiscussionqzx",
    "canarywhyqzx",
    "canarysummaryqzx",
    "canarylogqzx",
    "canarymailqzx",
    "XSA-7123",
)
# Those that the security team alone reads, before and after the disclosure.
TEAMS = frozenset({"canarymailqzx"})
# What of it the keeper alone may read: a file that cannot be read.
KEPT = ("canarybrokenqzx", "canarygarbledqzx")
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
    _backport(row)
    return row


def hide(workshop: Workshop) -> Advisory:
    """The embargoed advisory, tried on every branch but one, where it waits."""
    patch = _patch(workshop, "drop", "canary_function_qzx", "table: canarysubjectqzx\n\ncanarynotesqzx")
    named = patch.replace(b"Security Engineer One <one@example.org>", b"Canary Person Qzx <canary.person@qzx.example>")
    _take(workshop, SECRET, "canarytitleqzx", {f"xsa{SECRET}-canaryfileqzx.patch": named})
    workshop.work()
    Attempt.objects.filter(advisory__number=SECRET, branch__name="4.2").update(state="waiting", outcome="")
    row = Advisory.objects.get(number=SECRET)
    _backport(row)
    return row


def _backport(row: Advisory) -> None:
    """A member's backport of it on 4.1, shared with the room."""
    keeper = User.objects.filter(username="keeper").first() or factories.person("keeper", listed=True)
    keeper.cleared = True
    version = send_draft(keeper, row, "4.1")
    sharing.share(keeper, backport=version.backport)
    _talk(keeper, row)
    _work_on(keeper, row, version)
    _write_to_the_room(row)
    _keep(keeper, row)
    _mine(row)


def _keep(keeper: User, row: Advisory) -> None:
    """What nobody else is told of: a file that cannot be read, and where a token's events are told."""
    place, word = keeper.memberships.get().organisation, _word(row)
    receiving.submit(
        keeper,
        organisation=place,
        name=word.format("broken"),
        data=f"{word.format('garbled')}\n".encode(),
        advisory=row,
        branch=Branch.objects.get(name="4.1", repository__name="toy"),
    )
    ends = timezone.now() + timedelta(days=3)
    token, _ = create_token(
        keeper, organisation=place, name="a hook", expires_at=ends, embargoed=row.embargoed, advisories=[row.number]
    )
    webhooks.add(keeper, token=token, url="https://hooks.example.org/keeper")


def _mine(row: Advisory) -> None:
    """A fix of it on one branch that is known as a commit."""
    branch = Branch.objects.get(name="4.3", repository__name="toy")
    fix = Fix.objects.create(version=row.current, branch=branch.name, origin="mined", digest="0" * 64)
    FixPatch.objects.create(fix=fix, position=0, repository="toy", commit=branch.tip)


def send_draft(user: User, row: Advisory, branch: str) -> BackportVersion:
    """The official patch, sent as a backport of somebody's organisation; a draft."""
    file = PatchFile.objects.get(version__advisory=row, kind="patch")
    received = receiving.submit(
        user,
        organisation=user.memberships.get().organisation,
        name=file.name,
        data=bytes(file.data),
        advisory=row,
        branch=Branch.objects.get(name=branch, repository__name="toy"),
        origin=receiving.Origin(note=_word(row).format("why")),
    )
    assert received.version is not None
    return received.version


def _work_on(keeper: User, row: Advisory, version: BackportVersion) -> None:
    """A machine's check of the backport, and a claim on the next branch."""
    place = keeper.memberships.get().organisation
    word = _word(row)
    keeper.speaks_for = place.pk
    told = {"summary": word.format("summary"), "log_text": f"CC {word.format('log')}\n".encode()}
    checking.post(keeper, version=version, name="build", state="success", **told)
    until = timezone.now() + timedelta(days=1)
    branch = Branch.objects.get(name="4.2", repository__name="toy")
    claiming.claim(keeper, organisation=place, advisory=row, branches=[branch], until=until)
    keeper.speaks_for = None


def _write_to_the_room(row: Advisory) -> None:
    """A mail about the advisory that nobody signed."""
    subject = f"[PATCH XSA-{row.number} 4.1] {_word(row).format('mail')}"
    kept = receive(letter(subject=subject, message_id=f"<{row.number}@member.example>"), via="pipe")
    handling.handle(kept.pk)
    InboundMail.objects.filter(pk=kept.pk).update(advisory=row)


def _talk(keeper: User, row: Advisory) -> None:
    """What the keeper says of the backport, of its first line, and of the advisory."""
    place = keeper.memberships.get().organisation
    word = _word(row)
    version = _kept(row)
    said = Said("comment", word.format("review"), signature=_signature(version))
    reviewing.give(keeper, version=version, organisation=place, said=said)
    first = Where(place=(1, 1, 1, 1))
    commenting.say_of_line(keeper, organisation=place, version=version, where=first, text=word.format("comment"))
    commenting.say(keeper, organisation=place, advisory=row, text=word.format("discussion"))


def _signature(version: BackportVersion) -> str:
    """The keeper's, over a comment on their own backport."""
    with tempfile.TemporaryDirectory() as folder:
        return ssh_sign(ssh_key(Path(folder)), signing.text_to_sign(version, "comment").encode())


def _word(row: Advisory) -> str:
    """What people write about an advisory, to be formatted with the place where it stands."""
    return "canary{}qzx" if row.number == SECRET else "plain {}"


def _take(workshop: Workshop, number: int, title: str, files: dict[str, bytes]) -> None:
    lines = "\n".join(f"{name}    xen-unstable" for name in files)
    ingest(None, files=advisory(number, title=title, lines=lines, files=files), project=workshop.repository.project)


@dataclass(frozen=True)
class People:
    """Those who share the room; that they and their organisations are there is no secret.

    One more of another organisation, the keeper, has a backport of each advisory.
    """

    contact: User
    colleague: User
    team: User


def settle_room() -> None:
    """They exist before there is anything to share."""
    contact = factories.person("room-contact", listed=True)
    colleague = User.objects.create_user("room-colleague")
    Membership.objects.create(user=colleague, organisation=contact.memberships.get().organisation)
    contact.memberships.update(role=Membership.Role.ADMIN)
    factories.person("keeper", listed=True)
    factories.person("room-team", security_team=True)


def people_there() -> People:
    """Those who were settled."""
    contact, colleague, team = (User.objects.get(username=f"room-{name}") for name in ("contact", "colleague", "team"))
    contact.cleared = team.cleared = True
    return People(contact, colleague, team)


def live_in(row: Advisory) -> None:
    """What a room is full of after a while: readings, downloads, statements, tokens, colleagues, requests, dates."""
    people = people_there()
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
    said = Written("canarytitleqzx", "canarynotesqzx, canarysummaryqzx", advisory=row)
    outbox.queue("receipt", event="a mail", organisation=place, written=said)
    _answer_the_keeper(row, people.contact)


def _answer_the_keeper(row: Advisory, contact: User) -> None:
    """Another organisation's part in it: its own draft, a word on the keeper's backport, a claim, what it has seen."""
    place = contact.memberships.get().organisation
    version = _kept(row)
    send_draft(contact, row, "4.2")
    reviewing.give(contact, version=version, organisation=place, said=Said("approve", "canaryreviewqzx"))
    thread = Comment.objects.get(version=version, thread=None)
    commenting.answer(contact, thread=thread, organisation=place, text="canarycommentqzx")
    branch = Branch.objects.get(name="4.3", repository__name="toy")
    until = timezone.now() + timedelta(days=1)
    claiming.claim(contact, organisation=place, advisory=row, branches=[branch], until=until)
    event = Event.objects.filter(advisory=row).latest("position")
    looking.mark(contact, event=event)


def _kept(row: Advisory) -> BackportVersion:
    """The keeper's backport of an advisory, in its one version."""
    rows = BackportVersion.objects.select_related("backport__advisory", "backport__branch__repository", "made_by")
    return rows.get(backport__advisory=row, made_by__username="keeper")


@dataclass(frozen=True)
class Names:
    """What stands for the words in an address, for one of the two advisories."""

    number: int
    words: dict[str, str] = field(default_factory=dict)


def names_of(row: Advisory) -> Names:
    """Ids of everything that hangs on an advisory and has an address."""
    attempt = Attempt.objects.get(advisory=row, branch__name="4.1")
    file = PatchFile.objects.filter(version__advisory=row, kind="patch").get()
    fixes = Fix.objects.filter(version__advisory=row)
    version = _kept(row)
    things = {
        "attempt": attempt,
        "file": file,
        "fix": fixes.get(patches__commit=""),
        "mined": fixes.exclude(patches__commit="").get(),
        "backport": version.backport,
        "backport_version": version,
        "upload": version.upload,
        "broken": Upload.objects.exclude(problem_code="").get(advisory=row),
        "webhook": Webhook.objects.get(token__advisories=[row.number]),
        "review": Review.objects.get(version=version, made_by=version.made_by),
        "comment": Comment.objects.get(version=version, thread=None),
        "check": Check.objects.get(version=version),
        "claim": Claim.objects.get(advisory=row, made_by=version.made_by),
        "inbound": InboundMail.objects.get(advisory=row),
        "event": Event.objects.filter(advisory=row, kind="advisory.version").first(),
    }
    around = {"branch": version.backport.branch, "keeper": version.backport.organisation}
    ids = {name: str(one.pk) for name, one in (things | around).items() if one}
    return Names(row.number, {"number": str(row.number)} | ids)
