"""The record of who saw and did what; rows are only ever added (`xsa.audit`)."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from xsa.readers import Readers, Records


class AuditRecord(models.Model):
    """One thing that somebody saw or did. It holds words and not foreign keys, since it outlives what it is about.

    `position` counts without a gap and is for the security team; what others are shown of a record's place is its
    random id. `organisations` are those of the actor, and the one that a thing was done to: their members may read
    the record as far as they may see all of `advisories`. `previous` is the hash of the record before.
    """

    readers: ClassVar[Readers] = Records()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    verb = models.CharField(max_length=40)
    actor = models.CharField(max_length=40, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    organisation = models.TextField(blank=True)
    organisations = ArrayField(models.UUIDField(), default=list, blank=True)
    advisories = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    thing = models.CharField(max_length=100, blank=True)
    address = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("-position",)
        indexes: ClassVar = [
            GinIndex(fields=["advisories"], name="audit_advisories"),
            GinIndex(fields=["organisations"], name="audit_organisations"),
            models.Index(fields=["actor", "at"], name="audit_actor_at"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.verb}"
