"""The same questions in two worlds that differ by what one organisation keeps to itself: the answers are the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from backports.models import BackportVersion, Branch
from backports.services import checking, commenting, receiving, webhooks
from backports.services.commenting import Where
from tests import factories
from tests.backports.conftest import Workshop
from tests.permissions.actors import SEE_EMBARGOED, client_of
from tests.permissions.crawl import crawl
from tests.permissions.test_canaries import told
from tests.permissions.test_two_worlds import everything
from tests.permissions.tokens import program
from tests.permissions.world import names_of
from xsa.identity import reading
from xsa.models import Advisory, PatchFile, User
from xsa.services.tokens import create_token
from xsa.visibility import visible_records

# Words that stand in nothing but what one organisation keeps to itself.
KEPT = (
    "hermitbranchqzx",
    "hermitnoteqzx",
    "hermitsummaryqzx",
    "hermitlogqzx",
    "hermitlineqzx",
    "hermitwordqzx",
    "hermitbrokenqzx",
    "hermitfileqzx",
    "hermithookqzx",
)
# Whoever reads an audit reads there what they themselves took away between two looks.
OWN = ("/audit/", "/organisation/audit/")


def keep_to_oneself(hermit: User, *advisories: Advisory) -> list[BackportVersion]:
    """A draft of each advisory, talked about and checked; a branch of one's own; a webhook; files not placed yet."""
    place = hermit.memberships.get().organisation
    _branches(hermit, *advisories)
    _hook(hermit, advisories[-1])
    receiving.receive(hermit, organisation=place, name="hermitbrokenqzx.patch", data=b"hermitbrokenqzx\n")
    file = PatchFile.objects.filter(version__advisory=advisories[0], kind="patch").get()
    receiving.receive(hermit, organisation=place, name="hermitfileqzx.patch", data=bytes(file.data))
    return [_draft(hermit, row) for row in advisories]


def _branches(hermit: User, *advisories: Advisory) -> None:
    place = hermit.memberships.get().organisation
    own = factories.repository("hermit_xen", organisation=place, project="toy")
    branches = [factories.branch(own, "4.3"), factories.branch(own, "4.4")]
    Branch.objects.filter(pk=branches[1].pk).update(name="hermitbranchqzx", ref="refs/heads/hermitbranchqzx")
    for row in advisories:
        for branch in branches:
            factories.attempt(row, branch)


def _hook(hermit: User, row: Advisory) -> None:
    place, ends = hermit.memberships.get().organisation, timezone.now() + timedelta(days=3)
    token, _ = create_token(
        hermit, organisation=place, name="a hook", expires_at=ends, embargoed=row.embargoed, advisories=[row.number]
    )
    webhooks.add(hermit, token=token, url="https://hermithookqzx.example/")


def _draft(hermit: User, row: Advisory) -> BackportVersion:
    place = hermit.memberships.get().organisation
    file = PatchFile.objects.get(version__advisory=row, kind="patch")
    branch = Branch.objects.get(name="4.3", repository__name="toy")
    values: dict[str, Any] = {"name": file.name, "data": bytes(file.data), "advisory": row, "branch": branch}
    origin = receiving.Origin(note="hermitnoteqzx")
    version = receiving.submit(hermit, organisation=place, origin=origin, **values).version
    assert version is not None
    where = Where(place=(1, 1, 1, 1))
    commenting.say_of_line(hermit, organisation=place, version=version, where=where, text="hermitlineqzx")
    commenting.say(hermit, organisation=place, advisory=row, backport=version.backport, text="hermitwordqzx")
    hermit.speaks_for = place.pk
    result = {"name": "build", "state": "failure", "summary": "hermitsummaryqzx", "log_text": b"hermitlogqzx"}
    checking.post(hermit, version=version, **result)
    hermit.speaks_for = None
    return version


@pytest.mark.parametrize("actor", ["anonymous", "contact", "team"])
def test_nobody_else_can_tell_what_an_organisation_keeps_to_itself(
    workshop: Workshop, known: Advisory, secret: Advisory, actor: str, at_one_moment: Callable[..., Any]
) -> None:
    hermit = factories.person("hermit", listed=True)
    names = (names_of(known), names_of(secret)) if actor in SEE_EMBARGOED else (names_of(known),)

    def look() -> dict[str, Any]:
        """Logged in anew each time: on a busy machine a second factor would be too old for some pages meanwhile.

        A page that is the same has the same links, so that nothing has to be followed.
        """
        return everything(at_one_moment(partial(crawl, follow=False), client_of(actor, secret), *names))

    without = look()
    keep_to_oneself(hermit, known, secret)
    kept = look()
    paths = [path for path in without if not path.startswith(OWN)]
    assert [path for path in paths if kept.get(path) != without[path]] == []
    assert [path for path in kept if path not in without and not path.startswith(OWN)] == []
    assert len(paths) > 40


def read_by(client: Any, asked: tuple[Any, ...], *, follow: bool = False) -> dict[str, list[str]]:
    """Which of the words an actor reads anywhere, by address; the audit too."""
    answers = crawl(client, *asked, follow=follow)
    found = {path: [word for word in KEPT if word.encode() in told(one)] for path, one in answers.items()}
    return {path: these for path, these in found.items() if these}


@pytest.mark.parametrize("actor", ["member", "contact", "token-in-the-room"])
def test_no_word_of_it_is_anywhere_for_others(secret: Advisory, known: Advisory, actor: str) -> None:
    names = (names_of(known), names_of(secret))
    versions = keep_to_oneself(factories.person("hermit", listed=True), known, secret)
    client = program(actor, secret) if actor.startswith("token") else client_of(actor, secret)
    assert read_by(client, names) == {}
    for version in versions:
        for path in (f"/backports/{version.backport_id}/", f"/versions/{version.pk}/files/quilt"):
            assert client.get(path).status_code in (403, 404)  # 403 is what a token gets on every page


def test_whoever_keeps_it_reads_it(secret: Advisory, known: Advisory) -> None:
    """Else the tests above would find nothing for another reason."""
    hermit, names = factories.person("hermit", listed=True), (names_of(known), names_of(secret))
    keep_to_oneself(hermit, known, secret)
    found = read_by(factories.log_in(client_of("anonymous"), hermit), names, follow=True)
    assert {word for words in found.values() for word in words} >= set(KEPT) - {"hermithookqzx"}


def test_the_audit_tells_of_it_to_its_own_people_and_the_team(secret: Advisory, known: Advisory) -> None:
    hermit, other = factories.person("hermit", listed=True), factories.person("other", listed=True)
    keep_to_oneself(hermit, known, secret)
    for user, is_told in ((hermit, True), (other, False)):
        with reading(user):
            assert visible_records(user).filter(actor_name="hermit").exists() is is_told
