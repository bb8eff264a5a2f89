"""What organisations keep of their own: each wall alone gives everybody the same rows, and these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction
from django.utils import timezone

from backports.models import Attempt, Backport, BackportVersion, Branch, Repository, Upload, VersionPatch
from backports.services.rehearsal import rehearse
from tests import factories
from tests.xsa.test_rls import admitted
from xsa.identity import everything, reading
from xsa.models import Advisory, Membership, Organisation, User
from xsa.visibility import visible_to

DRAFT, SHARED, KEPT, SUPERSEDED, WITHDRAWN, NEVER_SHARED = "draft", "shared", "kept", "superseded", "withdrawn", "never"
LIVES = (DRAFT, SHARED, KEPT, SUPERSEDED, WITHDRAWN, NEVER_SHARED)
ROOM = {SHARED, KEPT, SUPERSEDED, WITHDRAWN}
ACTORS = ("anonymous", "outsider", "own contact", "own guest", "own member", "other contact", "other member", "team")


class World:
    """Two listed organisations, one that is not, the team, and a backport of the first one in every life."""

    def __init__(self) -> None:
        self.advisory = factories.advisory(777, disclosed=False)
        self.people: dict[str, Any] = {
            "anonymous": AnonymousUser(),
            "outsider": factories.person("outsider"),
            "own contact": factories.person("own", listed=True),
            "other contact": factories.person("other", listed=True),
            "team": factories.person("team", security_team=True),
        }
        self.own = Organisation.objects.get(name="Example own")
        self.people["own member"] = self.join("own-member", "Example own")
        self.people["own guest"] = self.join("own-guest", "Example own")
        admitted(self.people["own guest"], self.advisory)
        self.people["other member"] = self.join("other-member", "Example other")
        repository = factories.repository()
        self.backports = {life: self.backport(repository, life, at) for at, life in enumerate(LIVES)}

    def join(self, name: str, organisation: str) -> User:
        user: User = User.objects.create_user(name)
        Membership.objects.create(user=user, organisation=Organisation.objects.get(name=organisation))
        user.cleared = True
        return user

    def backport(self, repository: Repository, life: str, at: int) -> Backport:
        branch = factories.branch(repository, f"4.{at + 3}")
        row = factories.backport(
            self.advisory,
            branch,
            self.own,
            self.people["own contact"],
            life={KEPT: SHARED, NEVER_SHARED: WITHDRAWN}.get(life, life),
            shared_at=timezone.now() if life in ROOM else None,
            members_only_later=life == KEPT,
        )
        factories.version(row)
        return row

    def disclose(self) -> None:
        Advisory.objects.filter(pk=self.advisory.pk).update(disclosed_at=factories.DAY, disclosure_reason="test")

    def seen(self, actor: str, model: Any = Backport, path: str = "pk") -> set[str]:
        """The lives that an actor sees of a model's rows; both walls are asked, each alone, and must agree."""
        user = self.people[actor]
        rows = model.objects.all()
        pks = {row.pk: life for life, row in self.backports.items()}
        by_application = {pks[pk] for pk in visible_to(user, rows).values_list(path, flat=True)}
        with reading(user):
            by_database = {pks[pk] for pk in rows.values_list(path, flat=True)}
        assert by_application == by_database
        return by_database


@pytest.fixture
def world(db: None) -> World:
    return World()


EMBARGOED = {
    "own contact": set(LIVES),
    "own guest": set(LIVES),
    "other contact": ROOM,
    "team": ROOM,
}
DISCLOSED = {
    **{actor: {SHARED} for actor in ACTORS},
    **{actor: set(LIVES) for actor in ("own contact", "own guest", "own member")},
    **dict.fromkeys(("other contact", "team"), ROOM),
}


@pytest.mark.parametrize("actor", ACTORS)
def test_while_embargoed_drafts_are_the_organisations_and_the_rest_the_rooms(world: World, actor: str) -> None:
    assert world.seen(actor) == EMBARGOED.get(actor, set())


@pytest.mark.parametrize("actor", ACTORS)
def test_disclosure_opens_what_is_shared_and_nothing_that_members_keep(world: World, actor: str) -> None:
    world.disclose()
    assert world.seen(actor) == DISCLOSED[actor]


@pytest.mark.parametrize(("model", "path"), [(BackportVersion, "backport"), (VersionPatch, "version__backport")])
@pytest.mark.parametrize("actor", ACTORS)
def test_versions_and_patches_are_seen_with_their_backport(world: World, actor: str, model: Any, path: str) -> None:
    assert world.seen(actor, model, path) == EMBARGOED.get(actor, set())
    world.disclose()
    assert world.seen(actor, model, path) == DISCLOSED[actor]


def test_a_backport_on_top_of_a_secret_advisory_is_as_secret(world: World) -> None:
    factories.advisory(778, disclosed=False)
    Backport.objects.filter(pk=world.backports[SHARED].pk).update(prerequisites=[778])
    world.disclose()
    assert world.seen("anonymous") == set()
    assert world.seen("own member") == set(LIVES) - {SHARED}
    assert world.seen("team") == ROOM


def test_what_was_sent_on_top_of_a_secret_advisory_is_as_secret(world: World) -> None:
    """Bytes as they came hold the other one's patches too."""
    row = world.backports[DRAFT]
    factories.advisory(778, disclosed=False)
    place = {"advisory": world.advisory, "branch": row.branch, "prerequisites": [778]}
    factories.upload(world.own, world.people["own contact"], **place)
    world.disclose()
    assert [actor for actor in ACTORS if both(world.people[actor], Upload)] == ["own contact"]


