"""Programs that come to an address by a token, by name: what each was made for, and whether it is good still.

An address that tokens may ask names the methods in its row of the matrix; everywhere else they are refused, whoever
stands behind them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from django.test import Client
from django.utils import timezone

from tests import factories
from xsa.models import Advisory, ApiToken, Membership, User
from xsa.services.tokens import create_token, end_token

ELSEWHERE = "4.17"  # a branch on which nothing of these worlds stands
ALL_VERBS = tuple(ApiToken.Verb.values)


@dataclass(frozen=True)
class Program:
    """One kind of token; `embargoed` names whose: that of the secret one, of another one, or of none."""

    person: str = "contact"
    kind: str = "person"
    verbs: tuple[str, ...] = ALL_VERBS
    embargoed: str = ""
    branches: tuple[str, ...] = ()
    spoil: Callable[[ApiToken], Any] | None = field(default=None)

    @property
    def good(self) -> bool:
        """Whether it is any token at all by the time that it asks."""
        return self.spoil is None

    @property
    def sees(self) -> bool:
        """Whether it reads the secret advisory while that is embargoed."""
        return self.embargoed == "secret" and not self.branches


def _leave(token: ApiToken) -> None:
    Membership.objects.filter(user=token.user).delete()


PROGRAMS = {
    "token": Program(),
    "token-checking": Program(verbs=("check",)),
    "token-elsewhere": Program(embargoed="secret", branches=(ELSEWHERE,)),
    "token-other": Program(embargoed="other"),
    "token-in-the-room": Program(embargoed="secret"),
    "token-of-a-guest": Program(person="guest", embargoed="secret"),
    "token-of-the-keeper": Program(person="keeper", embargoed="secret"),
    "token-of-the-team": Program(person="team", embargoed="secret"),
    "robot": Program(person="admin", kind="robot"),
    "robot-in-the-room": Program(person="admin", kind="robot", embargoed="secret"),
    "token-ended": Program(embargoed="secret", spoil=lambda token: end_token(token.user, token=token)),
    "token-of-one-who-left": Program(embargoed="secret", spoil=_leave),
}
# Those that see no more than an outsider does.
OUTSIDE = tuple(name for name, one in PROGRAMS.items() if not one.good or not (one.sees or one.branches))


class Wanderer(Client):
    """A client that comes from another address each time: wrong tokens are counted by address."""

    asked = count()

    def request(self, **environ: Any) -> Any:
        turn = next(self.asked)
        environ["REMOTE_ADDR"] = f"10.{turn >> 16}.{turn >> 8 & 255}.{turn & 255}"
        return super().request(**environ)


def program(actor: str, secret: Advisory | None) -> Client:
    """A program of that name, which sends its token with everything; `secret` is the embargoed advisory."""
    what = PROGRAMS[actor]
    user = _person(f"{actor}-person", what, secret)
    numbers = _numbers(what, user, secret)
    token, value = create_token(
        user,
        organisation=user.memberships.get().organisation,
        name=actor,
        expires_at=timezone.now() + timedelta(days=7),
        verbs=what.verbs,
        kind=what.kind,
        embargoed=bool(numbers),
        advisories=numbers,
        branches=what.branches,
    )
    if what.spoil:
        what.spoil(token)
    return Wanderer(headers={"authorization": f"Token {value}"})


def _person(name: str, what: Program, secret: Advisory | None) -> User:
    if what.person == "keeper":
        keeper = User.objects.get(username="keeper")
        keeper.cleared = True
        return keeper
    user = factories.person(
        name, listed=what.person != "team", security_team=what.person == "team", contact=what.person != "guest"
    )
    if what.person == "admin":
        user.memberships.update(role=Membership.Role.ADMIN)
    if what.person == "guest" and secret is not None:
        factories.admit(user, secret)
    return user


def _numbers(what: Program, user: User, secret: Advisory | None) -> list[int]:
    if what.embargoed == "other":
        return [_another().number]
    return [secret.number] if what.embargoed and secret is not None else []


def _another() -> Advisory:
    """A second embargoed advisory, of which nothing but its row is there."""
    return Advisory.objects.filter(number=7200).first() or factories.advisory(7200, disclosed=False, title="another")
