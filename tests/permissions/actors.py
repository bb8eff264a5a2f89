"""Everyone who may come to an address, by name."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from tests import factories
from xsa.models import Advisory, Membership, User

ACTORS = ("anonymous", "outsider", "member", "halfway", "former", "unlisted", "guest", "contact", "team")
SEE_EMBARGOED = frozenset({"guest", "contact", "team"})
OUTSIDERS = tuple(name for name in ACTORS if name not in SEE_EMBARGOED)


def client_of(actor: str, secret: Advisory | None) -> Client:
    """A browser of that actor; `secret` is what a guest was let into."""
    if actor == "anonymous":
        return Client()
    if actor == "halfway":
        client = Client()
        client.force_login(factories.person(actor, listed=True))
        return client
    return factories.log_in(Client(), _PEOPLE[actor](secret))


def _former(_: Advisory | None) -> User:
    person = factories.person("former", listed=True)
    Membership.objects.filter(user=person).delete()
    return person


def _unlisted(_: Advisory | None) -> User:
    """A contact of an organisation that was taken off the list."""
    person = factories.person("unlisted", listed=True)
    person.memberships.get().organisation.__class__.objects.filter(memberships__user=person).update(listed=False)
    return person


def _guest(secret: Advisory | None) -> User:
    person = factories.person("guest", listed=True, contact=False)
    if secret is not None:
        factories.admit(person, secret)
    return person


_PEOPLE: dict[str, Callable[[Advisory | None], User]] = {
    "outsider": lambda _: factories.person("outsider"),
    "member": lambda _: factories.person("member", listed=True, contact=False),
    "former": _former,
    "unlisted": _unlisted,
    "guest": _guest,
    "contact": lambda _: factories.person("contact", listed=True),
    "team": lambda _: factories.person("team", security_team=True),
}
