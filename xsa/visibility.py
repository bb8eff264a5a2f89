"""The read rule, once: who may see which advisory, and everything that hangs on one."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from .belonging import memberships, remembered
from .identity import is_cleared, is_speaking
from .models import Admission, Advisory, AuditRecord, Membership, Organisation, User
from .readers import Admissions, Kept, Owned, Personal, Readers, Records, Root, Under

T = TypeVar("T", bound=Model)
Reader = User | AnonymousUser


def sees_embargoed(user: Reader) -> bool:
    """Whether this person sees every embargoed advisory: the security team, and contacts of listed organisations."""
    if not user.is_authenticated or not is_cleared(user) or user.only:
        return False
    return _sees_all(user)


def _sees_all(user: User) -> bool:
    rows = memberships(user.pk)
    return any((one.contact and one.organisation.listed) or one.organisation.security_team for one in rows)


def in_security_team(user: Reader) -> bool:
    """Whether this person belongs to the security team; no token for single advisories speaks for it."""
    if not user.is_authenticated or not is_cleared(user) or user.only:
        return False
    return any(one.organisation.security_team for one in memberships(user.pk))


def _admitted(user: Reader) -> QuerySet[Admission]:
    """What lets this person into single advisories."""
    if not user.is_authenticated or not is_cleared(user):
        return Admission.objects.none()
    admissions = Admission.objects.filter(membership__user=user, membership__organisation__listed=True)
    return admissions.filter(advisory__number__in=user.only) if user.only else admissions


def _rooms(user: Reader) -> list[UUID]:
    """The single advisories that this person sees while they are embargoed; a token's are those that it is good for."""
    name = (user.pk, is_cleared(user), tuple(getattr(user, "only", ())))
    return remembered(("rooms", *name), lambda: _ask_rooms(user))


def _ask_rooms(user: Reader) -> list[UUID]:
    if user.is_authenticated and is_cleared(user) and user.only and _sees_all(user):
        return list(Advisory.objects.filter(number__in=user.only).values_list("pk", flat=True))
    return list(_admitted(user).values_list("advisory", flat=True))


def in_room(user: Reader, advisory: Advisory) -> bool:
    """Whether this person shares what members share about an advisory; its disclosure does not change that."""
    return sees_embargoed(user) or advisory.pk in _rooms(user)


def speaking_for(user: Reader) -> list[Organisation]:
    """The organisations whose own things this person is shown, by name; a token's is the one that it speaks for."""
    if not is_speaking(user):
        return []
    only: UUID | None = user.speaks_for  # type: ignore[union-attr]
    return [one.organisation for one in memberships(user.pk) if only in (None, one.organisation_id)]


def own_organisations(user: Reader) -> list[UUID]:
    """The same organisations' ids."""
    return [one.pk for one in speaking_for(user)]


def visible_to(user: Reader, things: QuerySet[T]) -> QuerySet[T]:
    """The part of `things` that `user` may see, as their model says (`readers`); those of a model that says nothing
    are everybody's.
    """
    return things.filter(_Sight(user).of(things.model))


