"""Actor by account route by method: the status that each gets."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import transaction
from django.test import Client
from django.utils import timezone

from backports.services import outbox, webhooks
from tests import factories
from tests.permissions.account_routes import ACCOUNT_ROWS, ACTORS
from xsa.models import Membership, Organisation, PgpKey, User
from xsa.services import invitations
from xsa.services.tokens import create_token

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
        token, _ = create_token(
            self.target.user,
            organisation=self.organisation,
            name="of the target",
            expires_at=timezone.now() + timedelta(days=1),
        )
        webhook = webhooks.add(self.target.user, token=token, url="https://hooks.example.org/matrix")
        ids = {"organisation": self.organisation, "membership": self.target, "invitation": row}
        mail = outbox.queue("alarm", event="made up", organisation=self.organisation)
        ids |= {"token": token, "webhook": webhook, "key": self._key(), "mail": mail}
        return {name: str(one.pk) for name, one in ids.items()}

    def _key(self) -> PgpKey:
        now = timezone.now()
        dates = {"checked_at": now, "added_at": now}
        whose = {"organisation": self.organisation, "added_by": self.target.user}
        return PgpKey.objects.create(fingerprint="A" * 40, state="broken", **whose, **dates)


@pytest.fixture
def place(db: None) -> Place:
    return Place()


def ask(client: Client, method: str, path: str) -> int:
    """The status; what the question did to anything is taken back."""
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        status = client.generic(method, path).status_code
        transaction.set_rollback(True)
    client.cookies = cookies
    return int(status)


@pytest.mark.parametrize("actor", ACTORS)
def test_every_account_address_answers_as_the_matrix_says(place: Place, actor: str) -> None:
    client, words = place.client(actor), place.words()
    wrong = []
    for name, row in ACCOUNT_ROWS.items():
        for method in METHODS:
            got, wanted = ask(client, method, row.path.format(**words)), row.expected(actor, method)
            if got != wanted:
                wrong.append(f"{actor} {method} {name}: {got}, not {wanted}")
    assert wrong == []
