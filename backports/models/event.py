from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from xsa.readers import Owned, Readers


class Event(models.Model):
    """Something that happened to an advisory, for programs that follow along: ids, and nothing of the content.

    `position` orders events as they were committed and is shown to nobody; a reader names the last event that they
    saw by its random id. What is `opens` is everybody's once the advisory is disclosed, and what has `shared_at` the
    room's; what has neither is the `organisation`'s own. `thing` is the id of what the event is about, `kind` one of
    `services.events.KINDS`.
    """

    readers: ClassVar[Readers] = Owned(
        "advisory", also="branch", builds_on="builds_on", shared="shared_at", opens="opens"
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="events")
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, null=True, related_name="+")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.CASCADE, null=True, related_name="+")
    thing = models.UUIDField(null=True)
    builds_on = ArrayField(models.PositiveIntegerField(), default=list)
    shared_at = models.DateTimeField(null=True)
    opens = models.BooleanField(default=False)

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
