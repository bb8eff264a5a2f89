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
Condition = Q | bool


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
    condition = _Sight(user).of(things.model)
    if isinstance(condition, Q):
        return things.filter(condition)
    return things if condition else things.none()


class _Sight:
    """What one reader may see, as conditions on models; `prefix` leads to the model that a condition is about.

    True stands for every row and False for none, so that the query asks for nothing that the reader settles.
    """

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

    def of(self, model: type[Model], prefix: str = "") -> Condition:
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
        return not isinstance(readers, Records)

    def advisories(self, prefix: str) -> Condition:
        return self.sees_all or _either(Q(**{f"{prefix}disclosed_at__isnull": False}), self.rooms_at(f"{prefix}pk"))

    def rooms_at(self, path: str) -> Condition:
        """Whether the advisory at `path` is one whose room the reader shares."""
        return self.sees_all or (bool(self.rooms) and Q(**{f"{path}__in": self.rooms}))

    def under(self, model: type[Model], readers: Under, prefix: str) -> Condition:
        found = self.surroundings(model, readers, prefix)
        if readers.audience == "room":
            found = _both(found, self.rooms_at(f"{prefix}{readers.parent}"))
        if readers.audience == "team":
            found = _both(found, self.in_team)
        if readers.orphans_for_the_team and self.in_team:
            found = _either(found, Q(**{f"{prefix}{readers.parent}": None}))
        return found

    def surroundings(self, model: type[Model], readers: Under | Owned, prefix: str) -> Condition:
        """What else must be visible for a row to be: its parent, what it builds on, the other row that it hangs on."""
        found = self.of(_model(model, readers.parent), f"{prefix}{readers.parent}__")
        if _nullable(model, readers.parent):
            found = _both(found, Q(**{f"{prefix}{readers.parent}__isnull": False}))
        if readers.builds_on and not self.sees_all:
            hidden = Advisory.objects.filter(disclosed_at=None).exclude(pk__in=self.rooms).values("number")
            found = _both(found, ~Q(**{f"{prefix}{readers.builds_on}__overlap": hidden}))
        if readers.also:
            also = self.of(_model(model, readers.also), f"{prefix}{readers.also}__")
            none = _nullable(model, readers.also) and Q(**{f"{prefix}{readers.also}": None})
            found = _both(found, _either(none, also))
        return found

    def kept(self, prefix: str) -> Condition:
        found = _either(Q(**{f"{prefix}organisation": None}), self.owns(prefix))
        if any(one.listed or one.security_team for one in self.own):
            found = _either(found, Q(**{f"{prefix}visibility": "room"}))
        return found

    def owns(self, prefix: str) -> Condition:
        return bool(self.own) and Q(**{f"{prefix}organisation__in": self.own})

    def owned(self, model: type[Model], readers: Owned, prefix: str) -> Condition:
        audience = self.owns(prefix)
        if readers.shared:
            shared = Q(**{f"{prefix}{readers.shared}__isnull": False})
            audience = _either(audience, _both(shared, self.rooms_at(f"{prefix}{readers.parent}")))
        if readers.opens and not (readers.shared and self.sees_all):  # only what is shared opens
            open_now = {f"{prefix}{readers.opens}": True, f"{prefix}{readers.parent}__disclosed_at__isnull": False}
            audience = _either(audience, Q(**open_now))
        found = _both(self.surroundings(model, readers, prefix), audience)
        if readers.author and is_speaking(self.user):
            own = Q(**{f"{prefix}{readers.parent}": None, f"{prefix}{readers.author}": self.user.pk})
            found = _either(found, own)
        return found

    def personal(self, model: type[Model], readers: Personal, prefix: str) -> Condition:
        if not is_cleared(self.user):
            return False
        mine = Q(**{f"{prefix}{readers.person}": self.user.pk})
        return _both(mine, self.of(_model(model, readers.parent), f"{prefix}{readers.parent}__"))

    def admissions(self, prefix: str) -> Condition:
        if self.in_team or not is_cleared(self.user):
            return self.in_team
        admin_of = Membership.objects.filter(user=self.user.pk, role=Membership.Role.ADMIN).values("organisation")
        mine = Q(**{f"{prefix}membership__user": self.user.pk})
        return mine | Q(**{f"{prefix}membership__organisation__in": admin_of})


def _both(one: Condition, other: Condition) -> Condition:
    if isinstance(one, Q) and isinstance(other, Q):
        return one & other
    settled, left = (other, one) if isinstance(one, Q) else (one, other)
    return left if settled else False


def _either(one: Condition, other: Condition) -> Condition:
    if isinstance(one, Q) and isinstance(other, Q):
        return one | other
    settled, left = (other, one) if isinstance(one, Q) else (one, other)
    return True if settled else left


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
