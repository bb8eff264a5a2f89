"""The matrix: advisories by branches, and the fragment that keeps it up to date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from backports.models import Attempt, Branch, Repository, UpstreamFix
from backports.services.sources import MASTER_RANK, STAGING_RANK
from xsa.models import Advisory
from xsa.visibility import Reader, visible_advisories, visible_to

from . import looks
from .filters import MatrixFilter, narrow
from .lookup import attempts_for, pick, repositories
from .offered import marked
from .pager import page_of
from .progress import progress, tally
from .seen import note
from .stamp import stamp

PAGE = 30
MOST_CELLS = 1200  # keeps a page under 200 kB, whatever the number of branches
MOST_OWN = 40  # columns of organisations' branches
_COLUMNS = ("advisory__number", "branch_id", "id", *looks.COLUMNS)


@dataclass(frozen=True, slots=True)
class Column:
    """A branch in the head of the matrix. `upstream` ones are never tried: they show whether the fix is there.

    `own` is the name of the repository where an organisation keeps the branch; "" for the matrix's own repository.
    """

    branch: Branch
    upstream: bool
    missing: int = 0
    supported: bool = False
    own: str = ""

    @property
    def choice(self) -> str:
        """Its name among all of them, for the filter; a branch's own name never holds a colon."""
        return f"{self.own}:{self.branch.name}" if self.own else self.branch.name

    @property
    def key(self) -> str:
        """What tells its cells from others of their row."""
        return _key(self.branch.rank, self.branch.pk, own=bool(self.own))


@dataclass(frozen=True, slots=True)
class Row:
    """An advisory and its cells as HTML, one for each column."""

    advisory: Advisory
    cells: SafeString


def columns_of(repository: Repository, missing: dict[UUID, int]) -> list[Column]:
    """The columns: master, the stable branches newest first, and at the end those that are history only."""
    rows = [b for b in repository.branches.all() if not b.gone and b.rank != STAGING_RANK]
    rows.sort(key=lambda branch: (branch.history_only, -branch.rank))
    today = timezone.now().date().isoformat()
    return [
        Column(
            branch,
            upstream=branch.history_only or branch.rank == MASTER_RANK,
            missing=missing.get(branch.pk, 0),
            supported=branch.security_until >= today[: len(branch.security_until)] and bool(branch.security_until),
        )
        for branch in rows
    ]


def own_columns(reader: Reader, kept: Sequence[Repository], missing: dict[UUID, int]) -> list[Column]:
    """A column for each branch that organisations keep in these repositories, the newest of each first."""
    if not kept:
        return []
    rows = Branch.objects.filter(repository__in=kept, gone=False, history_only=False).exclude(rank__gte=STAGING_RANK)
    found = visible_to(reader, rows).select_related("repository").order_by("repository__name", "-rank", "name")
    return [
        Column(branch, upstream=False, missing=missing.get(branch.pk, 0), own=branch.repository.name)
        for branch in found[:MOST_OWN]
    ]


def _key(rank: int, branch: UUID, *, own: bool) -> str:
    """Upstream's branches are told apart by their rank; of organisations' several may continue the same one."""
    return branch.hex if own else str(rank)


def rows_of(
    request: HttpRequest, advisories: Sequence[Advisory], columns: Sequence[Column], cells: QuerySet[Attempt]
) -> list[Row]:
    """The advisories with their part of `cells`: as many queries, whatever the size."""
    found = list(cells.filter(advisory__in=advisories).order_by().values_list(*_COLUMNS))
    branches = {column.branch.pk: column.branch for column in columns if not column.upstream}
    marks = marked(request, _with_outcome(found, branches))
    tried: dict[int, dict[UUID, tuple[UUID, looks.Look, bool]]] = defaultdict(dict)
    for number, branch, pk, *shape in found:
        tried[number][branch] = pk, looks.look(*shape), (number, branch) in marks
    held = _held(advisories, columns)
    return [Row(advisory, _cells(advisory, columns, tried[advisory.number], held)) for advisory in advisories]


def _with_outcome(found: Iterable[Sequence[Any]], branches: Mapping[UUID, Branch]) -> Iterator[tuple[int, Branch, str]]:
    """The cells of these branches, of rows of _COLUMNS."""
    for number, branch, _, _, outcome, *_ in found:
        if branch in branches:
            yield number, branches[branch], outcome


def _held(advisories: Sequence[Advisory], columns: Sequence[Column]) -> set[tuple[UUID, UUID]]:
    branches = [column.branch.pk for column in columns if column.upstream]
    fixes = UpstreamFix.objects.filter(advisory__in=advisories, branch__in=branches).order_by()
    return set(fixes.values_list("advisory_id", "branch_id"))


def _cells(
    advisory: Advisory,
    columns: Sequence[Column],
    tried: dict[UUID, tuple[UUID, looks.Look, bool]],
    held: set[tuple[UUID, UUID]],
) -> SafeString:
    html = []
    for column in columns:
        pk = column.branch.pk
        if column.upstream:
            html.append(_upstream_cell(advisory, held=(advisory.pk, pk) in held))
        elif pk in tried:
            html.append(matrix_cell(advisory.number, column.key, *tried[pk]))
        else:
            html.append("<td>")
    return mark_safe("".join(html))  # noqa: S308 - made of template parts


