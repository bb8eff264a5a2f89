"""A world for digests: advisories with everything that a digest tells of, each thing with a word of its own.

`homes` says of each word where its thing is shown: whoever may read the word gets that page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from backports.models import Attempt, Backport, Branch, Claim
from backports.services import events
from tests import factories
from tests.mail.conftest import give_key
from tests.pgp.keys import Correspondent
from xsa.models import Admission, Advisory, Membership, Organisation, PlannedDate, User

NUMBERS = (501, 502, 503)
READERS = ("team", "contact", "keeper", "guest", "member", "outsider", "unlisted")


@dataclass
class World:
    """`homes`: the page of each secret word. `people` by name; `reader` is the mail program of them all."""

    reader: Correspondent
    homes: dict[str, str] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    advisories: list[Advisory] = field(default_factory=list)
    backports: list[Backport] = field(default_factory=list)

    def place(self, name: str) -> Organisation:
        found: Organisation = self.people[name].memberships.get().organisation
        return found


def make(reader: Correspondent) -> World:
    """Everybody and everything; advisories are embargoed, backports drafts."""
    world = World(reader)
    for name in READERS:
        contact = name not in ("guest", "member")
        listed = name not in ("outsider", "unlisted")
        user = factories.person(name, listed=listed, security_team=name == "team", contact=contact)
        User.objects.filter(pk=user.pk).update(email=f"{name}@reader.example")
        Organisation.objects.filter(memberships__user=user).update(role_address=f"role@{name}.example")
        Authenticator.objects.create(user=user, type="totp", data={})
        world.people[name] = user
    upstream = factories.repository("xen")
    branch = factories.branch(upstream, "4.11")
    own = factories.repository("keeper-xen", project="xen", organisation=world.place("keeper"))
    own_branch = factories.branch(own, "4.10")
    for number in NUMBERS:
        _advisory(world, number, branch, own_branch)
    return world


def _advisory(world: World, number: int, branch: Branch, own_branch: Branch) -> None:
    now = timezone.now()
    row = factories.advisory(number, disclosed=False, title=f"canarytitle{number}qzx")
    at = now + timedelta(hours=47, minutes=number - 500)
    Advisory.objects.filter(pk=row.pk).update(planned_disclosure_at=at)
    row.planned_disclosure_at = at
    file = factories.patch_file(row, f"xsa{number}.patch", f"canaryfile{number}qzx\n".encode())
    world.homes |= {
        f"canarytitle{number}qzx": f"/advisories/{number}/",
        f"canaryfile{number}qzx": f"/files/{file.pk}/raw",
    }
    world.advisories.append(row)
    plan = PlannedDate.objects.create(
        advisory=row, planned_at=at, moved_from=at - timedelta(days=1), version=1, set_at=now
    )
    events.tell(events.ADVISORY_VERSION, advisory=row, thing=row.current.pk)
    events.tell(events.PLAN_MOVED, advisory=row, thing=plan.pk)
    tried: Attempt = factories.attempt(row, own_branch)
    keeper = world.place("keeper")
    events.tell(events.ATTEMPT_FINISHED, advisory=row, branch=own_branch, thing=tried.pk, organisation=None)
    backport = factories.backport(row, branch, keeper, world.people["keeper"])
    version = factories.version(backport, data=f"canarybackport{number}qzx\n".encode())
    world.homes[f"canarybackport{number}qzx"] = f"/backports/{backport.pk}/"
    world.backports.append(backport)
    check = factories.check(version, "failure", name=f"canarycheck{number}qzx")
    world.homes[f"canarycheck{number}qzx"] = f"/checks/{check.pk}/"
    until = now + timedelta(hours=20)
    Claim.objects.create(
        advisory=row, branch=branch, organisation=keeper, made_by=world.people["keeper"], made_at=now, until=until
    )
    events.tell(events.CHECK_RESULT, advisory=row, branch=branch, thing=check.pk, organisation=keeper, shared=False)


def share(world: World, backport: Backport, *, members_only: bool = False) -> None:
    """The keeper shares a backport."""
    values = {"life": "shared", "shared_at": timezone.now(), "members_only_later": members_only}
    Backport.objects.filter(pk=backport.pk).update(**values)
    events.tell(
        events.BACKPORT_SHARED,
        advisory=backport.advisory,
        branch=backport.branch,
        thing=backport.pk,
        organisation=world.place("keeper"),
    )


def renew(world: World, backport: Backport) -> None:
    """The keeper adds a version, with a word of its own."""
    shared = Backport.objects.filter(pk=backport.pk, life="shared").exists()
    number = backport.versions.count() + 1
    word = f"canaryversion{backport.advisory.number}qzx"
    version = factories.version(backport, number, data=f"{word} v{number}\n".encode())
    world.homes[word] = f"/backports/{backport.pk}/"
    events.tell(
        events.BACKPORT_VERSION,
        advisory=backport.advisory,
        branch=backport.branch,
        thing=version.pk,
        organisation=world.place("keeper"),
        shared=shared,
    )


def change(world: World, random: Random) -> None:
    """Who may see what, as it may come to be: by chance, several at once."""
    for backport in world.backports:
        if random.random() < 0.6:
            share(world, backport, members_only=random.random() < 0.3)
        if random.random() < 0.3:
            renew(world, backport)
        if random.random() < 0.15:
            Backport.objects.filter(pk=backport.pk).update(life="withdrawn")
    for row in world.advisories:
        if random.random() < 0.3:
            values: dict[str, Any] = {"disclosed_at": timezone.now(), "disclosure_reason": "test"}
            Advisory.objects.filter(pk=row.pk).update(**values)
            row.refresh_from_db()
            events.tell(events.ADVISORY_DISCLOSED, advisory=row)
        if random.random() < 0.5:
            Admission.objects.create(
                advisory=row, membership=world.people["guest"].memberships.get(), admitted_by=world.people["team"]
            )


def change_after(world: World, random: Random, name: str) -> None:
    """What may befall a reader between the writing of a mail and its sending."""
    chance = random.random()
    memberships = Membership.objects.filter(user=world.people[name])
    if chance < 0.1:
        Organisation.objects.filter(memberships__in=memberships).update(listed=False)
    elif chance < 0.2:
        Admission.objects.filter(membership__in=memberships).delete()
    elif chance < 0.3 and name != "team":
        Admission.objects.filter(membership__in=memberships).delete()
        memberships.delete()
    elif chance < 0.35:
        User.objects.filter(pk=world.people[name].pk).update(is_active=False)
    elif chance < 0.4:
        memberships.update(contact=False)


def keys_by_chance(world: World, random: Random, name: str) -> None:
    """A good key mostly; else one that is over, revoked, weak or broken, or none."""
    holders = (world.people[name], world.place(name))
    state = random.choice(["usable"] * 6 + ["over", "revoked", "weak", "broken", "none"])
    for holder in holders:
        if state == "over":
            give_key(holder, world.reader, expires_at=timezone.now() - timedelta(hours=1))
        elif state != "none":
            give_key(holder, world.reader, state=state)
