"""Who sees claims, checks, what is required of a branch, and how far somebody has read: both walls, each alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from backports.models import Check, Claim, Event, Look, RequiredCheck
from backports.services import events
from backports.services.rehearsal import rehearse
from backports.web.timeline import KINDS
from tests import factories
from tests.xsa.test_owned import ACTORS, DISCLOSED, DRAFT, EMBARGOED, SHARED, World, both
from xsa.identity import reading

ROOM = {"own contact", "own guest", "other contact", "team"}


@pytest.fixture
def world(db: None) -> World:
    return World()


def claim(world: World) -> Claim:
    row, now = world.backports[SHARED], timezone.now()
    made = {"made_by": world.people["own contact"], "made_at": now, "until": now + timedelta(days=1)}
    return Claim.objects.create(advisory=row.advisory, branch=row.branch, organisation=world.own, **made)


@pytest.mark.parametrize("disclosed", [False, True])
@pytest.mark.parametrize("actor", ACTORS)
def test_claims_are_the_rooms_also_after_disclosure(world: World, actor: str, disclosed: bool) -> None:
    claim(world)
    if disclosed:
        world.disclose()
    assert both(world.people[actor], Claim) == int(actor in ROOM)


@pytest.mark.parametrize("actor", ACTORS)
def test_a_check_is_as_secret_as_the_patches_that_it_is_of(world: World, actor: str) -> None:
    for life in (DRAFT, SHARED):
        factories.check(world.backports[life].versions.get())
    assert both(world.people[actor], Check) == len(EMBARGOED.get(actor, set()) & {DRAFT, SHARED})
    world.disclose()
    assert both(world.people[actor], Check) == len(DISCLOSED[actor] & {DRAFT, SHARED})


@pytest.mark.parametrize("actor", ACTORS)
def test_how_far_somebody_has_read_is_their_own(world: World, actor: str) -> None:
    reader = world.people["own contact"]
    looked(world, reader)
    assert both(world.people[actor], Look) == int(actor == "own contact")


def looked(world: World, reader: Any) -> Look:
    event = Event.objects.create(position=1, at=factories.DAY, kind="backport.shared", advisory=world.advisory)
    return Look.objects.create(advisory=world.advisory, user=reader, event=event, at=factories.DAY)


def test_nobody_marks_in_anothers_name(world: World) -> None:
    with (
        reading(world.people["team"]),
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
    ):
        looked(world, world.people["own contact"])


def test_a_rehearsal_does_not_count_how_far_others_have_read(world: World) -> None:
    looked(world, world.people["own contact"])
    with reading(world.people["team"]):
        assert "notes of how far people have read" not in [part.name for part in rehearse(world.advisory).parts]


def test_the_timeline_has_words_for_every_kind_of_event() -> None:
    assert set(KINDS) == set(events.KINDS)


@pytest.mark.parametrize("actor", ACTORS)
def test_what_a_branch_requires_is_seen_with_the_branch(world: World, actor: str) -> None:
    private = factories.branch(factories.repository("own_xen", organisation=world.own, visibility="organisation"))
    for branch in (private, world.backports[SHARED].branch):
        setter = world.people["own contact"]
        RequiredCheck.objects.create(branch=branch, name="build", set_by=setter, set_at=factories.DAY)
    own = actor in {"own contact", "own guest", "own member"}
    assert both(world.people[actor], RequiredCheck) == 1 + own
