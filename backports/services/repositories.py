"""Repositories that we mirror: adding, fetching, reading their branches, mining their advisories."""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backports.git import heads, history, mirror
from backports.git.errors import GitError
from backports.models import Branch, Repository, UpstreamFix
from xsa import audit
from xsa.identity import everything
from xsa.models import Fix, User
from xsa.services.mined import MINED, MinedCommit, record_mined

from . import addresses, attempts, names
from .errors import NotDone
from .moved import carry_over
from .places import mirror_path
from .planning import FIRST_RANK, Plan, one_planner, plan
from .sources import rank
from .upstream import held_by_source, upstream_of

log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
SUPPORT = Path(settings.BASE_DIR) / "backports" / "data" / "support-lifetimes.json"


def add_repository(actor: User | None, *, name: str, url: str, project: str = "") -> Repository:
    """Mirror a repository and read its branches; one that is known is fetched again, from `url` from now on.

    Raises GitError when `url` is no repository or cannot be reached, or `name` cannot stand in an address.
    """
    if not _NAME.fullmatch(name):
        raise GitError("bad-name", "A repository's name is made of up to 50 letters, digits, '-' and '_'; use another.")
    path = mirror_path(name)
    if path.exists():
        mirror.set_source(path, url)
        # An interrupted call may have left the mirror without its row.
        repository, _ = Repository.objects.get_or_create(name=name, defaults={"project": project or name})
        Repository.objects.filter(pk=repository.pk).update(url=url)
        return fetch(repository)
    mirror.create_mirror(url, path)
    repository, _ = Repository.objects.update_or_create(
        name=name, defaults={"url": url, "project": project or name, "fetched_at": timezone.now()}
    )
    read_branches(repository)
    _index_names(repository)
    audit.record("repository-added", actor=actor, thing=repository)
    log.info("repository added repository=%s actor=%s", repository.pk, actor.pk if actor else "system")
    return repository


def fetch(repository: Repository) -> Repository:
    """Fetch again and note what moved; what went wrong is kept on the row, and raised."""
    try:
        _transfer(repository)
    except (GitError, NotDone) as error:
        Repository.objects.filter(pk=repository.pk).update(problem_code=error.code, problem=error.sentence)
        raise
    Repository.objects.filter(pk=repository.pk).update(fetched_at=timezone.now(), problem_code="", problem="")
    repository.refresh_from_db()
    read_branches(repository)
    _index_names(repository)
    return repository


def _transfer(repository: Repository) -> None:
    """Bring the mirror up to date, from nothing where an organisation added it; one of packages is not fetched."""
    only = addresses.check(repository)
    path = mirror_path(repository.name)
    if not repository.url:
        return
    if path.exists() or not repository.organisation_id:
        mirror.fetch_mirror(path, only=only)
    else:
        mirror.create_mirror(repository.url, path, follow=False, only=only)


def _index_names(repository: Repository) -> None:
    """Before anything is tried on what was fetched; without the index attempts go on, and say so."""
    try:
        names.fill(repository)
    except GitError as error:
        log.warning("names not indexed repository=%s code=%s", repository.pk, error.code)


@transaction.atomic
def read_branches(repository: Repository) -> list[Branch]:
    """Bring the branches' rows up to the mirror; returns those that moved, each with its new tip.

    Cells of a moved branch whose files did not change keep their attempt.
    """
    support = support_dates(repository)
    before = {branch.name: branch for branch in repository.branches.all()}
    moved = []
    found = _heads(repository)
    for tip in found:
        old = before.get(tip.name)
        branch = _write_branch(repository, tip, support.get(tip.name, {}))
        if old is not None and old.tip != branch.tip:
            carry_over(branch, old.tip)
            moved.append(branch)
    repository.branches.exclude(name__in=[tip.name for tip in found]).update(gone=True)
    return moved


def _heads(repository: Repository) -> list[mirror.BranchTip]:
    """Upstream's branches by their names; of an organisation's those that continue a version."""
    path = mirror_path(repository.name)
    return heads.followed(path, repository.heads) if repository.organisation_id else mirror.branches(path)


def _write_branch(repository: Repository, tip: mirror.BranchTip, support: Mapping[str, str]) -> Branch:
    version = heads.version_of(tip.name) if repository.organisation_id else None
    order = version[0] * 100 + version[1] if version else rank(tip.name)
    branch, _ = Branch.objects.update_or_create(
        repository=repository,
        name=tip.name,
        defaults={
            "ref": tip.ref,
            "tip": tip.oid,
            "tip_date": tip.tip_date,
            "rank": order,
            "release_tag": tip.release_tag or "",
            "history_only": order < FIRST_RANK,
            "gone": False,
            **support,
        },
    )
    return branch


