"""Checks: what machines find out about backports' versions, and what branches want of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from backports.models import BackportVersion, Branch, Check, RequiredCheck
from backports.models.check import NAME
from xsa import audit
from xsa.models import Organisation, User
from xsa.permissions import can_check, can_require_checks, demand

from . import events
from .errors import NotDone
from .evidence import text

log = logging.getLogger(__name__)
MOST_LOG = 1_000_000  # bytes that are kept of a log: its end, where it says what went wrong
MOST_REQUIRED = 20
State = Check.State


class Standing(StrEnum):
    """How a version stands with a check, all organisations taken together."""

    MISSING = "missing"
    PENDING = "pending"
    FAILED = "failed"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Found:
    """A check of one name: the latest result of each organisation, and how the version stands with it."""

    name: str
    latest: Sequence[Check]
    standing: Standing
    required: bool


@transaction.atomic
def post(
    actor: User,
    *,
    version: BackportVersion,
    name: str,
    state: str,
    summary: str = "",
    artefact_sha256: str = "",
    log_text: bytes = b"",
) -> Check:
    """Keep what a machine found out about a version that the actor may see, in the name of its token's organisation.

    The same again as the latest one gives that one. Raises PermissionDenied, NotDone.
    """
    demand(can_check(actor))
    if not re.fullmatch(NAME, name):
        raise NotDone("bad-name", "A name has small letters, digits and . _ + -, at most 50 of them.", "name")
    if artefact_sha256 and not re.fullmatch(r"[0-9a-f]{64}", artefact_sha256):
        raise NotDone("bad-digest", "A SHA-256 is 64 hexadecimal digits.", "artefact_sha256")
    organisation = Organisation.objects.get(pk=str(actor.speaks_for))
    row = Check(
        version=version,
        organisation=organisation,
        made_by=actor,
        made_at=timezone.now(),
        name=name,
        state=state,
        summary=text(summary)[:300],
        artefact_sha256=artefact_sha256,
        log=log_text[-MOST_LOG:],
        log_size=len(log_text),
        log_cut=len(log_text) > MOST_LOG,
    )
    if (known := _same(row)) is not None:
        return known
    row.save(force_insert=True)
    _told(actor, row)
    return row


def _same(row: Check) -> Check | None:
    """The latest one, when it says the same: a robot that did not hear the answer sends it again."""
    rows = Check.objects.filter(version=row.version, organisation=row.organisation, name=row.name)
    last = rows.order_by("-made_at", "pk").first()
    columns = ("state", "summary", "artefact_sha256", "log_size")
    if last is None or any(getattr(last, name) != getattr(row, name) for name in columns):
        return None
    return last if bytes(last.log) == row.log else None


def _told(actor: User, row: Check) -> None:
    backport = row.version.backport
    log.info("check kept check=%s version=%s state=%s bytes=%d", row.pk, row.version_id, row.state, row.log_size)
    audit.record(
        "checked",
        actor=actor,
        advisory=backport.advisory,
        advisories=backport.prerequisites,
        thing=row,
        organisation=backport.organisation,
        state=row.state,
    )
    # As secret as the version: of a draft it is for the people of its organisation.
    events.tell(
        events.CHECK_RESULT,
        advisory=backport.advisory,
        branch=backport.branch,
        thing=row.pk,
        builds_on=backport.prerequisites,
        organisation=backport.organisation,
        shared=events.is_shared(backport),
    )


def latest(checks: Iterable[Check]) -> list[Check]:
    """Of each name and organisation the latest, by name and then as they came; `checks` come newest first."""
    found: dict[tuple[str, object], Check] = {}
    for one in checks:
        found.setdefault((one.name, one.organisation_id), one)
    return sorted(found.values(), key=lambda one: (one.name, one.made_at))


def standing(checks: Iterable[Check], required: Iterable[str]) -> list[Found]:
    """Every check of a version and every required one, by name, required ones first; `checks` come newest first."""
    wanted = set(required)
    by_name: dict[str, list[Check]] = {name: [] for name in wanted}
    for one in latest(checks):
        by_name.setdefault(one.name, []).append(one)
    found = [Found(name, rows, _together(rows), name in wanted) for name, rows in by_name.items()]
    return sorted(found, key=lambda one: (not one.required, one.name))


def _together(rows: Sequence[Check]) -> Standing:
    """One that failed counts more than one that passed, and a result more than one to come."""
    states = {one.state for one in rows}
    if states & {State.FAILURE, State.ERROR}:
        return Standing.FAILED
    if states & {State.SUCCESS, State.WARNING}:
        return Standing.PASSED
    return Standing.PENDING if states else Standing.MISSING


@transaction.atomic
def require(actor: User, *, branch: Branch, names: Iterable[str]) -> list[RequiredCheck]:
    """Say which checks backports on a branch want, all of them. Raises PermissionDenied, NotDone."""
    demand(can_require_checks(actor, branch.repository.organisation))
    wanted = sorted(set(names))
    if bad := [name for name in wanted if not re.fullmatch(NAME, name)]:
        raise NotDone("bad-name", f"“{bad[0][:50]}” is no name of a check: small letters, digits and . _ + -.", "names")
    if len(wanted) > MOST_REQUIRED:
        raise NotDone("too-many", f"A branch requires at most {MOST_REQUIRED} checks.", "names")
    rows = RequiredCheck.objects.filter(branch=branch)
    rows.exclude(name__in=wanted).delete()
    there = set(rows.values_list("name", flat=True))
    now = timezone.now()
    fresh = [RequiredCheck(branch=branch, name=name, set_by=actor, set_at=now) for name in wanted if name not in there]
    RequiredCheck.objects.bulk_create(fresh)
    log.info("checks required branch=%s count=%d actor=%s", branch.pk, len(wanted), actor.pk)
    audit.record(
        "checks-required", actor=actor, thing=branch, organisation=branch.repository.organisation, names=wanted
    )
    return list(rows.order_by("name"))
