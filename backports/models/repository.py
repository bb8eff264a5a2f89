from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from backports.git.mirror import branch_name
from xsa.readers import Kept, Readers, Under

HIGHEST_VERSION = 9_900  # ranks above it are master's and staging's


class Repository(models.Model):
    """A git repository that we mirror, under `var/git/<name>.git`.

    `project` says which fixes are for it: those whose `tree` has the same name. An
    organisation's own repository of Xen has the project `xen` too; with the `visibility` of the room it is for
    everybody who belongs to a listed organisation, else for its own people. One from source packages has no `url`:
    each package that was imported is a branch. Of an organisation's heads those are followed that `heads` names, or
    else all with a version in their name.
    """

    readers: ClassVar[Readers] = Kept()

    class Visibility(models.TextChoices):
        ORGANISATION = "organisation"
        ROOM = "room"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=100, unique=True)
    project = models.SlugField(max_length=50)
    url = models.CharField(max_length=500, blank=True)
    organisation = models.ForeignKey(
        "xsa.Organisation", on_delete=models.CASCADE, null=True, blank=True, related_name="repositories"
    )
    visibility = models.CharField(
        max_length=20, choices=Visibility.choices, default=Visibility.ORGANISATION, db_default=Visibility.ORGANISATION
    )
    heads = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    fetched_at = models.DateTimeField(null=True)
    mined_at = models.DateTimeField(null=True)
    problem_code = models.CharField(max_length=50, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name

    @property
    def of_packages(self) -> bool:
        """Whether it is an organisation's source packages, of which nothing is fetched and none has a history."""
        return self.organisation_id is not None and not self.url


class Branch(models.Model):
    """One maintained line of a repository: `4.1` for `stable-4.1`, or `master`, `staging`.

    `rank` sorts versions as numbers, master last. The dates of support are as upstream
    gives them, to the month or the day. `history_only` ones are shown and never tried.
    """

    readers: ClassVar[Readers] = Under("repository")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="branches")
    name = models.CharField(max_length=100)
    ref = models.CharField(max_length=200)
    tip = models.CharField(max_length=40)
    tip_date = models.DateTimeField()
    rank = models.PositiveIntegerField()
    release_tag = models.CharField(max_length=100, blank=True)
    released = models.CharField(max_length=10, blank=True)
    bugfix_until = models.CharField(max_length=10, blank=True)
    security_until = models.CharField(max_length=10, blank=True)
    history_only = models.BooleanField(default=False)
    gone = models.BooleanField(default=False)

    class Meta:
        ordering = ("repository", "-rank")
        verbose_name_plural = "branches"
        constraints: ClassVar = [models.UniqueConstraint(fields=["repository", "name"], name="one_branch_per_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        """What upstream calls the branch that this one continues: `4.1`; `master` and `staging` are themselves."""
        return self.name if self.rank > HIGHEST_VERSION else f"{self.rank // 100}.{self.rank % 100}"

    @property
    def in_mirror(self) -> str:
        """The name by which `backports.git` knows it: upstream's names, or else the full ref."""
        return self.name if branch_name(self.ref) == self.name else self.ref
