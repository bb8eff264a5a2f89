from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from xsa.readers import Owned, Readers, Under


class Comment(models.Model):
    """What somebody wrote, in the name of their organisation: about an advisory, a backport, or a line of a version.

    The first of a thread has no `thread`; answers name the first. A thread is resolved by an answer of that kind and
    opened again by one; rows are only added. `version` and `quoted` are of the first of a thread about a line: the
    lines around it as they were, each `[tag, text]`, the one that is meant at `quoted_at` (from 0).

    Members keep what they discuss among themselves, also after disclosure; what is said about a line `opens` with the
    backport. What is said about a draft has no `shared_at`, and stays with its organisation. `mentions` are the words
    in the text that named somebody in the room: `{"word", "organisation": its name, "person": true for a person's}`.
    """

    readers: ClassVar[Readers] = Owned("advisory", also="backport", shared="shared_at", opens="opens")

    class Kind(models.TextChoices):
        SAY = "say", "says"
        RESOLVE = "resolve", "resolved it"
        REOPEN = "reopen", "opened it again"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    advisory = models.ForeignKey("xsa.Advisory", on_delete=models.CASCADE, related_name="comments")
    backport = models.ForeignKey("backports.Backport", on_delete=models.CASCADE, null=True, related_name="comments")
    version = models.ForeignKey(
        "backports.BackportVersion", on_delete=models.CASCADE, null=True, related_name="comments"
    )
    thread = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="answers")
    organisation = models.ForeignKey("xsa.Organisation", on_delete=models.PROTECT, related_name="comments")
    made_by = models.ForeignKey("xsa.User", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SAY, db_default=Kind.SAY)
    text = models.TextField(blank=True)
    mentions = models.JSONField(default=list)
    quoted = models.JSONField(default=list)
    quoted_at = models.PositiveSmallIntegerField(default=0)
    shared_at = models.DateTimeField(null=True)
    opens = models.BooleanField(default=False)

    class Meta:
        ordering = ("made_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(name="comments_say_something", condition=~Q(kind="say") | ~Q(text="")),
            models.CheckConstraint(name="first_of_a_thread_says", condition=Q(kind="say") | Q(thread__isnull=False)),
            models.CheckConstraint(
                name="lines_are_of_backports", condition=Q(version=None) | Q(backport__isnull=False)
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["advisory", "made_at"], name="comment_latest")]

    def __str__(self) -> str:
        return str(self.id)


class CommentPlace(models.Model):
    """Where the line that a comment is about stands in a version: patch, file of it, hunk of that, and line, from 1.

    `file_line` is its number in the file, on the side that has it (`old` for a line that is removed). Without a
    `line` it went away with this version.
    """

    readers: ClassVar[Readers] = Under("comment", also="version")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="places")
    version = models.ForeignKey("backports.BackportVersion", on_delete=models.CASCADE, related_name="comment_places")
    path = models.TextField(blank=True)
    patch = models.PositiveSmallIntegerField(default=0)
    file = models.PositiveIntegerField(default=0)
    hunk = models.PositiveIntegerField(default=0)
    line = models.PositiveIntegerField(default=0)
    file_line = models.PositiveIntegerField(default=0)
    old = models.BooleanField(default=False)

    class Meta:
        ordering = ("patch", "file", "hunk", "line")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["comment", "version"], name="one_comment_place_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.comment_id} {self.anchor}"

    @property
    def anchor(self) -> str:
        """The line's own address on the version's page (`web.diffs`); "" when it is outdated there."""
        return f"p{self.patch}-f{self.file}-h{self.hunk}-{self.line}" if self.line else ""
