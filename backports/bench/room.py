"""A full room about one embargoed advisory, made of rows alone, to measure on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from backports.models import Attempt, Branch, Repository
from xsa.models import Advisory, AdvisoryVersion, Fix, FixPatch, Membership, Organisation, PatchFile, Statement, User

NUMBER = 9001
BRANCHES = 40
ORGANISATIONS = 60
LINES = 400  # of each attempt's evidence, which makes about 30 kilobytes
OID = "1234567890abcdef1234567890abcdef12345678"
DAY = datetime(2024, 5, 7, 12, 0, tzinfo=UTC)


def make_room(attempts: int, *, speaking: int = ORGANISATIONS) -> tuple[Advisory, User, User]:
    """The advisory with so many attempts, statements of so many of the organisations on every branch, and two of the
    team.
    """
    advisory = _advisory()
    branches = _branches()
    Attempt.objects.bulk_create(_attempt(advisory, branches, turn) for turn in range(attempts))
    members = [member(f"member-{turn}", listed=True) for turn in range(ORGANISATIONS)]
    Statement.objects.bulk_create(
        Statement(
            advisory=advisory,
            organisation=who.memberships.get().organisation,
            branch=branch.name,
            state="looking",
            made_by=who,
            made_at=DAY,
        )
        for who in members[:speaking]
        for branch in branches
    )
    return advisory, *_team()


def _advisory() -> Advisory:
    later = timezone.now() + timedelta(days=14)
    row = Advisory.objects.create(number=NUMBER, planned_disclosure_at=later)
    row.current = AdvisoryVersion.objects.create(advisory=row, number=1, title="a bench", digest="0" * 64)
    row.save(update_fields=["current"])
    for name in ("master", "4.17", "4.16"):
        data = f"--- a/{name}\n".encode()
        file = PatchFile.objects.create(
            version=row.current, name=f"{name}.patch", kind="patch", sha256=OID, size=len(data), data=data
        )
        fix = Fix.objects.create(version=row.current, branch=name, origin="resolution", digest=f"{name:0<64}")
        FixPatch.objects.create(fix=fix, position=0, file=file)
    return row


def _branches() -> list[Branch]:
    repository = Repository.objects.create(name="bench", project="bench", url="https://git.example.org/bench.git")
    return [
        Branch.objects.create(
            repository=repository, name=f"4.{turn}", ref=f"refs/heads/{turn}", tip=OID, tip_date=DAY, rank=400 + turn
        )
        for turn in range(BRANCHES)
    ]


def _attempt(advisory: Advisory, branches: list[Branch], turn: int) -> Attempt:
    """One for each branch is its cell; the others are history."""
    return Attempt(
        advisory=advisory,
        branch=branches[turn % BRANCHES],
        current=turn < BRANCHES,
        state=Attempt.State.DONE,
        outcome="applied",
        rung="exact",
        confidence="high",
        input_key=f"{turn:064}",
        tip=OID,
        seen_tip=OID,
        because="bench",
        finished_at=DAY,
        evidence={
            "sources": [],
            "patches": [],
            "cut": False,
            "told": [f"line {line}: " + "x" * 60 for line in range(LINES)],
        },
    )


def member(name: str, *, listed: bool = False, team: bool = False) -> User:
    """A contact of an organisation of their own, or of the security team's, with a second factor."""
    user = User.objects.create_user(name)
    place = Organisation.objects.filter(security_team=True).first() if team else None
    place = place or Organisation.objects.create(name=f"Example {name}", listed=listed, security_team=team)
    Membership.objects.create(user=user, organisation=place, contact=True)
    user.cleared = True
    return user


def _team() -> tuple[User, User]:
    return member("asks", team=True), member("confirms", team=True)
