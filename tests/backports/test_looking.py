"""How far somebody has read a timeline: only forward, only what they see, and by saying so."""

from __future__ import annotations

import pytest

from backports.models import Event, Look
from backports.services import disclosing, events, looking, stating
from tests import factories
from xsa.identity import reading
from xsa.models import Advisory, Organisation, User


@pytest.fixture
def reader(db: None) -> User:
    return factories.person("reader", listed=True)


@pytest.fixture
def advisory(db: None) -> Advisory:
    return factories.advisory(777, disclosed=False)


def test_what_came_since_is_counted_from_what_was_said_to_be_seen(reader: User, advisory: Advisory) -> None:
    first, second = (events.tell(events.ADVISORY_VERSION, advisory=advisory) for _ in range(2))
    with reading(reader):
        assert looking.unseen(reader, advisory) is None
        looking.mark(reader, event=first)
        assert looking.unseen(reader, advisory) == 1
        looking.mark(reader, event=second)
        looking.mark(reader, event=first)
        assert looking.unseen(reader, advisory) == 0
        assert Look.objects.get().event == second


def test_what_another_organisation_keeps_to_itself_is_not_counted(reader: User, advisory: Advisory) -> None:
    first = events.tell(events.ADVISORY_VERSION, advisory=advisory)
    other = Organisation.objects.create(name="Example Other", listed=True)
    events.tell(events.BACKPORT_VERSION, advisory=advisory, organisation=other, shared=False)
    with reading(reader):
        looking.mark(reader, event=first)
        assert looking.unseen(reader, advisory) == 0
        assert list(looking.timeline(reader, advisory)) == [first]


def test_statements_and_moved_dates_are_on_the_timeline(advisory: Advisory) -> None:
    team = factories.person("team", security_team=True)
    member = factories.person("member", listed=True)
    later = factories.PLANNED.replace(year=2032)
    with reading(member):
        own = member.memberships.get().organisation
        stating.state(member, organisation=own, advisory=advisory, branch="4.8", state="looking")
    with reading(team):
        disclosing.plan_disclosure(team, advisory=advisory, at=later)
        disclosing.plan_disclosure(team, advisory=advisory, at=later)
    assert [row.kind for row in Event.objects.order_by("position")] == ["statement.made", "plan.moved"]
