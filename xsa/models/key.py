"""Public OpenPGP keys of organisations and people, as they proved to hold them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from .people import Organisation, User


class PgpKey(models.Model):
    """A public key that an organisation or a person pinned, by its full fingerprint; never fetched from anywhere.

    Mail is encrypted to the holder's newest key that is usable. Older ones stay good for checking signatures until
    `retires_at`, which is set when a newer one is added. `state` (a word of `backports.pgp.KeyState`) and `expires_at`
    are as of `checked_at`. `warned_days` is the last alarm: how many days before the end it was, 0 for over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, null=True, related_name="pgp_keys")
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="pgp_keys")
    armoured = models.TextField()
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=10)
    expires_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField()
    warned_days = models.PositiveSmallIntegerField(null=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    retires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-added_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="keys_have_one_holder",
                condition=Q(organisation__isnull=False, person=None) | Q(organisation=None, person__isnull=False),
            ),
            models.UniqueConstraint(
                name="one_live_key_per_holder",
                fields=["organisation", "person", "fingerprint"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.fingerprint
