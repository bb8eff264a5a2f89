"""Commits that a member pushes: a series of patches, received like any upload."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backports.export.mbox import as_mbox
from backports.git.pushed import as_mails, made_of, new_commits
from backports.models import Attempt, BackportVersion, Branch
from backports.models.upload import CameBy
from xsa.models import Advisory, Organisation, User
from xsa.permissions import can_backport, demand

from .git_refs import Shown
from .receiving import Origin, Received, submit
from .siblings import tried_on_siblings, unfinished


def push(
    actor: User,
    *,
    organisation: Organisation,
    advisory: Advisory,
    branch: Branch,
    repository: Path,
    tip: str,
    among: Shown,
) -> Received:
    """Make a version of all commits of `tip` that `branch` has not; `among` is what the pusher was offered.

    They are in `repository`, which is thrown away. What the ladder left to a person on `branch` is tried on the sibling
    branches too, as what is finished in the browser is. Raises PermissionDenied, NotDone, GitError.
    """
    demand(can_backport(actor, organisation))
    attempts = [one for one in among.attempts if one.branch_id == branch.pk]
    versions = [one for one in among.versions if one.backport.branch_id == branch.pk]
    on = {branch.tip, *(one.tip for one in attempts), *(one.base for one in versions)}
    oids = new_commits(repository, tip, on=sorted(on), beside=_beside(branch, among))
    data = as_mbox(as_mails(repository, oids))
    open_cell = unfinished(advisory, branch)
    origin = _origin(repository, set(oids), attempts, versions)
    return submit(
        actor,
        organisation=organisation,
        name=f"xsa{advisory.number}-{branch.name}.mbox",
        data=data,
        advisory=advisory,
        branch=branch,
        came_by=CameBy.GIT,
        origin=replace(origin, siblings=tried_on_siblings(open_cell, data)) if open_cell else origin,
    )


def _beside(branch: Branch, among: Shown) -> list[str]:
    """Where the branches of its repository stand."""
    return [one.tip for one in among.branches if one.repository_id == branch.repository_id]


def _origin(repository: Path, oids: set[str], attempts: list[Attempt], versions: list[BackportVersion]) -> Origin:
    """The attempt, and the newest version, of whose commits some are among them."""
    attempt = next((one for one in attempts if oids & made_of(repository, one.result, one.tip)), None)
    newest = sorted(versions, key=lambda one: one.made_at, reverse=True)
    version = next((one for one in newest if oids & made_of(repository, one.result, one.base)), None)
    return Origin(version=version, attempt=attempt)
