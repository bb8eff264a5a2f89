"""Tokens by which programs ask in a person's name."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .people import Organisation, User


class ApiToken(models.Model):
    """A person's token, or a robot's that an organisation's admin answers for. Its secret is kept as a digest only.

    It opens no more than its person may see, and of that only what is disclosed, unless `embargoed`: then the
    `advisories` that it names, until their embargo ends. Empty `advisories` and `branches` limit nothing.
    `prefix` is the public part of the secret. `last_used_at` is exact to the hour.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        ROBOT = "robot"

    class Verb(models.TextChoices):
        READ = "read"
        UPLOAD = "upload"
        REVIEW = "review"
        CHECK = "check"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    verbs = ArrayField(models.CharField(max_length=10, choices=Verb.choices))
    embargoed = models.BooleanField(default=False)
    advisories = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    branches = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints: ClassVar = [
            models.CheckConstraint(
                name="what_is_embargoed_is_named",
                condition=models.Q(embargoed=False) | models.Q(advisories__len__gt=0),
            )
        ]

    def __str__(self) -> str:
        return self.prefix
