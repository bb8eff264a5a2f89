"""The page of a token's webhooks: added with a secret that is shown once, told how it went, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backports.models import Webhook
from backports.services import webhooks
from tests import factories
from xsa.models import ApiToken, AuditRecord, User
from xsa.services.tokens import create_token, end_token

URL = "https://hooks.example.org/xen"


@pytest.fixture
def person(db: None) -> User:
    return factories.person("listener", listed=True)


@pytest.fixture
def token(person: User) -> ApiToken:
    place, end = person.memberships.get().organisation, timezone.now() + timedelta(days=7)
    return create_token(person, organisation=place, name="a listening script", expires_at=end)[0]


@pytest.fixture
def client(person: User) -> Client:
    return factories.log_in(Client(), person)


def page(token: ApiToken) -> str:
    return f"/tokens/{token.pk}/webhooks/"


def test_the_secret_is_shown_once(client: Client, token: ApiToken) -> None:
    answer = client.post(page(token), {"url": URL})
    (row,) = Webhook.objects.filter(token=token)
    secret = webhooks.secret_of(row)
    assert (answer.status_code, row.url) == (200, URL)
    assert secret in answer.content.decode()
    again = client.get(page(token)).content.decode()
    assert URL in again
    assert secret not in again
    assert AuditRecord.objects.filter(verb="webhook-added").count() == 1


def test_an_address_that_is_told_already_is_refused_and_its_secret_not_shown(
    client: Client, person: User, token: ApiToken
) -> None:
    row = webhooks.add(person, token=token, url=URL)
    answer = client.post(page(token), {"url": URL})
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "This address is told already. Its secret was shown once" in body
    assert webhooks.secret_of(row) not in body
    webhooks.end(person, webhook=row)
    assert "it is shown this once" in client.post(page(token), {"url": URL}).content.decode()


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/", "https://127.0.0.1/", "https://me:pw@hooks.example.org/", "no address", ""]
)
def test_an_address_that_cannot_be_told_is_refused_with_the_reason(client: Client, token: ApiToken, url: str) -> None:
    answer = client.post(page(token), {"url": url})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not Webhook.objects.exists()


def test_how_it_went_last_is_told(client: Client, person: User, token: ApiToken) -> None:
    row = webhooks.add(person, token=token, url=URL)
    assert "not asked yet" in client.get(page(token)).content.decode()
    Webhook.objects.filter(pk=row.pk).update(failures=2, status=503)
    body = client.get(page(token)).content.decode()
    assert "<code>503</code>" in body
    assert f"failed 2 of {len(webhooks.AGAIN) + 1} times in a row, again after" in body


def test_it_is_ended_and_stays_in_the_list(client: Client, person: User, token: ApiToken) -> None:
    row = webhooks.add(person, token=token, url=URL)
    assert f'aria-label="End it {URL}"' in client.get(page(token)).content.decode()
    assert client.post(f"/webhooks/{row.pk}/end/").status_code == 302
    row.refresh_from_db()
    assert row.ended_at is not None
    body = client.get(page(token)).content.decode()
    assert "ended <time" in body
    assert f'aria-label="End it {URL}"' not in body


def test_a_token_that_ended_takes_no_more(client: Client, person: User, token: ApiToken) -> None:
    webhooks.add(person, token=token, url=URL)
    end_token(person, token=token)
    body = client.get(page(token)).content.decode()
    assert "ended with the token" in body
    assert "The token has ended, and its webhooks with it." in body
    assert client.post(page(token), {"url": f"{URL}/more"}).status_code == 403


def test_an_admin_ends_what_colleagues_are_told_and_adds_nothing(person: User, token: ApiToken) -> None:
    row = webhooks.add(person, token=token, url=URL)
    admin = factories.person("colleague")
    admin.memberships.update(organisation=token.organisation, role="admin")
    client = factories.log_in(Client(), admin)
    assert client.post(page(token), {"url": f"{URL}/admin"}).status_code == 403
    assert client.post(f"/webhooks/{row.pk}/end/").status_code == 302
    assert not Webhook.objects.filter(ended_at=None).exists()


def test_by_password_alone_nothing_is_added(person: User, token: ApiToken) -> None:
    client = Client()
    client.force_login(person)
    assert client.post(page(token), {"url": URL}).status_code == 403
    assert not Webhook.objects.exists()
