"""Somebody who acts for one organisation alone: by mail, or whose eyes its mail is made with."""

from __future__ import annotations

from .models import Admission, Membership, Organisation, User

NONE = (0,)  # the number of no advisory


def speak_for(person: User, organisation: Organisation) -> User:
    """The person as a member of this organisation: what they see by another membership of theirs is not shown.

    Whoever calls it answers for the proof that a second factor gives elsewhere. Somebody who is no member is shown
    what is disclosed.
    """
    row = Membership.objects.select_related("organisation").filter(user=person, organisation=organisation).first()
    person.cleared, person.speaks_for = row is not None, organisation.pk
    person.only = () if row is not None and _sees_all(row) else _admitted(row)
    return person


def _sees_all(row: Membership) -> bool:
    return row.organisation.security_team or (row.contact and row.organisation.listed)


def _admitted(row: Membership | None) -> tuple[int, ...]:
    if row is None or not row.organisation.listed:
        return NONE
    return tuple(Admission.objects.filter(membership=row).values_list("advisory__number", flat=True)) or NONE