def support_dates(repository: Repository) -> dict[str, dict[str, str]]:
    """Per branch `released`, `bugfix_until` and `security_until`; known for Xen's own branches only."""
    if repository.project != "xen" or repository.organisation_id:
        return {}
    dates: dict[str, dict[str, str]] = json.loads(SUPPORT.read_text())
    return dates


def mine(actor: User | None, repository: Repository) -> list[int]:
    """Find the fixes of public advisories in the mirror; returns the numbers that are new or changed.

    A repository that is not its project's upstream brings none; only which of the known fixes
    its branches hold is noted.
    """
    found = _fixes_in(repository) if repository == upstream_of(repository.project) else {}
    with transaction.atomic():
        # The clock and a person may mine at once: one writes after the other.
        one_planner(repository.pk)
        changed = record_mined(actor, repository=repository.name, tree=repository.project, advisories=found)
        note_upstream_fixes(repository)
    Repository.objects.filter(pk=repository.pk).update(mined_at=timezone.now())
    log.info("mined repository=%s advisories=%d changed=%d", repository.pk, len(found), len(changed))
    return changed


def _fixes_in(repository: Repository) -> dict[int, dict[str, list[MinedCommit]]]:
    """By advisory and branch; staging holds nothing that its branch will not."""
    found: dict[int, dict[str, list[MinedCommit]]] = defaultdict(dict)
    for row in history.mine_fixes(mirror_path(repository.name)):
        if row.branch != "staging":
            found[row.advisory][row.branch] = [
                MinedCommit(commit.oid, commit.subject, tuple(commit.cves), commit.commit_date)
                for commit in row.commits
            ]
    return found


@transaction.atomic
def note_upstream_fixes(repository: Repository) -> int:
    """Write down which branch holds which official fix; returns how many cells do.

    A branch holds a fix when upstream committed one for that very branch, or when all of
    the fix's commits, on master or on the branch of its name, are among its ancestors.
    """
    own = repository == upstream_of(repository.project)
    branches = {branch.in_mirror: branch for branch in repository.branches.filter(gone=False)}
    rows = Fix.objects.filter(tree=repository.project, version__number=MINED).prefetch_related("patches")
    by_advisory: dict[Any, dict[str, list[str]]] = defaultdict(dict)
    for fix in rows.select_related("version"):
        by_advisory[fix.version.advisory_id][fix.branch] = [row.commit for row in fix.patches.all()]
    wanted = [oid for fixes in by_advisory.values() for commits in fixes.values() for oid in commits]
    held = _contained(repository, wanted, branches)
    UpstreamFix.objects.filter(branch__repository=repository).delete()
    made = [
        UpstreamFix(advisory_id=advisory, branch=branch, commits=commits)
        for advisory, fixes in by_advisory.items()
        for name, branch in branches.items()
        if (commits := _held(fixes, branch.version, held.get(name, frozenset()), own=own))
    ]
    UpstreamFix.objects.bulk_create(made, batch_size=1000)
    return len(made)


def _contained(
    repository: Repository, wanted: Sequence[str], branches: Mapping[str, Branch]
) -> dict[str, frozenset[str]]:
    """Which of the commits each branch holds: by its history, or where it has none by its source."""
    if repository.of_packages:
        return {name: held_by_source(branch, wanted) for name, branch in branches.items()}
    return history.contained(mirror_path(repository.name), wanted, branches)


def _held(fixes: Mapping[str, Sequence[str]], branch: str, ancestors: frozenset[str], *, own: bool) -> list[str]:
    """The commits by which a branch holds a fix; `own` when the fixes were found in this very repository."""
    mined = fixes.get(branch)
    if mined and (own or ancestors.issuperset(mined)):
        return list(mined)
    master = fixes.get("master", [])
    return list(master) if master and ancestors.issuperset(master) else []


@transaction.atomic
def ask_for_refresh(actor: User, *, repository: Repository) -> None:
    """Have a worker refresh it now."""
    transaction.on_commit(partial(refresh_repository.delay, str(repository.pk)))
    audit.record("fetch-asked", actor=actor, thing=repository)


def refresh(actor: User | None, repository: Repository) -> Plan:
    """Fetch, mine, and try again what may have changed."""
    fetch(repository)
    mine(actor, repository)
    made = plan(repository, because="branch moved")
    attempts.send()
    return made


@shared_task(name="backports.fetch_repositories")
@everything("repositories")
def fetch_repositories() -> None:
    """On schedule: one task for each repository, so that a slow one holds up no other."""
    for pk in Repository.objects.values_list("pk", flat=True):
        transaction.on_commit(partial(refresh_repository.delay, str(pk)))


@shared_task(name="backports.refresh_repository")
@everything("repositories")
def refresh_repository(pk: str) -> None:
    """Refresh one repository; what went wrong stands on its row and on its page."""
    repository = Repository.objects.get(pk=pk)
    try:
        refresh(None, repository)
    except (GitError, NotDone) as error:
        log.warning("refresh failed repository=%s code=%s", pk, error.code)
