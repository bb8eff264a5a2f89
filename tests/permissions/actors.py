"""Everyone who may come to an address, by name."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from tests import factories
from xsa.models import Advisory, Membership, User

ACTORS = ("anonymous", "outsider", "member", "halfway", "former", "unlisted", "guest", "contact", "team")
SEE_EMBARGOED = frozenset({"guest", "contact", "team"})
# Whoever made the backports of these worlds: a contact as the others, and nobody else is of that organisation.
KEEPER = "keeper"
OUTSIDERS = tuple(name for name in ACTORS if name not in SEE_EMBARGOED)


def settle() -> None:
    """Everybody is there; nobody was let into anything yet."""
    for actor in ACTORS[1:]:
        _person(actor)


def client_of(actor: str, secret: Advisory | None = None) -> Client:
    """A browser of that actor; `secret` is what a guest was let into."""
    if actor == "anonymous":
        return Client()
    user = User.objects.filter(username=actor).first() or _person(actor)
    if actor == "guest" and secret is not None:
        admit_guest(secret)
    if actor == "halfway":
        client = Client()
        client.force_login(user)
        return client
    user.cleared = True
    return factories.log_in(Client(), user)


def admit_guest(secret: Advisory) -> None:
    """Let the guest into it, unless they are in."""
    guest = User.objects.get(username="guest")
    if not guest.memberships.get().admissions.filter(advisory=secret).exists():
        factories.admit(guest, secret)


def _person(actor: str) -> User:
    return _PEOPLE[actor]()


def _former() -> User:
    person = factories.person("former", listed=True)
    Membership.objects.filter(user=person).delete()
    return person


def _unlisted() -> User:
    """A contact of an organisation that was taken off the list."""
    person = factories.person("unlisted", listed=True)
    person.memberships.get().organisation.__class__.objects.filter(memberships__user=person).update(listed=False)
    return person


_PEOPLE: dict[str, Callable[[], User]] = {
    "outsider": lambda: factories.person("outsider"),
    "member": lambda: factories.person("member", listed=True, contact=False),
    "halfway": lambda: factories.person("halfway", listed=True),
    "former": _former,
    "unlisted": _unlisted,
    "guest": lambda: factories.person("guest", listed=True, contact=False),
    "contact": lambda: factories.person("contact", listed=True),
    "team": lambda: factories.person("team", security_team=True),
}
