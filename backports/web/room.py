"""What members share about an advisory, as a part of the advisory's page: backports, branch by branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import HttpRequest

from backports.models import Backport, Branch
from xsa.models import Advisory
from xsa.permissions import Answer, can_upload
from xsa.visibility import speaking_for

from . import looks, words
from .lookup import backports_for
from .seen import note

MOST = 200
COLUMNS = ("number", "outcome", "rung", "confidence", "hunks_landed", "hunks_total", "made_at")


@dataclass(frozen=True, slots=True)
class Entry:
    """A backport with its newest version's verdict; `own` is one of the reader's own organisation."""

    backport: Backport
    life: words.Word
    word: words.Word | None
    own: bool


@dataclass(frozen=True, slots=True)
class Room:
    """The backports by branch, upstream's branches first and newest first; who may upload, or why not."""

    branches: Sequence[tuple[Branch, Sequence[Entry]]]
    count: int
    may_upload: Answer


def room(request: HttpRequest, backports: Sequence[Backport]) -> Room:
    """What the reader sees of it: the newest of these."""
    rows = sorted(backports[:MOST], key=lambda row: (_place(row.branch), row.organisation.name))
    for row in rows:
        note(request, row.prerequisites)
    own: set[Any] = {one.pk for one in speaking_for(request.user)}
    entries = [_entry(row, own) for row in rows]
    by_branch = [(branch, list(group)) for branch, group in groupby(entries, key=lambda one: one.backport.branch)]
    return Room(by_branch, len(rows), can_upload(request.user))


def rows_of(request: HttpRequest, advisory: Advisory) -> Sequence[Backport]:
    """The advisory's backports that the reader sees, with what the page shows of each, newest first."""
    shown = [f"current__{column}" for column in COLUMNS]
    related = ("branch__repository", "organisation", "current")
    rows = backports_for(request).filter(advisory=advisory).select_related(*related)
    rows = rows.only("life", "members_only_later", "shared_at", "prerequisites", "organisation__name", *_PLACE, *shown)
    return list(rows)


_PLACE = (
    "branch__name",
    "branch__rank",
    "branch__repository__name",
    "branch__repository__organisation",
    "current",
    "organisation",
    "branch",
)


def _place(branch: Branch) -> tuple[bool, str, int, str]:
    repository = branch.repository
    return repository.organisation_id is not None, repository.name, -branch.rank, str(branch.pk)


def _entry(row: Backport, own: set[Any]) -> Entry:
    version = row.current
    word = looks.outcome_word(version.outcome, version.confidence) if version else None
    return Entry(row, words.LIVES[row.life], word, row.organisation_id in own)
