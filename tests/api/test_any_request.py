"""Requests that nobody thought of, made from the description itself, in everybody's name: none breaks anything, and
each answer is one that is described."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backports.models import Backport, Upload
from tests import factories
from tests.api.client import description
from tests.api.conftest import World, secret_of
from xsa.identity import NOBODY, _acting

EXAMPLES = 3  # of each operation and kind, for each role; bounded, so that the test is
# 500 is described nowhere; 503 is, and is what these results without a repository give.
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ("nobody", "outsider", "reader", "uploader", "team")


def _headers(role: str, world: World) -> dict[str, str]:
    if role == "nobody":
        return {}
    person = factories.person(role, listed=role in ("reader", "uploader"), security_team=role == "team")
    scopes: dict[str, Any] = {"verbs": ["read"] if role == "reader" else ["read", "upload"]}
    if role != "outsider":
        scopes |= {"embargoed": True, "advisories": [world.secret.number, world.known.number]}
    return {"Authorization": f"Token {secret_of(person, **scopes)}"}


def _known(path: str, world: World) -> dict[str, Any]:
    """Things that are there, for the words in an address."""
    backport = Backport.objects.get()
    things = {
        "attempts": world.secret_attempt,
        "branches": world.branch,
        "organisations": backport.organisation,
        "backports": backport,
        "versions": backport.current,
        "uploads": Upload.objects.get(),
    }
    noun = path.removeprefix("/api/v1/").partition("/")[0]
    words = {"number": world.secret.number, "branch": world.branch.name}
    words |= {"id": str(things[noun].pk)} if noun in things else {}
    return {name: value for name, value in words.items() if f"{{{name}}}" in path}


@pytest.fixture
def sent_before(world: World) -> None:
    """A shared backport of the secret, with a version, and an upload of one of the askers'."""
    keeper = factories.person("keeper", listed=True)
    own = keeper.memberships.get().organisation
    row = factories.backport(world.secret, world.branch, own, keeper, life="shared", shared_at=factories.DAY)
    factories.version(row)
    factories.upload(own, keeper)


def _send(strategy: Any, roles: dict[str, dict[str, str]]) -> None:
    """Each made request in the name of each role."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def send(case: Any) -> None:
        for headers in roles.values():
            with transaction.atomic():
                answer = case.call(headers=headers)
                transaction.set_rollback(True)
            case.validate_response(answer, checks=CHECKS)

    send()


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The server answers inside the test's transaction, as Django's own test client has it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("git_root", "sent_before", "one_connection")
def test_any_request_gets_an_answer_that_is_described(world: World) -> None:
    schema = schemathesis.openapi.from_dict(description())
    schema.app = get_wsgi_application()
    roles = {role: _headers(role, world) for role in ROLES}
    operations = [found.ok() for found in schema.get_all_operations()]
    words = {operation.path: _known(operation.path, world) for operation in operations}
    wrong = 0
    with _acting(NOBODY):
        for operation in operations:
            known = {"path_parameters": words[operation.path]} if words[operation.path] else {}
            _send(operation.as_strategy(GenerationMode.POSITIVE, **known), roles)
            # An address that takes nothing but words of any kind cannot be asked wrongly.
            with contextlib.suppress(Unsatisfiable):
                _send(operation.as_strategy(GenerationMode.NEGATIVE), roles)
                wrong += 1
    assert len(operations) == sum(len(methods) for methods in description()["paths"].values())
    assert wrong > len(operations) / 2
