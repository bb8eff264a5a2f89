"""What the API's tests look at: the worlds of the pages' tests, and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import factories
from tests.api.client import Api
from tests.web.conftest import World, world
from xsa.models import User
from xsa.services.tokens import create_token

__all__ = ["World", "world"]


def token_of(person: User, **scopes: Any) -> Api:
    """A client with a new token of that person."""
    place = person.memberships.get().organisation
    end = timezone.now() + timedelta(days=30)
    return Api(create_token(person, organisation=place, name="a test", expires_at=end, **scopes)[1])


@pytest.fixture
def contact(db: None) -> User:
    return factories.person("contact", listed=True)
