"""What the API's tests look at: the worlds of the pages' tests, and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import factories
from tests.api.client import Api
from tests.backports.conftest import git_root
from tests.web.conftest import World, world
from xsa.models import User
from xsa.services.tokens import create_token

__all__ = ["World", "git_root", "world"]


def secret_of(person: User, **scopes: Any) -> str:
    """A new token of that person, as it is sent."""
    place = person.memberships.get().organisation
    end = timezone.now() + timedelta(days=30)
    return create_token(person, organisation=place, name="a test", expires_at=end, **scopes)[1]


def token_of(person: User, **scopes: Any) -> Api:
    """A client with a new token of that person."""
    return Api(secret_of(person, **scopes))


@pytest.fixture
def contact(db: None) -> User:
    return factories.person("contact", listed=True)
