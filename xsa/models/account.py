"""How people come in and stay in: invitations, sessions, and who asked for a new password."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .people import Membership, Organisation, User

INVITATION_LASTS = timedelta(days=7)


def _a_week_from_now() -> datetime:
    return timezone.now() + INVITATION_LASTS


class Invitation(models.Model):
    """Somebody was asked, by mail to one address, to become a member of an organisation.

    Only a digest of the token in the mailed link is kept; `token_hash` is empty until the mail was made. It can be
    used once, until `expires_at`, by the address that it went to.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Membership.Role.choices, default=Membership.Role.MEMBER)
    contact = models.BooleanField(default=False)
    token_hash = models.CharField(max_length=64, blank=True, default="")
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=_a_week_from_now)
    mailed_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes: ClassVar = [models.Index(fields=["token_hash"], name="invitation_token")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_open_invitation_for_an_address",
                fields=["organisation", "email"],
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def is_open(self) -> bool:
        """Whether it can still be used."""
        return self.used_at is None and self.revoked_at is None and timezone.now() < self.expires_at


class PasswordReset(models.Model):
    """Somebody typed an address to get a new password; gone once a worker has looked whose it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    asked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.pk)


class Session(AbstractBaseSession):
    """A browser's session, which knows whose it is, so that all of a person's can be ended by one statement."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        verbose_name = "session"
