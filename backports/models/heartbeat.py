from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """When a worker, or the scheduler, last said that it is alive."""

    name = models.CharField(max_length=200, primary_key=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
