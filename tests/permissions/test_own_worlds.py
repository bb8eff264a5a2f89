"""The same questions in two worlds that differ by what one organisation keeps to itself: the answers are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backports.models import Branch
from backports.services import receiving
from tests import factories
from tests.backports.conftest import Workshop
from tests.permissions.actors import client_of
from tests.permissions.crawl import crawl
from tests.permissions.test_two_worlds import everything
from tests.permissions.world import names_of
from xsa.models import Advisory, PatchFile, User


def keep_to_oneself(hermit: User, *advisories: Advisory) -> None:
    """A draft of each advisory on a branch of everybody's, and attempts on a branch of one's own."""
    organisation = hermit.memberships.get().organisation
    own = factories.branch(factories.repository("hermit_xen", organisation=organisation, project="toy"), "4.3")
    for row in advisories:
        factories.attempt(row, own)
        file = PatchFile.objects.get(version__advisory=row, kind="patch")
        branch = Branch.objects.get(name="4.3", repository__name="toy")
        values = {"name": file.name, "data": bytes(file.data), "advisory": row, "branch": branch}
        received = receiving.submit(hermit, organisation=organisation, **values)
        assert received.version is not None


@pytest.mark.parametrize("actor", ["anonymous", "contact", "team"])
def test_nobody_else_can_tell_what_an_organisation_keeps_to_itself(
    workshop: Workshop, known: Advisory, secret: Advisory, actor: str, at_one_moment: Callable[..., Any]
) -> None:
    hermit = factories.person("hermit", listed=True)
    names = (names_of(known), names_of(secret)) if actor != "anonymous" else (names_of(known),)
    client = client_of(actor, secret)
    at_one_moment(crawl, client, *names)
    without = everything(at_one_moment(crawl, client, *names))
    keep_to_oneself(hermit, known, secret)
    kept = everything(at_one_moment(crawl, client, *names))
    # The security team reads in the audit that somebody uploaded; not what.
    paths = [path for path in without if not path.startswith("/audit/")]
    assert [path for path in paths if kept.get(path) != without[path]] == []
    assert [path for path in kept if path not in without and not path.startswith("/audit/")] == []
    assert len(paths) > 40
