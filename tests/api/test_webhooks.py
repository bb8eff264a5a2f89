"""A token's webhooks by REST: the secret is told to whoever adds one, in that answer and in no other."""

from __future__ import annotations

import pytest

from backports.models import Webhook
from backports.services import webhooks
from tests.api.client import Api
from tests.api.conftest import token_of
from xsa.models import User

WEBHOOKS = "/api/v1/webhooks/"
BODY = {"url": "https://hooks.example.org/xen"}
JSON = "application/json"


@pytest.fixture
def api(contact: User) -> Api:
    return token_of(contact, verbs=["read"])


def test_the_same_address_again_is_a_conflict_and_tells_no_secret(api: Api) -> None:
    made = api.post(WEBHOOKS, BODY, JSON)
    secret = made.json()["secret"]
    assert made.status_code == 201
    assert secret == webhooks.secret_of(Webhook.objects.get())
    again = api.post(WEBHOOKS, BODY, JSON)
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (409, "told-already", "url")
    assert secret not in again.content.decode()
    assert Webhook.objects.count() == 1


def test_the_same_key_again_tells_the_webhook_and_no_secret(api: Api) -> None:
    first, again = (api.post(WEBHOOKS, BODY, JSON, headers={"Idempotency-Key": "a"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json()["secret"].startswith("whsec_")
    assert again.json() == {**first.json(), "secret": None}
    assert first.headers["Location"] == again.headers["Location"]


def test_ended_and_added_again_it_has_another_secret(api: Api) -> None:
    first = api.post(WEBHOOKS, BODY, JSON)
    address = first.headers["Location"]
    assert api.delete(address, headers={"If-Match": api.get(address).headers["ETag"]}).status_code == 204
    second = api.post(WEBHOOKS, BODY, JSON)
    assert second.status_code == 201
    assert second.json()["secret"] != first.json()["secret"]
