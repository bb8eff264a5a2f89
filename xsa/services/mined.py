"""Advisories as a public repository tells of them: its fix commits, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from xsa import audit
from xsa.models import Advisory, AdvisoryVersion, Fix, FixPatch, User

from .disclose import disclose
from .fixes import drop_fixes

MINED = 0  # the version number that stands for "as found in the repository"


@dataclass(frozen=True, slots=True)
class MinedCommit:
    """A commit that is part of a fix: its oid, subject, the CVEs that it names, and when it was committed."""

    oid: str
    subject: str
    cves: tuple[str, ...]
    committed_at: datetime


MinedFixes = Mapping[str, Sequence[MinedCommit]]  # branch name -> its commits, in order


@transaction.atomic
@audit.at_the_end()
def record_mined(actor: User | None, *, repository: str, tree: str, advisories: Mapping[int, MinedFixes]) -> list[int]:
    """Keep what was mined; returns the numbers of the advisories that are new or changed.

    An advisory that nobody knew is disclosed as of its first commit, since the commit is
    public. One that is known and embargoed stays so: only a person decides that a commit
    in public ends an embargo.
    """
    known = {a.number: a for a in Advisory.objects.filter(number__in=advisories).select_related("current")}
    versions = {v.advisory_id: v for v in AdvisoryVersion.objects.filter(number=MINED, advisory__in=known.values())}
    changed = []
    for number, fixes in sorted(advisories.items()):
        advisory = known.get(number)
        version = versions.get(advisory.pk) if advisory else None
        digest = _digest(fixes)
        if version and version.digest == digest:
            continue
        advisory = advisory or _new_advisory(actor, number, repository, fixes)
        _store(advisory, version, digest, repository=repository, tree=tree, fixes=fixes)
        changed.append(number)
    if changed:
        audit.record("mined", actor=actor, advisories=changed, repository=repository)
    return changed


def _digest(fixes: MinedFixes) -> str:
    lines = (f"{branch} {commit.oid}" for branch in sorted(fixes) for commit in fixes[branch])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _everything(fixes: MinedFixes) -> list[MinedCommit]:
    """All commits, master's first: its subject is the best title that a repository has."""
    names = sorted(fixes, key=lambda name: (name != "master", name))
    return [commit for name in names for commit in fixes[name]]


def _new_advisory(actor: User | None, number: int, repository: str, fixes: MinedFixes) -> Advisory:
    advisory = Advisory.objects.create(number=number)
    first = min(commit.committed_at for commit in _everything(fixes))
    disclose(actor, advisory=advisory, reason=f"its fix is public in {repository}", at=first)
    return advisory


def _store(
    advisory: Advisory,
    version: AdvisoryVersion | None,
    digest: str,
    *,
    repository: str,
    tree: str,
    fixes: MinedFixes,
) -> None:
    commits = _everything(fixes)
    version = version or AdvisoryVersion(advisory=advisory, number=MINED)
    version.title = commits[0].subject[:500]
    version.cves = sorted({cve for commit in commits for cve in commit.cves})
    version.digest = digest
    version.save()
    drop_fixes(version)
    _store_fixes(version, repository=repository, tree=tree, fixes=fixes)
    if advisory.current is None or advisory.current.number == MINED:
        advisory.current = version
        advisory.save(update_fields=["current"])


def _store_fixes(version: AdvisoryVersion, *, repository: str, tree: str, fixes: MinedFixes) -> None:
    rows = {
        branch: Fix(version=version, branch=branch, tree=tree, origin="commit", digest=_oids_digest(commits))
        for branch, commits in fixes.items()
    }
    Fix.objects.bulk_create(rows.values())
    FixPatch.objects.bulk_create(
        FixPatch(fix=rows[branch], position=position, repository=repository, commit=commit.oid)
        for branch, commits in fixes.items()
        for position, commit in enumerate(commits)
    )


def _oids_digest(commits: Iterable[MinedCommit]) -> str:
    return hashlib.sha256(" ".join(commit.oid for commit in commits).encode()).hexdigest()