def test_leaving_takes_the_sight_along(world: World) -> None:
    Membership.objects.filter(user=world.people["own contact"]).delete()
    assert world.seen("own contact") == set()


def test_without_the_second_factor_nothing_is_ones_own(world: World) -> None:
    world.disclose()
    world.people["own contact"].cleared = False
    assert world.seen("own contact") == {SHARED}


def test_a_token_for_nothing_embargoed_sees_its_own_organisations_drafts_of_what_is_disclosed(world: World) -> None:
    user = world.people["own contact"]
    user.cleared, user.speaks_for = False, world.own.pk
    assert world.seen("own contact") == set()
    world.disclose()
    assert world.seen("own contact") == set(LIVES)


def test_a_token_speaks_for_one_organisation_alone(world: World) -> None:
    user = world.people["own contact"]
    Membership.objects.create(user=user, organisation=Organisation.objects.get(name="Example other"))
    user.cleared, user.speaks_for = False, Organisation.objects.get(name="Example other").pk
    world.disclose()
    assert world.seen("own contact") == {SHARED}


def test_a_token_for_another_advisory_sees_nothing_of_this_one(world: World) -> None:
    user = world.people["own contact"]
    user.only, user.speaks_for = (778,), world.own.pk
    assert world.seen("own contact") == set()
    user.only = (777,)
    assert world.seen("own contact") == set(LIVES)


def test_nobody_but_the_organisation_changes_its_backport(world: World) -> None:
    with reading(world.people["other contact"]):
        assert Backport.objects.filter(life=SHARED).update(members_only_later=True) == 0
    with reading(world.people["own contact"]):
        assert Backport.objects.filter(life=SHARED).update(members_only_later=True) == 2


def test_nobody_makes_a_backport_in_anothers_name(world: World) -> None:
    branch = Branch.objects.first()
    user = world.people["other contact"]
    with reading(user), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        factories.backport(world.advisory, branch, world.own, user, life="withdrawn")


def test_an_upload_is_its_senders_until_it_is_said_what_it_is_for(world: World) -> None:
    world.own.memberships.filter(user=world.people["own member"]).update(contact=True)
    upload = factories.upload(world.own, world.people["own contact"])
    assert uploads(world, "own contact") == 1
    assert [uploads(world, actor) for actor in ("own member", "team", "other contact", "anonymous")] == [0] * 4
    Upload.objects.filter(pk=upload.pk).update(advisory=world.advisory)
    assert [uploads(world, actor) for actor in ("own contact", "own member", "own guest")] == [1] * 3
    assert [uploads(world, actor) for actor in ("team", "other contact", "anonymous")] == [0] * 3
    world.disclose()
    assert [uploads(world, actor) for actor in ("team", "other contact", "anonymous")] == [0] * 3


def uploads(world: World, actor: str) -> int:
    return both(world.people[actor], Upload)


def both(user: Any, model: Any) -> int:
    by_application = visible_to(user, model.objects.all()).count()
    with reading(user):
        assert model.objects.count() == by_application
    return int(by_application)


@contextmanager
def private(world: World, visibility: str) -> Iterator[Repository]:
    row = factories.repository("own_xen", organisation=world.own, visibility=visibility)
    branch = factories.branch(row)
    Repository.objects.exclude(pk=row.pk).delete()
    factories.attempt(world.advisory, branch)
    factories.attempt(factories.advisory(456), branch)
    yield row


SIGHT = {
    "organisation": {"own contact", "own guest", "own member"},
    "room": {"own contact", "own guest", "own member", "other contact", "other member", "team"},
}


@pytest.mark.parametrize("visibility", ["organisation", "room"])
@pytest.mark.parametrize("actor", ACTORS)
def test_a_members_branch_is_its_own_or_all_members(world: World, actor: str, visibility: str) -> None:
    with private(world, visibility):
        there = int(actor in SIGHT[visibility])
        user = world.people[actor]
        assert both(user, Repository) == both(user, Branch) == there
        knows = actor in EMBARGOED
        assert both(user, Attempt) == there * (1 + knows)


def test_an_attempt_on_a_members_branch_asks_both_rules(world: World) -> None:
    with private(world, "room"):
        world.disclose()
        assert both(world.people["anonymous"], Attempt) == 0
        assert both(world.people["other member"], Attempt) == 2


def test_a_password_alone_shows_no_members_branch(world: World) -> None:
    user = world.people["own contact"]
    user.cleared = False
    with private(world, "room"):
        assert both(user, Repository) == 0


def test_who_left_the_list_sees_no_branch_of_others(world: World) -> None:
    with private(world, "room"):
        Organisation.objects.update(listed=False)
        assert both(world.people["other contact"], Repository) == 0
        assert both(world.people["own contact"], Repository) == 1


def test_services_see_every_branch(world: World) -> None:
    with private(world, "organisation"), everything("repositories"):
        assert Repository.objects.count() == 1


def test_a_rehearsal_names_what_opens_and_counts_no_draft_of_others(world: World) -> None:
    with reading(world.people["team"]):
        found = rehearse(world.advisory)
    assert list(found.backports) == [world.backports[SHARED]]
    parts = {part.name: (part.opens, part.stays) for part in found.parts}
    assert parts["members' backports"] == parts["versions of members' backports"] == (1, len(ROOM) - 1)
    assert world.seen("anonymous") == set()
