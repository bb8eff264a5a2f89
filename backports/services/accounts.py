"""Mails about accounts: asked for by a page, made and sent by a worker, which alone looks up whose address it is."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from celery import shared_task
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from backports.mail import compose
from backports.models import DoneRequest, RateWindow
from xsa.models import Invitation, Membership, Organisation, PasswordReset, User
from xsa.models.account import INVITATION_LASTS
from xsa.services import invitations

log = logging.getLogger(__name__)
_AGAIN = (OSError, smtplib.SMTPException)  # a server that does not answer is asked again, for an hour


@transaction.atomic
def invite(
    actor: User | None, *, organisation: Organisation, email: str, role: str = "member", contact: bool = False
) -> Invitation:
    """Invite by mail; see `xsa.services.invitations.invite`."""
    row = invitations.invite(actor, organisation=organisation, email=email, role=Membership.Role(role), contact=contact)
    transaction.on_commit(lambda: mail_invitation.delay(str(row.pk)))
    return row


@transaction.atomic
def ask_for_password(*, email: str) -> None:
    """Somebody wants a new password for this address. The same is done whether it is anybody's."""
    row = PasswordReset.objects.create(email=email)
    transaction.on_commit(lambda: mail_password_reset.delay(str(row.pk)))


@shared_task(name="backports.mail_invitation", autoretry_for=_AGAIN, retry_backoff=10, max_retries=8)
def mail_invitation(pk: str) -> None:
    """Make the link and mail it, where the invitation is still open; a second time makes the first link worthless."""
    row = Invitation.objects.filter(pk=pk).first()
    token = invitations.make_token(row) if row else None
    if row is None or token is None:
        return
    compose.invitation(row.email, token, INVITATION_LASTS.days).send()
    log.info("invitation mailed invitation=%s", pk)


@shared_task(name="backports.mail_password_reset", autoretry_for=_AGAIN, retry_backoff=10, max_retries=8)
def mail_password_reset(pk: str) -> None:
    """Mail a link to the person who has this address, if there is one; nobody else gets anything."""
    row = PasswordReset.objects.filter(pk=pk).first()
    if row is None:
        return
    person = User.objects.filter(email__iexact=row.email, is_active=True).first()
    if person is not None:
        compose.password_reset(person.email, _reset_path(person)).send()
    # And those whose message was lost: nothing is to be kept of who asked.
    PasswordReset.objects.filter(Q(pk=row.pk) | Q(asked_at__lt=timezone.now() - timedelta(hours=1))).delete()
    log.info("password reset handled request=%s", pk)


@shared_task(name="backports.clear_expired")
def clear_expired() -> None:
    """Remove sessions that are over, and counts of logins and requests that nobody asks for any more."""
    call_command("clearsessions")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM xsa_cache WHERE expires < now()")
    forget_requests(timezone.now())


def forget_requests(now: datetime) -> int:
    """Remove rates and keys of requests that are older than two days; returns how many rows there were."""
    before = now - timedelta(days=2)
    rates, _ = RateWindow.objects.filter(starts__lt=int(before.timestamp())).delete()
    return rates + DoneRequest.objects.filter(done_at__lt=before).delete()[0]


def _reset_path(person: User) -> str:
    values = {"uidb36": user_pk_to_url_str(person), "key": default_token_generator.make_token(person)}
    return reverse("account_reset_password_from_key", kwargs=values)
