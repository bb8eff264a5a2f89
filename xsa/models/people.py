"""People and organisations.

Ids that a reader can meet are random: a sequence would tell outsiders how much they do not see.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from xsa.readers import Admissions, Readers


class Organisation(models.Model):
    """A company or project. `listed` ones are on the predisclosure list and may see what is embargoed.

    One that left (`left_at`) stays as a name beside what it once said; nobody belongs to it.
    Its name is public. `role_address`, `pgp_key` (to encrypt mail to it; armoured) and `domains` (of its people's mail,
    empty for any) are for its members and the security team.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    listed = models.BooleanField(default=False)
    security_team = models.BooleanField(default=False)
    role_address = models.EmailField(blank=True)
    domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    pgp_key = models.TextField(blank=True, default="")
    pgp_fingerprint = models.CharField(max_length=64, blank=True, default="")
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person. What they may see follows from their memberships, never from a flag of their own.

    `cleared` is no column: it says that this object stands for somebody who proved a second factor in this
    session, or for a person in whose name the machine works. Without it nothing embargoed is shown. Nor are `only` and
    `branches`: they say that a token asks, which is good for these embargoed advisories, or on these branches, alone;
    it speaks for the organisation `speaks_for`, and for no other of its person's.
    """

    cleared: bool = False
    only: tuple[int, ...] = ()
    branches: tuple[str, ...] = ()
    speaks_for: uuid.UUID | None = None
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)


class Membership(models.Model):
    """A person belongs to an organisation, as its admin or as a member.

    A `contact` is one of its named security contacts, who see every embargoed advisory while the organisation is
    listed; other members see those that they were let into (`Admission`).
    """

    class Role(models.TextChoices):
        ADMIN = "admin"
        MEMBER = "member"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    contact = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation"], name="one_membership_per_organisation")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organisation_id}"


class Admission(models.Model):
    """A member was let into one advisory's room by an admin of the organisation or the security team.

    It hangs on the membership, so that it ends with it.
    """

    readers: ClassVar[Readers] = Admissions()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="admissions")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="admissions")
    admitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    admitted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-admitted_at",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["advisory", "membership"], name="one_admission_each")]

    def __str__(self) -> str:
        return f"{self.membership_id} to {self.advisory_id}"
