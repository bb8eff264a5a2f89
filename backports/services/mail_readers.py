"""Whose eyes a mail is written with, and where it goes; asked when it is sent, never kept."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from backports.pgp import KeyState, inspect
from xsa.models import Membership, Organisation, User
from xsa.speaking import speak_for
from xsa.visibility import Reader

from . import keys


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail goes and what it is encrypted to; `fingerprint` is "" where there is no usable key."""

    name: str
    address: str
    fingerprint: str = ""
    armoured: str = ""


def eyes_of(organisation: Organisation | None, person: User | None) -> Reader | None:
    """In whose name the database is asked; None where nobody may read for them any more.

    For a person themselves, cleared only where they have a second factor; for an organisation one of its security
    contacts, who speaks for it alone, or else nobody, who is shown what is disclosed.
    """
    if person is not None:
        return _own_eyes(person)
    return _contact(organisation) if organisation is not None else None


def _own_eyes(person: User) -> User | None:
    user = User.objects.filter(pk=person.pk, is_active=True).first()
    if user is not None:
        user.cleared = Authenticator.objects.filter(user=user).exists()
    return user


def _contact(organisation: Organisation) -> Reader | None:
    """Of the team's own people one of the team; of others one who is not of the team, which sees more."""
    rows = Membership.objects.filter(organisation=organisation, contact=True, user__is_active=True)
    if not organisation.security_team:
        rows = rows.exclude(user__memberships__organisation__security_team=True)
    row = rows.select_related("user").order_by("user__username").first()
    if organisation.left_at is not None:
        return None
    return speak_for(row.user, organisation) if row else AnonymousUser()


def place_of(organisation: Organisation | None, person: User | None) -> Place | None:
    """Where mail to them goes now; None where they have no address, or are gone."""
    holder: Organisation | User | None = organisation or person
    if holder is None:
        return list_place()
    address = holder.role_address if isinstance(holder, Organisation) else holder.email
    is_gone = holder.left_at is not None if isinstance(holder, Organisation) else not holder.is_active
    if not address or is_gone:
        return None
    name = holder.name if isinstance(holder, Organisation) else holder.get_username()
    key = keys.standing(holder).current
    return Place(name, address, key.fingerprint, key.armoured) if key else Place(name, address)


def list_place() -> Place | None:
    """The private list, with its own key where the settings name one and its fingerprint is the pinned one."""
    if not settings.MAIL_LIST:
        return None
    name, address = parseaddr(settings.MAIL_LIST)
    try:
        armoured = Path(settings.MAIL_LIST_KEY).read_text() if settings.MAIL_LIST_KEY else ""
    except (OSError, ValueError):
        armoured = ""
    found = inspect(armoured, now=timezone.now(), fingerprint=settings.MAIL_LIST_FINGERPRINT)
    if found.state != KeyState.USABLE or not settings.MAIL_LIST_FINGERPRINT:
        return Place(name, address)
    return Place(name, address, found.fingerprint, armoured)
