from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from xsa.readers import Readers, Under


class Compilation(models.Model):
    """That an attempt's result is to be compiled, is compiled now, or was.

    The row is the truth about its task: taken with a lease until `until` and finished once; a waiting one is
    sent again from then on. What was found is in the attempt's evidence.
    """

    readers: ClassVar[Readers] = Under("attempt")

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"

    attempt = models.OneToOneField(
        "backports.Attempt", on_delete=models.CASCADE, primary_key=True, related_name="compilation"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    lease = models.UUIDField(null=True)
    until = models.DateTimeField(null=True)

    class Meta:
        ordering = ("attempt",)
        indexes: ClassVar = [models.Index(fields=["until"], condition=~Q(state="done"), name="compilation_open")]

    def __str__(self) -> str:
        return str(self.attempt_id)