def _upstream_cell(advisory: Advisory, *, held: bool) -> str:
    path = reverse("advisory", args=[advisory.number])
    return stamp("parts/_upstream_cell.html", (("held", held),), path=path)


def matrix_cell(number: int, column: str, pk: UUID, shape: looks.Look, offered: bool, *, swap: bool = False) -> str:
    """One `<td>` with an id by which a later answer can replace it; `swap` marks it as such an answer.

    `offered`: a result that was made elsewhere stands there as it is.
    """
    key = (*shape, ("offered", offered), ("swap", swap))
    return stamp("parts/_matrix_cell.html", key, number=str(number), column=column, path=looks.attempt_path(pk))


def _cells_for(request: HttpRequest, *repositories: Repository) -> QuerySet[Attempt]:
    """The cells of the repositories' branches that the reader may see."""
    return attempts_for(request).filter(current=True, branch__repository__in=repositories, branch__gone=False)


def _kept_beside(shown: Repository, mirrors: Sequence[Repository]) -> list[Repository]:
    """Those of `mirrors` whose branches stand beside those of `shown`: organisations' own of the same project."""
    if shown.organisation_id:
        return []
    return [one for one in mirrors if one.organisation_id and one.project == shown.project]


@require_safe
def matrix(request: HttpRequest, repository: str = "") -> HttpResponse:
    """The matrix of a repository, or an invitation to add one when there is none."""
    mirrors = repositories(request.user)
    name = repository or request.GET.get("repository", "")
    if not mirrors and not name:
        return render(request, "matrix/empty.html")
    shown = pick(mirrors, name)
    kept = _kept_beside(shown, mirrors)
    cells = _cells_for(request, shown, *kept)
    state = progress(tally(cells))
    columns = columns_of(shown, state.missing)
    columns += own_columns(request.user, kept, state.missing)
    form = MatrixFilter(request.GET, columns=[column for column in columns if not column.upstream])
    wanted = form.wanted()
    fitting = narrow(visible_advisories(request.user), cells if wanted else _cells_for(request, shown), wanted).only(
        "number", "disclosed_at", "planned_disclosure_at", "current__title", "current__cves"
    )
    page = page_of(fitting, request.GET, page_size(len(columns)))
    note(request, page.rows)
    context = {
        "repository": shown,
        "repositories": mirrors,
        "columns": columns,
        "form": form,
        "filtered": bool(wanted),
        "page": page,
        "rows": rows_of(request, page.rows, columns, cells),
        "count": fitting.count(),
        "progress": state,
        "poll": poll_url_query(page.rows),
    }
    return render(request, "matrix/page.html", context)


def page_size(columns: int) -> int:
    """How many advisories stand on a page with so many columns."""
    return max(10, min(PAGE, MOST_CELLS // max(1, columns)))


def poll_url_query(rows: Sequence[Advisory]) -> str:
    """What the fragment needs to know of the page: which advisories it shows, and as of when."""
    if not rows:
        return ""
    return f"?newest={rows[0].number}&oldest={rows[-1].number}&since={timezone.now().timestamp():.0f}"


@require_safe
def fragment(request: HttpRequest, repository: str) -> HttpResponse:
    """Progress, and the cells of the page that changed since it was asked for last."""
    mirrors = repositories(request.user)
    shown = pick(mirrors, repository)
    cells = _cells_for(request, shown, *_kept_beside(shown, mirrors))
    newest, oldest, since = (_number(request.GET.get(key, "")) for key in ("newest", "oldest", "since"))
    moment = timezone.now() - timedelta(seconds=1)
    changed = list(_changed(request, cells, shown, newest, oldest, since))
    note(request, [number for number, _ in changed])
    context = {
        "repository": shown,
        "progress": progress(tally(cells)),
        "poll": f"?newest={newest}&oldest={oldest}&since={moment.timestamp():.0f}",
        "cells": [cell for _, cell in changed],
    }
    return render(request, "matrix/_fragment.html", context)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0


def _changed(
    request: HttpRequest, attempts: QuerySet[Attempt], shown: Repository, newest: int, oldest: int, since: int
) -> Iterator[tuple[int, SafeString]]:
    """The cells that changed since, each with the number of its advisory."""
    moment = datetime.fromtimestamp(since, tz=timezone.get_default_timezone())
    lately = Q(started_at__gte=moment) | Q(finished_at__gte=moment) | Q(created_at__gte=moment)
    rows = attempts.filter(lately, advisory__number__range=(oldest, newest)).order_by(
        "-advisory__number", "branch__rank"
    )
    found = list(rows.values_list(*_COLUMNS))
    branches = Branch.objects.select_related("repository").in_bulk({row[1] for row in found})
    marks = marked(request, _with_outcome(found, branches))
    for number, pk, attempt, *shape in found:
        branch = branches[pk]
        column = _key(branch.rank, pk, own=branch.repository_id != shown.pk)
        cell = matrix_cell(number, column, attempt, looks.look(*shape), (number, pk) in marks, swap=True)
        yield number, mark_safe(cell)  # noqa: S308 - made of template parts
