"""A room with one disclosed and one embargoed advisory, made by the real services from real patches.

Everything about the embargoed one is a word that stands nowhere else: where one of them is read, it leaked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from backports.models import Attempt, BackportVersion, Branch, Check, Claim, Comment, Event, Review
from backports.services import checking, claiming, commenting, receiving, reviewing, sharing
from backports.services.advisories import ingest
from backports.services.commenting import Where
from backports.services.reviewing import Said
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, replaced, table
from tests.xsa.samples import advisory
from xsa.models import Advisory, Fix, PatchFile, User
from xsa.services.disclose import disclose

SECRET, KNOWN = 7123, 456
THINGS = (
    "attempt",
    "file",
    "fix",
    "backport",
    "backport_version",
    "upload",
    "check",
    "claim",
    "event",
    "review",
    "comment",
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
    file = PatchFile.objects.get(version__advisory=row, kind="patch")
    received = receiving.submit(
        keeper,
        organisation=keeper.memberships.get().organisation,
        name=file.name,
        data=bytes(file.data),
        advisory=row,
        branch=Branch.objects.get(name="4.1", repository__name="toy"),
    )
    assert received.version is not None
    sharing.share(keeper, backport=received.version.backport)
    _talk(keeper, row, received.version)
    _work_on(keeper, row, received.version)


def _work_on(keeper: User, row: Advisory, version: BackportVersion) -> None:
    """A machine's check of the backport, and a claim on the next branch."""
    place = keeper.memberships.get().organisation
    title = row.current.title if row.current else ""
    keeper.speaks_for = place.pk
    told = f"CC {title}\n".encode()
    checking.post(keeper, version=version, name="build", state="success", summary=title, log_text=told)
    until = timezone.now() + timedelta(days=1)
    branch = Branch.objects.get(name="4.2", repository__name="toy")
    claiming.claim(keeper, organisation=place, advisory=row, branches=[branch], until=until)
    keeper.speaks_for = None


def _talk(keeper: User, row: Advisory, version: BackportVersion) -> None:
    """What the keeper says of the backport, of its first line, and of the advisory."""
    place = keeper.memberships.get().organisation
    word = "canary{}qzx" if row.number == SECRET else "plain {}"
    version = BackportVersion.objects.select_related("backport__advisory", "backport__branch__repository").get(
        pk=version.pk
    )
    said = Said("comment", word.format("review"))
    reviewing.give(keeper, version=version, organisation=place, said=said)
    first = Where(place=(1, 1, 1, 1))
    commenting.say_of_line(keeper, organisation=place, version=version, where=first, text=word.format("comment"))
    commenting.say(keeper, organisation=place, advisory=row, text=word.format("discussion"))


def _take(workshop: Workshop, number: int, title: str, files: dict[str, bytes]) -> None:
    lines = "\n".join(f"{name}    xen-unstable" for name in files)
    ingest(None, files=advisory(number, title=title, lines=lines, files=files), project=workshop.repository.project)


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
    version = BackportVersion.objects.select_related("backport").get(backport__advisory=row)
    things = {
        "attempt": attempt,
        "file": file,
        "fix": fix,
        "backport": version.backport,
        "backport_version": version,
        "upload": version.upload,
        "review": Review.objects.get(version=version),
        "comment": Comment.objects.get(version=version),
        "check": Check.objects.get(version=version),
        "claim": Claim.objects.get(advisory=row),
        "event": Event.objects.filter(advisory=row, kind="advisory.version").first(),
    }
    return Names(row.number, {"number": str(row.number)} | {name: str(one.pk) for name, one in things.items() if one})
