"""The read rule, once: who may see which advisory, and everything that hangs on one."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from .identity import is_cleared
from .models import Admission, Advisory, AuditRecord, User

T = TypeVar("T", bound=Model)
Reader = User | AnonymousUser


def sees_embargoed(user: Reader) -> bool:
    """Whether this person sees every embargoed advisory: the security team, and contacts of listed organisations."""
    if not user.is_authenticated or not is_cleared(user) or user.only:
        return False
    return _sees_all(user)


def _sees_all(user: User) -> bool:
    listed = Q(organisation__listed=True, contact=True) | Q(organisation__security_team=True)
    return user.memberships.filter(listed).exists()


def in_security_team(user: Reader) -> bool:
    """Whether this person belongs to the security team; no token for single advisories speaks for it."""
    if not user.is_authenticated or not is_cleared(user) or user.only:
        return False
    return user.memberships.filter(organisation__security_team=True).exists()


def _admitted(user: Reader) -> QuerySet[Admission]:
    """What lets this person into single advisories."""
    if not user.is_authenticated or not is_cleared(user):
        return Admission.objects.none()
    admissions = Admission.objects.filter(membership__user=user, membership__organisation__listed=True)
    return admissions.filter(advisory__number__in=user.only) if user.only else admissions


def _rooms(user: Reader) -> list[UUID]:
    """The single advisories that this person sees while they are embargoed; a token's are those that it is good for."""
    if user.is_authenticated and is_cleared(user) and user.only and _sees_all(user):
        return list(Advisory.objects.filter(number__in=user.only).values_list("pk", flat=True))
    return list(_admitted(user).values_list("advisory", flat=True))


def in_room(user: Reader, advisory: Advisory) -> bool:
    """Whether this person shares what members share about an advisory; its disclosure does not change that."""
    return sees_embargoed(user) or advisory.pk in _rooms(user)


def visible_to(user: Reader, things: QuerySet[T], path: str = "", *, builds_on: str = "") -> QuerySet[T]:
    """The part of `things` that `user` may see; `path` leads from a thing to its advisory (`"advisory"`).

    An empty path stands for advisories themselves. `builds_on` names a column with the numbers of
    further advisories whose content is in a thing: it stays hidden until all of those are disclosed too.
    """
    if sees_embargoed(user):
        return things
    prefix = f"{path}__" if path else ""
    rooms = _rooms(user)
    seen = things.filter(Q(**{f"{prefix}disclosed_at__isnull": False}) | Q(**{f"{prefix}pk__in": rooms}))
    if not builds_on:
        return seen
    hidden = Advisory.objects.filter(disclosed_at=None).exclude(pk__in=rooms).values("number")
    return seen.exclude(**{f"{builds_on}__overlap": hidden})


def visible_advisories(user: Reader) -> QuerySet[Advisory]:
    """The advisories that `user` may see, newest first."""
    return visible_to(user, Advisory.objects.select_related("current"))


def same_secrecy(advisory: Advisory, others: QuerySet[Advisory]) -> QuerySet[Advisory]:
    """The part of `others` whose content may be mixed into something about `advisory`.

    What is disclosed may only be built on what is disclosed.
    """
    return others if advisory.embargoed else others.filter(disclosed_at__isnull=False)


def visible_records(user: Reader) -> QuerySet[AuditRecord]:
    """The part of the audit that `user` may read, newest first: all for the security team, else what their own
    organisations did or had done to them, as far as they see every advisory that it is about.
    """
    if in_security_team(user):
        return AuditRecord.objects.all()
    if not user.is_authenticated or not is_cleared(user) or user.only:
        return AuditRecord.objects.none()
    own = list(user.memberships.values_list("organisation", flat=True))
    numbers = list(visible_advisories(user).values_list("number", flat=True))
    return AuditRecord.objects.filter(organisations__overlap=own, advisories__contained_by=numbers)
