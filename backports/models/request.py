from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class DoneRequest(models.Model):
    """That somebody's request with an idempotency key of theirs was done, so that it is not done a second time.

    `key` and `request` are digests, of the key and of what was asked: the address, which may name what is embargoed,
    is not kept. `thing` is the random id of what came of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("xsa.User", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    thing = models.UUIDField(null=True)
    status = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField()

    class Meta:
        ordering = ("-done_at", "id")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="one_request_per_key")]

    def __str__(self) -> str:
        return str(self.id)


class RateWindow(models.Model):
    """How many requests somebody made since `starts`, in seconds since 1970; all processes count here.

    `key` is a digest of who it is: a token, a person, or an address.
    """

    key = models.CharField(max_length=64, primary_key=True)
    starts = models.PositiveBigIntegerField()
    used = models.PositiveIntegerField()

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key
