from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q


class Webhook(models.Model):
    """An address that is told of the events that a token shows, by their ids; it ends with its token.

    `position` is that of the last event that was sent or passed over. After a failure it is tried again at `next_at`,
    `failures` times in a row so far; `status` is what the address answered last (0: nothing). Its signing secret is
    not kept (`services.webhooks`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.ForeignKey("xsa.ApiToken", on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    position = models.PositiveBigIntegerField(default=0)
    made_at = models.DateTimeField()
    next_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token", "url"], condition=Q(ended_at=None), name="one_webhook_per_address")
        ]
        indexes: ClassVar = [models.Index(fields=["next_at"], condition=Q(ended_at=None), name="webhook_due")]

    def __str__(self) -> str:
        return str(self.id)
