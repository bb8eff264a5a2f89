"""Two versions side by side: hunk by hunk, as git range-diff tells it, and what the one leaves otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backports.engine.diff import Patch, parse_series
from backports.engine.errors import EngineError
from backports.engine.kinship import compare, sentence
from backports.git import interdiff
from backports.git.errors import GitError
from backports.git.results import open_results
from backports.models import Backport, BackportVersion
from backports.services import comparing, kinships
from backports.services.places import mirror_path, results_path
from backports.services.verdicts import official_fix

from . import diffs, words
from .findings import compared
from .lookup import version_or_404
from .patches import patches_of

OFFICIAL = "official"
NO_RESULT = "Nothing of one of them landed, so there are no commits to compare."


@dataclass(frozen=True, slots=True)
class Row:
    """One pair of a comparison, with the word for its fate; `where` names the hunk on either side."""

    word: words.Word
    theirs: dict[str, Any] | None
    ours: Sequence[dict[str, Any]]
    told: str


@dataclass(frozen=True, slots=True)
class Table:
    """A comparison hunk by hunk: what it is with, in a sentence, and its rows."""

    sentence: str
    counts: Sequence[tuple[words.Word, int]]
    rows: Sequence[Row]
    cut: bool
    branch: str = ""
    origin: str = ""


def official(told: Mapping[str, Any]) -> Table | None:
    """The comparison with the official fix that a version keeps; None where there was none."""
    if not told:
        return None
    return _table(told, "", told["branch"], words.ORIGINS.get(told["origin"], told["origin"]))


def _table(told: Mapping[str, Any], sentence: str, branch: str = "", origin: str = "") -> Table:
    counts = [(words.FATES[fate], count) for fate, count in told["counts"].items() if count]
    return Table(sentence, counts, [_row(pair) for pair in told["pairs"]], told["cut"], branch, origin)


def _row(pair: Mapping[str, Any]) -> Row:
    said = []
    if pair["new_context"]:
        said.append("the lines around it are others")
    if pair["new_file"]:
        said.append("in a file of another name")
    return Row(words.FATES[pair["fate"]], pair["theirs"], pair["ours"], ", ".join(said))


@require_safe
def comparison(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A version beside another one that the reader sees (`with` its id), or beside the official fix."""
    version = version_or_404(request, pk)
    other = _other(request, version)
    context = _with_official(version) if other is None else _with_version(version, other)
    backport = version.backport
    context |= {"version": version, "other": other, "backport": backport, "advisory": backport.advisory}
    return render(request, "backport/comparison.html", context)


def _other(request: HttpRequest, version: BackportVersion) -> BackportVersion | None:
    """The version that is named, of the same advisory; None for the official fix. Raises Http404."""
    named = request.GET.get("with", OFFICIAL)
    if named == OFFICIAL:
        return None
    try:
        other = version_or_404(request, UUID(named))
    except ValueError as error:
        raise Http404 from error
    if other.backport.advisory_id != version.backport.advisory_id:
        raise Http404
    return other


def name_of(version: BackportVersion, beside: Backport) -> str:
    """What a version is called on a page about another backport, or about the same."""
    backport = version.backport
    number = f"v{version.number}"
    if backport.pk == beside.pk:
        return number
    return f"{number} of {backport.organisation.name} on {backport.branch.repository.name} {backport.branch.name}"


def _with_version(version: BackportVersion, other: BackportVersion) -> dict[str, Any]:
    theirs, ours = patches_of(other), patches_of(version)
    found, whose = compare(theirs, ours), name_of(other, version.backport)
    return {
        "whose": whose,
        "heading": whose,
        "table": _table(kinships.as_json(found), sentence(found, whose)),
        "compared": _range_diff(version, other),
        **_interdiff(version, other),
    }


def _with_official(version: BackportVersion) -> dict[str, Any]:
    source = official_fix(version.backport.advisory, version.backport.branch)
    if source is None:
        return {"whose": "the official fix", "table": None}
    ours = patches_of(version)
    found = compare(source.patches, ours)
    whose = f"the official fix for {source.branch}"
    return {
        "whose": whose,
        "heading": f"Official fix for {source.branch}",
        "table": _table(kinships.as_json(found), sentence(found, whose)),
        "compared": _range_diff_of(version, source.patches),
        "theirs": diffs.shown(source.patches, "o"),
    }


def _range_diff(version: BackportVersion, other: BackportVersion) -> dict[str, Any]:
    """What git range-diff says, other first; or why it cannot."""
    if why := _why_apart(version, other):
        return {"problem": why, "problem_code": "apart"}
    mirror, results = _places(version.backport)
    pairs = (other.base, other.result), (version.base, version.result)
    return compared({"range_diff": comparing.versions(mirror, results, *pairs)}) or {}


def _range_diff_of(version: BackportVersion, patches: Sequence[Patch]) -> dict[str, Any]:
    if not version.result:
        return {"problem": NO_RESULT, "problem_code": "apart"}
    found = comparing.with_patches(*_places(version.backport), (version.base, version.result), patches)
    return compared({"range_diff": found}) or {}


def _why_apart(version: BackportVersion, other: BackportVersion) -> str:
    if not version.result or not other.result:
        return NO_RESULT
    if version.backport.branch.repository_id != other.backport.branch.repository_id:
        return "They are in different repositories; the hunks above tell how they differ."
    return ""


def _places(backport: Backport) -> tuple[Any, Any]:
    name = backport.branch.repository.name
    return mirror_path(name), results_path(name, backport.advisory.number)


def _interdiff(version: BackportVersion, other: BackportVersion) -> dict[str, Any]:
    """The diff from the files that the other leaves to those that this one leaves."""
    if why := _why_apart(version, other):
        return {"interdiff_why": why}
    if version.base != other.base:
        return {"interdiff_why": "They were tried on different commits, so their files differ by more than they do."}
    mirror, results = _places(version.backport)
    try:
        found = interdiff.between(open_results(results, mirror), other.result, version.result)
        return {"interdiff": diffs.shown(parse_series(found), "i") if found.strip() else []}
    except (GitError, EngineError) as error:
        return {"interdiff_why": error.sentence}
