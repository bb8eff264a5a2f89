"""A project's upstream: the repository that tells which fixes it has, and that organisations' branches come from."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import pygit2

from backports.git.continued import held_by, source_of
from backports.git.store import commit_at, open_repository
from backports.models import Branch, Repository

from .places import mirror_path


def upstream_of(project: str) -> Repository | None:
    """The repository whose commits tell which fixes a project has: the one of its name, else the first by name.

    Never an organisation's own: that is not public, so nothing in it may disclose an advisory.
    """
    rows = Repository.objects.filter(project=project, organisation=None)
    return rows.filter(name=project).first() or rows.first()


def with_upstream(repo: pygit2.Repository, repository: Repository) -> pygit2.Repository:
    """`repo` itself, of `repository`, which where that is an organisation's own finds what upstream's mirror holds too.

    A source package has one commit of upstream's files and none of its history, while fixes name the files that they
    were made on. To be read alone: what upstream has would not be written.
    """
    upstream = upstream_of(repository.project) if repository.organisation_id else None
    objects = mirror_path(upstream.name) / "objects" if upstream else None
    if objects is not None and objects.is_dir():
        repo.odb.add_disk_alternate(str(objects))
    return repo


def upstreams(branch: Branch) -> list[Branch]:
    """Upstream's branches, the one of the same version first, then the newest, where `branch` is an organisation's own;
    of these are the fixes that name no file of its repository.
    """
    repository = branch.repository
    upstream = upstream_of(repository.project) if repository.organisation_id else None
    rows = upstream.branches.filter(gone=False).order_by("-rank") if upstream else Branch.objects.none()
    return sorted(rows.select_related("repository"), key=lambda row: (row.version != branch.version, row.history_only))


def mirror_of_fixes(repository: Repository) -> Path:
    """Where the commits are by which a branch of `repository` holds upstream's fixes."""
    upstream = upstream_of(repository.project) if repository.of_packages else None
    return mirror_path((upstream or repository).name)


def held_by_source(branch: Branch, commits: Iterable[str]) -> frozenset[str]:
    """Of upstream's `commits` those that a source package holds although it has no history: it continues a later one,
    and the files that they changed are that one's byte for byte. Raises GitError.
    """
    other = next(iter(upstreams(branch)), None)
    if other is None:
        return frozenset()
    mirrors = mirror_path(other.repository.name), mirror_path(branch.repository.name)
    return _held(*mirrors, other.tip, branch.tip, frozenset(commits))


@lru_cache(maxsize=64)
def _held(upstream: Path, mirror: Path, tip: str, own_tip: str, commits: frozenset[str]) -> frozenset[str]:
    known, own = open_repository(upstream), open_repository(mirror)
    first = commit_at(own, own_tip)
    while first.parents:  # the patches of the package
        first = first.parents[0]
    source = source_of(known, tip, first.tree, own)
    return held_by(known, source, first.tree, commits) if source else frozenset()
