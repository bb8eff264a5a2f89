"""What organisations keep: repositories of their own and source packages, and who sees them."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import pygit2
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from backports.git import packages
from backports.git.heads import version_of
from backports.git.store import open_repository
from backports.models import Repository
from xsa import audit
from xsa.identity import everything
from xsa.models import Organisation, User
from xsa.permissions import can_keep_repositories, demand

from .addresses import allowed
from .errors import NotDone
from .places import mirror_path
from .repositories import read_branches, refresh_repository

log = logging.getLogger(__name__)
Visibility = Repository.Visibility
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,29}")


@transaction.atomic
def add(
    actor: User,
    *,
    organisation: Organisation,
    name: str,
    url: str,
    visibility: str = Visibility.ORGANISATION,
    heads: Sequence[str] = (),
    project: str = "xen",
) -> Repository:
    """An organisation's git repository, which a worker mirrors and tries from now on.

    `heads` are the branches to follow, by default all with a version in their name. Raises PermissionDenied, NotDone.
    """
    demand(can_keep_repositories(actor, organisation))
    values = {"url": allowed(organisation, url), "visibility": visibility, "heads": list(heads), "project": project}
    row = _create(organisation, name, **values)
    transaction.on_commit(partial(refresh_repository.delay, str(row.pk)))
    audit.record("repository-added", actor=actor, thing=row, organisation=organisation, visibility=visibility)
    return row


@transaction.atomic
def add_package(
    actor: User,
    *,
    organisation: Organisation,
    name: str,
    package: packages.Package,
    visibility: str = Visibility.ORGANISATION,
    project: str = "xen",
) -> Repository:
    """A source package as a branch of the version that it continues: one commit for the source, one for each patch.

    Of the repository `name`, which is made when the organisation has none of that name; a newer package of the same
    version takes the place of the older. Raises PermissionDenied, NotDone, GitError.
    """
    demand(can_keep_repositories(actor, organisation))
    version = version_of(package.version)
    if version is None:
        raise NotDone("no-version", "Say which version the package has, such as 4.14.6-1.", "version")
    row = _of_packages(organisation, name) or _create(
        organisation, name, url="", visibility=visibility, heads=[], project=project
    )
    ref = f"refs/heads/stable-{version[0]}.{version[1]}"
    tip = packages.write(_bare(mirror_path(row.name)), package, ref)
    with everything("repositories"):
        read_branches(row)
    transaction.on_commit(partial(refresh_repository.delay, str(row.pk)))
    log.info("package taken repository=%s patches=%d", row.pk, len(package.patches))
    audit.record("package-taken", actor=actor, thing=row, organisation=organisation, tip=tip)
    return row


@transaction.atomic
def show_to(actor: User, *, repository: Repository, visibility: str) -> Repository:
    """Show a repository to its organisation alone, or to the room. Raises PermissionDenied, NotDone.

    What hangs on it goes with it; a backport that was shared on one of its branches keeps it open.
    """
    organisation = repository.organisation
    if organisation is None:
        raise NotDone("upstream", "What upstream keeps is everybody's.")
    demand(can_keep_repositories(actor, organisation))
    if visibility not in Visibility.values:
        raise NotDone("bad-visibility", "Choose the organisation or the room.", "visibility")
    shared = repository.branches.filter(backports__shared_at__isnull=False)
    if visibility == Visibility.ORGANISATION and shared.exists():
        raise NotDone("backports-shared", "Backports on its branches are shared with the room, so they stay visible.")
    Repository.objects.filter(pk=repository.pk).update(visibility=visibility)
    repository.visibility = visibility
    audit.record("repository-shown", actor=actor, thing=repository, organisation=organisation, visibility=visibility)
    return repository


def full_name(organisation: Organisation, name: str) -> str:
    """What a repository is called in addresses: the organisation's public name, and its own.

    So that no name is taken because another organisation has it. Raises NotDone.
    """
    if not _NAME.fullmatch(name):
        raise NotDone("bad-name", "A name is made of up to 30 letters, digits and '-'.", "name")
    return f"{in_addresses()[organisation.pk]}_{name}"


def in_addresses() -> dict[UUID, str]:
    """What each organisation is called in addresses and refs, by its id; no two are called the same."""
    slugs = {pk: slugify(name)[:50] for pk, name in Organisation.objects.values_list("pk", "name")}
    often = Counter(slugs.values())
    return {
        pk: slug if slug and often[slug] == 1 else f"{slug[:40]}-{pk.hex[:8]}".lstrip("-") for pk, slug in slugs.items()
    }


def _create(organisation: Organisation, name: str, **columns: object) -> Repository:
    try:
        with transaction.atomic():
            return Repository.objects.create(name=full_name(organisation, name), organisation=organisation, **columns)
    except IntegrityError as error:
        raise NotDone("exists", "Your organisation has a repository of that name.", "name") from error


def _of_packages(organisation: Organisation, name: str) -> Repository | None:
    row = organisation.repositories.filter(name=full_name(organisation, name)).select_for_update().first()
    if row is not None and row.url:
        raise NotDone(
            "exists", "That is a git repository, which is fetched and not uploaded. Use another name.", "name"
        )
    return row


def _bare(path: Path) -> pygit2.Repository:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pygit2.init_repository(str(path), bare=True)
    return open_repository(path)
