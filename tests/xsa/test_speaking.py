"""Whoever acts for one organisation sees nothing by another membership of theirs; asked of both walls."""

from __future__ import annotations

import pytest

from tests import factories
from xsa.identity import reading
from xsa.models import Advisory, Membership, Organisation, User
from xsa.speaking import speak_for
from xsa.visibility import visible_advisories

pytestmark = pytest.mark.django_db
NUMBERS = (801, 802, 803)


@pytest.fixture
def person() -> User:
    """A contact of a listed organisation, who belongs to others too; 803 is disclosed."""
    for number in NUMBERS:
        factories.advisory(number, disclosed=number == NUMBERS[-1])
    user = factories.person("both", listed=True)
    for name, listed in (("unlisted", False), ("second", True)):
        place = Organisation.objects.create(name=name, listed=listed)
        Membership.objects.create(user=user, organisation=place, contact=name == "unlisted")
    return user


def seen(user: User, name: str) -> tuple[list[int], list[int]]:
    """What the application and what the database shows them, as a member of one."""
    speak_for(user, Organisation.objects.get(name=name))
    with reading(user):
        rows = (visible_advisories(user), Advisory.objects.all())
        return tuple(sorted(one.values_list("number", flat=True)) for one in rows)  # type: ignore[return-value]


def test_a_contact_of_a_listed_organisation_sees_all_for_it_alone(person: User) -> None:
    assert seen(person, "Example both") == (list(NUMBERS), list(NUMBERS))
    assert seen(person, "unlisted") == ([803], [803])
    assert seen(person, "second") == ([803], [803])


def test_who_was_let_in_sees_that_for_the_organisation_that_let_them_in(person: User) -> None:
    membership = Membership.objects.get(user=person, organisation__name="second")
    membership.admissions.create(advisory=Advisory.objects.get(number=801), admitted_by=person)
    assert seen(person, "second") == ([801, 803], [801, 803])
    assert seen(person, "unlisted") == ([803], [803])
    Organisation.objects.filter(name="second").update(listed=False)
    assert seen(person, "second") == ([803], [803])


def test_who_is_no_member_sees_what_is_disclosed(person: User) -> None:
    Membership.objects.filter(user=person, organisation__name="Example both").delete()
    assert seen(person, "Example both") == ([803], [803])
    assert not person.cleared
