"""Organisations and the people in them: who comes, who may what there, who leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from xsa import audit
from xsa.identity import everything
from xsa.models import Admission, Invitation, Membership, Organisation, Session, User

from .tokens import end_tokens

log = logging.getLogger(__name__)
Leaving = Callable[[User | None, QuerySet[Membership]], None]
_when_leaving: list[Leaving] = []


def when_leaving(do: Leaving) -> None:
    """Have `do(actor, memberships)` done whenever people leave or their organisation leaves the list.

    It is called while the memberships are there, in the transaction that ends them. For parts of the house that xsa
    does not know; they say so when they are loaded.
    """
    if do not in _when_leaving:
        _when_leaving.append(do)


def _leave(actor: User | None, memberships: QuerySet[Membership]) -> None:
    for do in _when_leaving:
        do(actor, memberships)


class LastOfTheTeam(Exception):
    """Whoever is asked to go is the last admin of a security team, without whom nobody could run the room."""

    sentence = "This is the last admin of the security team. Make somebody else its admin first."


@transaction.atomic
def create_organisation(
    actor: User | None, *, name: str, listed: bool = False, security_team: bool = False
) -> Organisation:
    """An organisation; `listed` puts it on the predisclosure list. One of that name is returned as it is."""
    organisation, made = Organisation.objects.get_or_create(
        name=name, defaults={"listed": listed, "security_team": security_team}
    )
    if made:
        log.info("organisation made organisation=%s actor=%s", organisation.pk, actor.pk if actor else "system")
        audit.record("organisation-made", actor=actor, thing=organisation, organisation=organisation, listed=listed)
    return organisation


@transaction.atomic
def set_listed(actor: User | None, *, organisation: Organisation) -> None:
    """Put an organisation on the predisclosure list, also one that had left; taking it off is `remove_organisation`."""
    Organisation.objects.filter(pk=organisation.pk).update(listed=True, left_at=None)
    log.info("organisation listed organisation=%s actor=%s", organisation.pk, actor.pk if actor else "system")
    audit.record("organisation-listed", actor=actor, thing=organisation, organisation=organisation)


@transaction.atomic
def set_details(actor: User, *, organisation: Organisation, role_address: str, domains: list[str]) -> None:
    """Where mail to an organisation goes, and where its people's addresses end; its keys are set with proof."""
    organisation.role_address, organisation.domains = role_address, domains
    organisation.save(update_fields=["role_address", "domains"])
    log.info("organisation set organisation=%s actor=%s", organisation.pk, actor.pk)
    audit.record("organisation-set", actor=actor, thing=organisation, organisation=organisation)


@transaction.atomic
def create_person(
    actor: User | None,
    *,
    username: str,
    password: str,
    organisation: Organisation,
    role: str = Membership.Role.MEMBER,
    contact: bool = False,
    email: str = "",
) -> User:
    """A person in an organisation, with a password to log in. Raises IntegrityError when the name is taken."""
    person = User.objects.create_user(username, email, password)
    if email:
        EmailAddress.objects.create(user=person, email=email.lower(), verified=True, primary=True)
    membership = Membership.objects.create(user=person, organisation=organisation, role=role, contact=contact)
    log.info("person made person=%s actor=%s", person.pk, actor.pk if actor else "system")
    audit.record("person-made", actor=actor, thing=membership, organisation=organisation, role=role, contact=contact)
    return person


@transaction.atomic
def set_membership(actor: User, *, membership: Membership, role: str, contact: bool) -> None:
    """What a member may do in the organisation, and whether they see its embargoed advisories. Raises LastOfTheTeam."""
    if role != Membership.Role.ADMIN:
        _keep_an_admin(membership)
    membership.role, membership.contact = Membership.Role(role), contact
    membership.save(update_fields=["role", "contact"])
    log.info("membership set membership=%s actor=%s", membership.pk, actor.pk)
    audit.record(
        "membership-set",
        actor=actor,
        thing=membership,
        organisation=membership.organisation,
        role=membership.role,
        contact=contact,
    )


@transaction.atomic
def remove_person(actor: User | None, *, membership: Membership) -> None:
    """End a membership, and with it at once whatever it gave: sessions, tokens, rooms, invitations.

    The person stays, for other organisations and as a name in the audit. Raises LastOfTheTeam.
    """
    _keep_an_admin(membership)
    person, organisation = membership.user, membership.organisation
    _leave(actor, Membership.objects.filter(pk=membership.pk))
    _end_memberships(Membership.objects.filter(pk=membership.pk))
    end_sessions(User.objects.filter(pk=person.pk))
    end_tokens(actor, user=person, organisation=organisation)
    theirs = Q(invited_by=person) | Q(email__iexact=person.email)
    _revoke(Invitation.objects.filter(theirs, organisation=organisation))
    log.info("person removed person=%s organisation=%s", person.pk, organisation.pk)
    audit.record("person-removed", actor=actor, thing=person, organisation=organisation)


@transaction.atomic
def remove_organisation(actor: User | None, *, organisation: Organisation, whole: bool = False) -> None:
    """Take an organisation off the predisclosure list; `whole` ends its memberships too.

    Sessions of its people, tokens, rooms and open invitations end in the same transaction. Raises LastOfTheTeam.
    """
    if organisation.security_team and whole:
        raise LastOfTheTeam(LastOfTheTeam.sentence)
    people = list(User.objects.filter(memberships__organisation=organisation))
    memberships = Membership.objects.filter(organisation=organisation)
    left = timezone.now() if whole else None
    _leave(actor, memberships)
    Organisation.objects.filter(pk=organisation.pk).update(listed=False, left_at=left)
    with everything("members"):
        Admission.objects.filter(membership__in=memberships).delete()
    if whole:
        _end_memberships(memberships)
    end_sessions(User.objects.filter(pk__in=[one.pk for one in people]))
    end_tokens(actor, organisation=organisation)
    _revoke(Invitation.objects.filter(organisation=organisation))
    log.info("organisation removed organisation=%s whole=%s people=%d", organisation.pk, whole, len(people))
    audit.record("organisation-removed", actor=actor, thing=organisation, organisation=organisation, whole=whole)


def _keep_an_admin(membership: Membership) -> None:
    """The admins are locked, so that two who leave at once do not each count on the other."""
    if not membership.organisation.security_team or membership.role != Membership.Role.ADMIN:
        return
    admins = Membership.objects.select_for_update().filter(
        organisation=membership.organisation, role=Membership.Role.ADMIN, user__is_active=True
    )
    if {one.pk for one in admins} <= {membership.pk}:
        raise LastOfTheTeam(LastOfTheTeam.sentence)


def _end_memberships(memberships: QuerySet[Membership]) -> None:
    """With the admissions that hang on them, which whoever ends them need not see."""
    with everything("members"):
        memberships.delete()


def end_sessions(people: QuerySet[User]) -> int:
    """Log people out everywhere; how many sessions there were."""
    ended, _ = Session.objects.filter(user__in=people).delete()
    UserSession.objects.filter(user__in=people).delete()
    return ended


def _revoke(invitations: QuerySet[Invitation]) -> None:
    invitations.filter(used_at=None, revoked_at=None).update(revoked_at=timezone.now())


@transaction.atomic
def reset_second_factor(actor: User | None, *, person: User) -> None:
    """Forget a person's second factors and recovery codes, and log them out; they set up a new one next time."""
    Authenticator.objects.filter(user=person).delete()
    end_sessions(User.objects.filter(pk=person.pk))
    log.info("second factor reset person=%s actor=%s", person.pk, actor.pk if actor else "system")
    audit.record("second-factor-reset", actor=actor, thing=person)
