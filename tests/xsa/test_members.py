"""Coming and going: an invitation is good once and for one address, and leaving takes everything along or nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from tests import factories
from xsa import audit
from xsa.identity import everything
from xsa.models import Admission, ApiToken, AuditRecord, Invitation, Membership, Organisation, Session, User
from xsa.services import invitations, members, tokens

PASSWORD = "a password of four words"
ADDRESS = "engineer@member.example"


@pytest.fixture
def organisation(db: None) -> Organisation:
    return members.create_organisation(None, name="Example Member", listed=True)


def invited(organisation: Organisation, **values: Any) -> str:
    """The token of a new invitation."""
    row = invitations.invite(None, **({"organisation": organisation, "email": ADDRESS} | values))
    token = invitations.make_token(row)
    assert token
    return token


def accept(token: str, actor: User | None = None, username: str = "new-engineer") -> User:
    return invitations.accept(actor, token=token, username=username, password=PASSWORD)


def test_an_invitation_opens_an_account_in_the_organisation(organisation: Organisation) -> None:
    token = invited(organisation, email="Engineer@Member.example ", role="admin", contact=True)
    person = accept(token)
    membership = person.memberships.get()
    assert (person.email, membership.organisation) == (ADDRESS, organisation)
    assert (membership.role, membership.contact) == ("admin", True)
    assert person.check_password(PASSWORD)


def test_only_a_digest_of_the_token_is_kept(organisation: Organisation) -> None:
    token = invited(organisation)
    row = Invitation.objects.get()
    assert token not in str(Invitation.objects.filter(pk=row.pk).values().get())
    assert len(row.token_hash) == 64


def refused(token: str, actor: User | None = None) -> None:
    before = (User.objects.count(), Membership.objects.count())
    with pytest.raises(invitations.InvitationRefused):
        accept(token, actor, "somebody-else")
    assert (User.objects.count(), Membership.objects.count()) == before


def test_it_works_once(organisation: Organisation) -> None:
    token = invited(organisation)
    accept(token)
    refused(token)


def test_it_ends_by_itself_by_hand_and_by_a_newer_one(organisation: Organisation) -> None:
    over = invited(organisation)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused(over)
    replaced, newer = invited(organisation), invited(organisation)
    refused(replaced)
    invitations.revoke(factories.person("team", security_team=True), invitation=Invitation.objects.latest("created_at"))
    refused(newer)
    refused("")
    refused("made-up" * 1000)
    assert invitations.make_token(Invitation.objects.latest("created_at")) is None


def test_it_lasts_a_week(organisation: Organisation) -> None:
    invited(organisation)
    row = Invitation.objects.get()
    assert timedelta(days=6, hours=23) < row.expires_at - timezone.now() <= timedelta(days=7)


def test_another_account_cannot_use_it(organisation: Organisation) -> None:
    refused(invited(organisation), factories.person("stranger"))


def test_an_address_with_an_account_joins_by_that_account_alone(organisation: Organisation) -> None:
    known = factories.person("known")
    User.objects.filter(pk=known.pk).update(email="Engineer@member.example")
    known.refresh_from_db()
    token = invited(organisation)
    refused(token)
    assert accept(token, known) == known
    assert known.memberships.filter(organisation=organisation).exists()
    assert User.objects.filter(email__iexact=ADDRESS).count() == 1


def test_a_name_that_is_taken_uses_nothing_up(organisation: Organisation) -> None:
    factories.person("taken")
    token = invited(organisation)
    with pytest.raises(invitations.NameTaken):
        accept(token, username="Taken")
    accept(token)


def test_an_organisation_that_left_takes_nobody_in(organisation: Organisation) -> None:
    token = invited(organisation)
    Organisation.objects.update(left_at=timezone.now())
    refused(token)


def test_two_who_accept_at_once_make_one_member(committed_db: None) -> None:
    organisation = members.create_organisation(None, name="Example Member", listed=True)
    token, ready, came = invited(organisation), threading.Barrier(2), []

    def come(name: str) -> None:
        ready.wait()
        try:
            with everything("tests"):
                came.append(accept(token, username=name))
        except invitations.InvitationRefused:
            pass
        finally:
            connections.close_all()

    both = [threading.Thread(target=come, args=(name,)) for name in ("one", "two")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(came) == 1
    assert list(Membership.objects.values_list("user", flat=True)) == [came[0].pk]
    assert User.objects.count() == 1


# -- leaving ----------------------------------------------------------------------------------------------------------


class Room:
    """A member with everything that a membership gives, and a second admin who stays."""

    def __init__(self) -> None:
        self.team = factories.person("team", security_team=True)
        self.person = factories.person("leaver", listed=True)
        self.person.email = ADDRESS
        self.person.save()
        self.membership = self.person.memberships.get()
        self.organisation = self.membership.organisation
        self.secret = factories.advisory(777, disclosed=False)
        self.client = factories.log_in(Client(), self.person)
        Admission.objects.create(advisory=self.secret, membership=self.membership, admitted_by=self.team)
        ends = timezone.now() + timedelta(days=3)
        values = {"organisation": self.organisation, "name": "robot", "expires_at": ends}
        self.token, self.key = tokens.create_token(self.person, **values)
        invitations.invite(self.person, organisation=self.organisation, email="friend@member.example")

    def whats_left(self) -> dict[str, int]:
        return {
            "memberships": Membership.objects.filter(user=self.person).count(),
            "sessions": Session.objects.filter(user=self.person).count(),
            "tokens": ApiToken.objects.filter(user=self.person, ended_at=None).count(),
            "admissions": Admission.objects.count(),
            "invitations": Invitation.objects.filter(revoked_at=None).count(),
            "listed": int(Organisation.objects.get(pk=self.organisation.pk).listed),
        }


EVERYTHING = {"memberships": 1, "sessions": 1, "tokens": 1, "admissions": 1, "invitations": 1, "listed": 1}
NOTHING = dict.fromkeys(EVERYTHING, 0)


@pytest.fixture
def room(db: None) -> Room:
    made = Room()
    assert made.whats_left() == EVERYTHING
    assert made.client.get("/advisories/777/").status_code == 200
    return made


def test_a_person_who_leaves_leaves_nothing_that_opens(room: Room) -> None:
    members.remove_person(room.team, membership=room.membership)
    assert room.whats_left() == NOTHING | {"listed": 1}
    assert room.client.get("/advisories/777/").status_code == 404
    assert room.client.get("/account/").status_code == 302
    assert tokens.authenticate(room.key) is None


def test_an_organisation_off_the_list_keeps_its_people_and_nothing_that_opens(room: Room) -> None:
    members.remove_organisation(room.team, organisation=room.organisation)
    assert room.whats_left() == NOTHING | {"memberships": 1}
    assert factories.log_in(Client(), room.person).get("/advisories/777/").status_code == 404


def test_an_organisation_that_leaves_whole_leaves_a_name(room: Room) -> None:
    members.remove_organisation(room.team, organisation=room.organisation, whole=True)
    assert room.whats_left() == NOTHING
    assert room.organisation.name not in Client().get("/organisations/").content.decode()


def test_an_admin_who_sees_no_room_removes_a_colleague_who_does(room: Room) -> None:
    admin = User.objects.create_user("admin", "", "a long enough password")
    Membership.objects.create(user=admin, organisation=room.organisation, role="admin")
    client = factories.log_in(Client(), admin)
    assert client.get("/advisories/777/").status_code == 404
    assert client.post(f"/memberships/{room.membership.pk}/remove/").status_code == 302
    assert room.whats_left() == NOTHING | {"listed": 1}


def _remove(room: Room, how: str) -> None:
    if how == "person":
        members.remove_person(room.team, membership=room.membership)
    else:
        members.remove_organisation(room.team, organisation=room.organisation, whole=True)


class Broken(Exception):
    """Something fails in the middle."""


STEPS = [
    (members, "_end_memberships"),
    (members, "end_sessions"),
    (members, "end_tokens"),
    (members, "_revoke"),
    (audit, "record"),
]


@pytest.mark.parametrize("how", ["person", "organisation"])
@pytest.mark.parametrize(("place", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_fault_at_any_step_leaves_nothing_half_done(
    room: Room, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, how: str
) -> None:
    real, told = getattr(place, name), AuditRecord.objects.count()

    def breaks(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise Broken

    monkeypatch.setattr(place, name, breaks)
    with pytest.raises(Broken):
        _remove(room, how)
    monkeypatch.undo()
    assert room.whats_left() == EVERYTHING
    assert AuditRecord.objects.count() == told
    assert room.client.get("/advisories/777/").status_code == 200


def test_a_fault_while_joining_leaves_no_account(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    token = invited(organisation)

    def breaks(*args: Any, **kwargs: Any) -> Any:
        raise Broken

    monkeypatch.setattr(QuerySet, "update_or_create", breaks)
    with pytest.raises(Broken):
        accept(token)
    monkeypatch.undo()
    assert not User.objects.exists()
    accept(token)


def test_the_last_admin_of_the_team_stays(room: Room) -> None:
    only = room.team.memberships.get()
    Membership.objects.filter(pk=only.pk).update(role="admin")
    only.refresh_from_db()
    with pytest.raises(members.LastOfTheTeam):
        members.remove_person(room.team, membership=only)
    with pytest.raises(members.LastOfTheTeam):
        members.set_membership(room.team, membership=only, role="member", contact=True)
    with pytest.raises(members.LastOfTheTeam):
        members.remove_organisation(room.team, organisation=only.organisation, whole=True)
    other = User.objects.create_user("other-admin")
    Membership.objects.create(user=other, organisation=only.organisation, role="admin")
    members.remove_person(other, membership=only)
    assert not room.team.memberships.exists()


def test_every_step_is_in_the_audit(room: Room) -> None:
    accept(invited(room.organisation, email="third@member.example"), username="third")
    members.remove_person(room.team, membership=room.membership)
    verbs = set(AuditRecord.objects.values_list("verb", flat=True))
    assert {"invited", "invitation-accepted", "person-removed"} <= verbs
