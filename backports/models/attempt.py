from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from backports.engine.result import Confidence, Outcome, Rung
from xsa.readers import Readers, Under


def _choices(values: type[Outcome] | type[Rung] | type[Confidence]) -> list[tuple[str, str]]:
    return [(value.value, value.value) for value in values]


class Attempt(models.Model):
    """One run of the ladder: an advisory's fixes on a branch at a commit, with its outcome.

    The row is the truth about its task: claimed with a lease, finished once, swept back
    when the lease runs out. The `current` one of an advisory and branch is its cell in the
    matrix; older ones stay as history. `input_key` is a digest of everything that the
    outcome depends on but for the tree, `tip` the commit it was tried on and `seen_tip` the
    last one found to make no difference. `above` is our accepted result on the next newer branch that
    was at hand when it was tried ("": none), and `source_attempt` the attempt that made it, when that was
    the best source. `probability` says how likely the result is right, the source's own share in it.
    `evidence` is what `services.evidence` writes, and `services.explained` adds to it at `explained_at`.
    """

    readers: ClassVar[Readers] = Under("advisory", builds_on="prerequisites", also="branch")

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="attempts")
    branch = models.ForeignKey("backports.Branch", on_delete=models.CASCADE, related_name="attempts")
    current = models.BooleanField(default=True)
    input_key = models.CharField(max_length=64)
    tip = models.CharField(max_length=40)
    seen_tip = models.CharField(max_length=40)
    because = models.CharField(max_length=30)

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    starts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    explained_at = models.DateTimeField(null=True)

    outcome = models.CharField(max_length=20, choices=_choices(Outcome), blank=True)
    rung = models.CharField(max_length=20, choices=_choices(Rung), blank=True)
    fuzz = models.PositiveSmallIntegerField(default=0)
    confidence = models.CharField(max_length=10, choices=_choices(Confidence), blank=True)
    probability = models.FloatField(null=True)
    hunks_landed = models.PositiveIntegerField(default=0)
    hunks_total = models.PositiveIntegerField(default=0)
    source = models.ForeignKey("xsa.Fix", on_delete=models.SET_NULL, null=True, related_name="+")
    source_attempt = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    above = models.CharField(max_length=40, blank=True)
    result = models.CharField(max_length=40, blank=True)
    reasons = models.JSONField(default=list)
    prerequisites = ArrayField(models.PositiveIntegerField(), default=list)
    paths = ArrayField(models.TextField(), default=list)
    evidence = models.JSONField(default=dict)
    problem_code = models.CharField(max_length=50, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ("-created_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisory", "branch"], condition=Q(current=True), name="one_current_attempt_per_cell"
            ),
            models.CheckConstraint(name="done_attempts_have_an_outcome", condition=~Q(state="done") | ~Q(outcome="")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "sent_at"], condition=Q(current=True), name="attempt_open"),
            models.Index(fields=["branch", "outcome"], condition=Q(current=True), name="attempt_branch_outcome"),
            models.Index(
                fields=["finished_at"],
                condition=Q(current=True, explained_at=None, outcome__in=["conflict", "partly-applied"]),
                name="attempt_unexplained",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
