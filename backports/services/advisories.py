"""Advisories that came in: kept, and tried on every branch that lacks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from backports.models import Repository
from xsa.models import Advisory, User
from xsa.services.ingest import Ingested, ingest_files

from . import attempts
from .planning import plan


def newest_release(project: str) -> str | None:
    """The newest `4.N` of a project, the upper end of ranges such as "xen-unstable - 4.11"."""
    repository = Repository.objects.filter(project=project, organisation=None).first()
    branch = repository.branches.filter(rank__lt=9998, gone=False).first() if repository else None
    return branch.name if branch else None


def ingest(
    actor: User | None,
    *,
    files: Mapping[str, bytes],
    project: str = "xen",
    planned: datetime | None = None,
    certs: Sequence[bytes] = (),
) -> list[Ingested]:
    """Take in files in the layout that Xen publishes, and queue attempts for what is new."""
    results = ingest_files(
        actor, files=files, tree=project, planned=planned, certs=certs, newest=newest_release(project)
    )
    changed = [result.number for result in results if result.changed and result.number is not None]
    if changed:
        advisories = list(Advisory.objects.filter(number__in=changed))
        for repository in Repository.objects.filter(project=project):
            plan(repository, because="new advisory version", advisories=advisories)
        attempts.send()
    return results
