"""Actor by account route by method: the status that each gets."""

from __future__ import annotations

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from tests import factories
from tests.permissions.account_routes import ACCOUNT_ROWS, ACTORS
from xsa.models import Membership, Organisation, User
from xsa.services import invitations

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class Place:
    """An organisation with the actors in it, and somebody whom they may be about to remove."""

    def __init__(self) -> None:
        self.organisation = Organisation.objects.create(name="Example Place", listed=True)
        self.target = Membership.objects.create(user=User.objects.create_user("target"), organisation=self.organisation)

    def client(self, actor: str) -> Client:
        client = Client()
        if actor == "anonymous":
            return client
        person = factories.person(actor, security_team=actor == "team")
        if actor != "team":
            role = "admin" if actor == "admin" else "member"
            person.memberships.update(organisation=self.organisation, role=role)
        if actor == "halfway":
            client.force_login(person)
            return client
        TOTP.activate(person, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        return factories.log_in(client, person)

    def words(self) -> dict[str, str]:
        row = invitations.invite(None, organisation=self.organisation, email="friend@place.example")
        ids = {"organisation": self.organisation, "membership": self.target, "invitation": row}
        return {name: str(one.pk) for name, one in ids.items()}


@pytest.fixture
def place(db: None) -> Place:
    return Place()


@pytest.mark.parametrize("name", ACCOUNT_ROWS)
@pytest.mark.parametrize("actor", ACTORS)
def test_every_account_address_answers_as_the_matrix_says(place: Place, actor: str, name: str) -> None:
    row, client = ACCOUNT_ROWS[name], place.client(actor)
    path = row.path.format(**place.words())
    # What changes something comes last.
    for method in sorted(METHODS, key="POST".__eq__):
        assert client.generic(method, path).status_code == row.expected(actor, method), method
