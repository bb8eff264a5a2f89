"""Advisories that came in: kept, and tried on every branch that lacks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from backports.engine.diff import parse_series
from backports.engine.errors import EngineError
from backports.models import Branch, Repository
from xsa.formats.errors import Problem
from xsa.models import Advisory, PatchFile, User
from xsa.services.ingest import Ingested, ingest_files, note_problem

from . import attempts, events
from .disclosing import replan_later
from .planning import plan
from .sources import STAGING_RANK, bytes_of_file
from .upstream import upstream_of


def newest_release(project: str) -> str | None:
    """The newest `4.N` of a project, the upper end of ranges such as "xen-unstable - 4.11"."""
    repository = upstream_of(project)
    branch = repository.branches.filter(rank__lt=STAGING_RANK, gone=False).first() if repository else None
    return branch.name if branch else None


def release_dates(project: str) -> dict[str, date]:
    """When each branch was first released, as far as it is known to the day."""
    rows = Branch.objects.filter(repository__project=project, repository__organisation=None)
    return {row.name: date.fromisoformat(row.released) for row in rows if len(row.released) == len("2011-03-25")}


def ingest(
    actor: User | None,
    *,
    files: Mapping[str, bytes],
    project: str = "xen",
    planned: datetime | None = None,
    certs: Sequence[bytes] = (),
) -> list[Ingested]:
    """Take in files in the layout that Xen publishes, and queue attempts for what is new."""
    embargoed = dict(Advisory.objects.filter(disclosed_at=None).values_list("pk", "planned_disclosure_at"))
    results = ingest_files(
        actor,
        files=files,
        tree=project,
        planned=planned,
        certs=certs,
        newest=newest_release(project),
        releases=release_dates(project),
    )
    changed = [result.number for result in results if result.changed and result.number is not None]
    if changed:
        advisories = list(Advisory.objects.filter(number__in=changed))
        check_patches(advisories)
        for advisory in advisories:
            events.tell(events.ADVISORY_VERSION, advisory=advisory, thing=advisory.current_id)
            _tell_plan(advisory, embargoed)
        for repository in Repository.objects.filter(project=project):
            plan(repository, because="new advisory version", advisories=advisories)
        attempts.send()
    # A list of what is public may have opened some.
    replan_later(
        Advisory.objects.filter(pk__in=list(embargoed)).exclude(disclosed_at=None).values_list("pk", flat=True)
    )
    return results


def _tell_plan(advisory: Advisory, before: Mapping[UUID, datetime | None]) -> None:
    """What came in may have moved the planned date of an advisory that was here."""
    if advisory.pk in before and advisory.planned_disclosure_at != before[advisory.pk]:
        row = advisory.planned_dates.first()
        events.tell(events.PLAN_MOVED, advisory=advisory, thing=row.pk if row else None)


def check_patches(advisories: Sequence[Advisory]) -> int:
    """Note on each patch file that cannot be read what is wrong with it; returns how many there are."""
    bad = 0
    files = PatchFile.objects.filter(kind=PatchFile.Kind.PATCH, version__in=[one.current_id for one in advisories])
    for file in files.defer("data"):
        try:
            parse_series(bytes_of_file(file))
        except EngineError as error:
            note_problem(file, Problem(error.code, error.sentence, file.name))
            bad += 1
    return bad
