"""Organisations and the people in them."""

from __future__ import annotations

import logging

from django.db import transaction

from xsa.models import Membership, Organisation, User

log = logging.getLogger(__name__)


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
    return organisation


@transaction.atomic
def create_person(
    actor: User | None,
    *,
    username: str,
    password: str,
    organisation: Organisation,
    role: str = Membership.Role.MEMBER,
    email: str = "",
) -> User:
    """A person in an organisation, with a password to log in. Raises IntegrityError when the name is taken."""
    person = User.objects.create_user(username, email, password)
    Membership.objects.create(user=person, organisation=organisation, role=role)
    log.info("person made person=%s actor=%s", person.pk, actor.pk if actor else "system")
    return person
