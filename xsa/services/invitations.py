"""Invitations: made, mailed, accepted, revoked. Whoever holds the token of one has read mail to its address."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from xsa import audit
from xsa.models import Invitation, Membership, Organisation, User
from xsa.models.account import INVITATION_LASTS

from .digests import digest_of

log = logging.getLogger(__name__)


class InvitationRefused(Exception):
    """It cannot be used; one sentence for every reason, so that it tells nobody which."""

    sentence = (
        "This invitation cannot be used here. It was used, ended or is over, or it is for another address than that of "
        "the account you are logged in with. Log out and open the link again, or ask for a new invitation."
    )


class NameTaken(Exception):
    """An account of that name exists."""


@transaction.atomic
def invite(
    actor: User | None,
    *,
    organisation: Organisation,
    email: str,
    role: str = Membership.Role.MEMBER,
    contact: bool = False,
    lasts: timedelta = INVITATION_LASTS,
) -> Invitation:
    """Ask whoever reads mail to `email` to join; an earlier open invitation to it ends. It has no token yet."""
    now = timezone.now()
    address = email.strip().lower()
    # Two at once for one address: the second waits here for the first.
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    _open(organisation, address).update(revoked_at=now)
    row = Invitation.objects.create(
        organisation=organisation,
        email=address,
        role=Membership.Role(role),
        contact=contact,
        invited_by=actor,
        expires_at=now + lasts,
    )
    log.info("invited invitation=%s actor=%s", row.pk, actor.pk if actor else "system")
    audit.record("invited", actor=actor, thing=row, organisation=organisation, role=row.role, contact=contact)
    return row


def _open(organisation: Organisation, address: str) -> Any:
    return Invitation.objects.filter(organisation=organisation, email=address, used_at=None, revoked_at=None)


def make_token(invitation: Invitation) -> str | None:
    """A new token for the link; an earlier one is worth nothing from then on. None when it is not open any more."""
    token = secrets.token_urlsafe(32)
    still = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None, expires_at__gt=timezone.now())
    made = still.update(token_hash=digest_of(token), mailed_at=timezone.now())
    return token if made else None


def find(token: str) -> Invitation | None:
    """The invitation that this token still opens."""
    row = Invitation.objects.select_related("organisation").filter(token_hash=digest_of(token)).first()
    return row if row is not None and row.is_open() else None


@transaction.atomic
def accept(actor: User | None, *, token: str, username: str = "", password: str = "") -> User:
    """Join: as the account that is logged in, or, for nobody, with a new account of this name and password.

    Raises InvitationRefused, also when the address has an account already that is not the one logged in, and NameTaken.
    """
    row = _claim(token)
    holder = User.objects.filter(email__iexact=row.email).first()
    if holder != actor:
        raise InvitationRefused
    person = actor or _create(row, username, password)
    Membership.objects.update_or_create(
        user=person, organisation=row.organisation, defaults={"role": row.role, "contact": row.contact}
    )
    row.used_at, row.used_by = timezone.now(), person
    row.save(update_fields=["used_at", "used_by"])
    log.info("invitation accepted invitation=%s person=%s", row.pk, person.pk)
    audit.record("invitation-accepted", actor=person, thing=row, organisation=row.organisation)
    return person


def _claim(token: str) -> Invitation:
    """Two who accept at once come here one after the other. Raises InvitationRefused."""
    found = find(token)
    if found is None:
        raise InvitationRefused
    row = Invitation.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=found.pk)
    if not row.is_open() or row.token_hash != digest_of(token) or row.organisation.left_at is not None:
        raise InvitationRefused
    return row


def _create(row: Invitation, username: str, password: str) -> User:
    if User.objects.filter(username__iexact=username).exists():
        raise NameTaken(username)
    person = User.objects.create_user(username, row.email, password)
    EmailAddress.objects.create(user=person, email=row.email, verified=True, primary=True)
    return person


@transaction.atomic
def revoke(actor: User, *, invitation: Invitation) -> bool:
    """End an open invitation; False when it was not open any more."""
    rows = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None)
    ended = rows.update(revoked_at=timezone.now()) == 1
    if ended:
        log.info("invitation revoked invitation=%s actor=%s", invitation.pk, actor.pk)
        audit.record("invitation-revoked", actor=actor, thing=invitation, organisation=invitation.organisation)
    return ended