class _Sight:
    """What one reader may see, as conditions on models; `prefix` leads to the model that a condition is about."""

    def __init__(self, user: Reader) -> None:
        self.user = user

    @cached_property
    def sees_all(self) -> bool:
        return sees_embargoed(self.user)

    @cached_property
    def own(self) -> list[Organisation]:
        return speaking_for(self.user)

    @cached_property
    def rooms(self) -> list[UUID]:
        return _rooms(self.user)

    @cached_property
    def in_team(self) -> bool:
        return in_security_team(self.user)

    def of(self, model: type[Model], prefix: str = "") -> Q:
        """The condition on a model's rows."""
        readers: Readers | None = getattr(model, "readers", None)
        if isinstance(readers, Root):
            return self.advisories(prefix)
        if isinstance(readers, Under):
            return self.under(model, readers, prefix)
        if isinstance(readers, Kept):
            return self.kept(prefix)
        if isinstance(readers, Owned):
            return self.owned(model, readers, prefix)
        if isinstance(readers, Personal):
            return self.personal(model, readers, prefix)
        if isinstance(readers, Admissions):
            return self.admissions(prefix)
        return _nothing(prefix) if isinstance(readers, Records) else _all(prefix)

    def advisories(self, prefix: str) -> Q:
        if self.sees_all:
            return _all(prefix)
        return Q(**{f"{prefix}disclosed_at__isnull": False}) | Q(**{f"{prefix}pk__in": self.rooms})

    def under(self, model: type[Model], readers: Under, prefix: str) -> Q:
        found = self.surroundings(model, readers, prefix)
        if readers.audience == "room" and not self.sees_all:
            found &= Q(**{f"{prefix}{readers.parent}__in": self.rooms})
        if readers.audience == "team" and not self.in_team:
            found &= _nothing(prefix)
        if readers.orphans_for_the_team and self.in_team:
            found |= Q(**{f"{prefix}{readers.parent}": None})
        return found

    def surroundings(self, model: type[Model], readers: Under | Owned, prefix: str) -> Q:
        """What else must be visible for a row to be: its parent, what it builds on, the other row that it hangs on."""
        found = self.of(_model(model, readers.parent), f"{prefix}{readers.parent}__")
        if _nullable(model, readers.parent):
            found &= Q(**{f"{prefix}{readers.parent}__isnull": False})
        if readers.builds_on and not self.sees_all:
            hidden = Advisory.objects.filter(disclosed_at=None).exclude(pk__in=self.rooms).values("number")
            found &= ~Q(**{f"{prefix}{readers.builds_on}__overlap": hidden})
        if readers.also:
            also = self.of(_model(model, readers.also), f"{prefix}{readers.also}__")
            found &= Q(**{f"{prefix}{readers.also}": None}) | also if _nullable(model, readers.also) else also
        return found

    def kept(self, prefix: str) -> Q:
        found = Q(**{f"{prefix}organisation": None}) | Q(**{f"{prefix}organisation__in": self.own})
        if any(one.listed or one.security_team for one in self.own):
            found |= Q(**{f"{prefix}visibility": "room"})
        return found

    def owned(self, model: type[Model], readers: Owned, prefix: str) -> Q:
        audience = Q(**{f"{prefix}organisation__in": self.own})
        if readers.shared:
            room = _all(prefix) if self.sees_all else Q(**{f"{prefix}{readers.parent}__in": self.rooms})
            audience |= Q(**{f"{prefix}{readers.shared}__isnull": False}) & room
        if readers.opens:
            open_now = {f"{prefix}{readers.opens}": True, f"{prefix}{readers.parent}__disclosed_at__isnull": False}
            audience |= Q(**open_now)
        found = self.surroundings(model, readers, prefix) & audience
        if readers.author and is_speaking(self.user):
            found |= Q(**{f"{prefix}{readers.parent}": None, f"{prefix}{readers.author}": self.user.pk})
        return found

    def personal(self, model: type[Model], readers: Personal, prefix: str) -> Q:
        if not is_cleared(self.user):
            return _nothing(prefix)
        mine = Q(**{f"{prefix}{readers.person}": self.user.pk})
        return mine & self.of(_model(model, readers.parent), f"{prefix}{readers.parent}__")

    def admissions(self, prefix: str) -> Q:
        if self.in_team:
            return _all(prefix)
        if not is_cleared(self.user):
            return _nothing(prefix)
        admin_of = Membership.objects.filter(user=self.user.pk, role=Membership.Role.ADMIN).values("organisation")
        mine = Q(**{f"{prefix}membership__user": self.user.pk})
        return mine | Q(**{f"{prefix}membership__organisation__in": admin_of})


def _all(prefix: str) -> Q:
    """Every row. An empty Q would not do: in an "or" it counts for nothing."""
    return ~_nothing(prefix)


def _nothing(prefix: str) -> Q:
    return Q(**{f"{prefix}pk__in": []})


def _model(model: type[Model], name: str) -> type[Model]:
    found: Any = model._meta.get_field(name).related_model
    return found  # type: ignore[no-any-return]


def _nullable(model: type[Model], name: str) -> bool:
    return bool(getattr(model._meta.get_field(name), "null", False))


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
