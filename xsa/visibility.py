"""The read rule, once: who may see which advisory, and everything that hangs on one."""

from __future__ import annotations

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from .models import Advisory, User

T = TypeVar("T", bound=Model)
Reader = User | AnonymousUser


def sees_embargoed(user: Reader) -> bool:
    """Whether this person belongs to the security team or to an organisation on the predisclosure list."""
    if not user.is_authenticated or not user.is_active:
        return False
    listed = Q(organisation__listed=True) | Q(organisation__security_team=True)
    return user.memberships.filter(listed).exists()


def in_security_team(user: Reader) -> bool:
    """Whether this person belongs to the security team."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.memberships.filter(organisation__security_team=True).exists()


def visible_to(user: Reader, things: QuerySet[T], path: str = "", *, builds_on: str = "") -> QuerySet[T]:
    """The part of `things` that `user` may see; `path` leads from a thing to its advisory (`"advisory"`).

    An empty path stands for advisories themselves. `builds_on` names a column with the numbers of
    further advisories whose content is in a thing: it stays hidden until all of those are disclosed too.
    """
    if sees_embargoed(user):
        return things
    prefix = f"{path}__" if path else ""
    seen = things.filter(**{f"{prefix}disclosed_at__isnull": False})
    if not builds_on:
        return seen
    return seen.exclude(**{f"{builds_on}__overlap": Advisory.objects.filter(disclosed_at=None).values("number")})


def visible_advisories(user: Reader) -> QuerySet[Advisory]:
    """The advisories that `user` may see, newest first."""
    return visible_to(user, Advisory.objects.select_related("current"))


def same_secrecy(advisory: Advisory, others: QuerySet[Advisory]) -> QuerySet[Advisory]:
    """The part of `others` whose content may be mixed into something about `advisory`.

    What is disclosed may only be built on what is disclosed.
    """
    return others if advisory.embargoed else others.filter(disclosed_at__isnull=False)
