"""A version's series as files to take away, each applied again from its own bytes before it is given out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from backports.engine.diff import Patch, parse_series
from backports.engine.result import Outcome
from backports.export import again, dep3, manifest, mbox, series
from backports.models import Attempt, BackportVersion, Review, VersionPatch

from .places import mirror_path, results_path

SUFFIXES = {"raw": ".patch", "mbox": ".mbox", "quilt": ".tar", "p0": "-p0.patch"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A file: its name and bytes, and the JSON manifest that goes with it."""

    name: str
    data: bytes
    manifest: bytes


def can_give(version: BackportVersion, kind: str) -> bool:
    """Whether a version is offered as a `kind`: as it came always; made from its result when all of it landed."""
    return kind == "raw" or (kind in SUFFIXES and version.outcome == Outcome.APPLIED and bool(version.result))


def take(version: BackportVersion, kind: str, notes: Sequence[str] = (), reviews: Iterable[Review] = ()) -> Taken:
    """The version as a `kind` of file that it is offered as; `notes` are for whoever reads it.

    `reviews` are those of its backport that the reader sees, with their organisations and versions.

    Raises GitError, `not-the-result` when what was made does not give the result again.
    """
    stem = f"xsa{version.backport.advisory.number}-{version.backport.branch.name}-v{version.number}"
    if kind == "raw":
        data, patches, tree = _raw(version, notes), _patches(version), ""
    else:
        where = _result(version, stem)
        patches = series.plain(where)
        data = _written(version, kind, stem, where, patches, notes)
        tree = again.check(data, kind, where)
    name = f"{stem}{SUFFIXES[kind]}"
    told = manifest.as_json(about(version, tree, notes, reviews), name, kind, data, patches)
    return Taken(name, data, told)


def _raw(version: BackportVersion, notes: Sequence[str]) -> bytes:
    return mbox.as_mbox(mbox.with_notes(bytes(row.data), tuple(notes)) for row in _rows(version))


def _rows(version: BackportVersion) -> list[VersionPatch]:
    return list(version.patches.order_by("position"))


def _patches(version: BackportVersion) -> list[Patch]:
    return [patch for row in _rows(version) for patch in parse_series(bytes(row.data), strip=row.strip)]


def _result(version: BackportVersion, stem: str) -> mbox.Result:
    backport = version.backport
    name = backport.branch.repository.name
    return mbox.Result(
        name=stem,
        repository=results_path(name, backport.advisory.number),
        mirror=mirror_path(name),
        base=version.base,
        tip=version.result,
    )


def _written(
    version: BackportVersion,
    kind: str,
    stem: str,
    where: mbox.Result,
    patches: Sequence[Patch],
    notes: Sequence[str],
) -> bytes:
    if kind == "mbox":
        return mbox.as_mbox(mbox.series(replace(where, notes=tuple(notes))))
    if kind == "p0":
        return series.as_p0(patches, notes)
    backport = version.backport
    about = dep3.About(
        advisory=backport.advisory.number,
        branch=backport.branch.name,
        origin=f"backport, {backport.organisation.name}, v{version.number}",
        updated=version.made_at.date(),
    )
    return series.as_quilt(patches, stem, about, notes)


def about(
    version: BackportVersion, tree: str, notes: Sequence[str] = (), reviews: Iterable[Review] = ()
) -> manifest.Series:
    """What a manifest says of a version that leaves `tree` where it was applied."""
    backport = version.backport
    return manifest.Series(
        advisory=backport.advisory.number,
        branch=backport.branch.name,
        repository=backport.branch.repository.name,
        base=version.base,
        tree=tree,
        origin=f"backport of {backport.organisation.name}",
        verdict=verdict_of(version),
        organisation=backport.organisation.name,
        number=version.number,
        prerequisites=tuple(f"XSA-{number}" for number in backport.prerequisites),
        reviews=tuple(_review(one, version) for one in _of(version, reviews)),
        notes=tuple(notes),
    )


def verdict_of(row: BackportVersion | Attempt) -> manifest.Verdict:
    """What the ladder found."""
    return manifest.Verdict(row.outcome, row.confidence, row.rung, row.hunks_landed, row.hunks_total)


def _of(version: BackportVersion, reviews: Iterable[Review]) -> list[Review]:
    """Those of this version and of earlier ones, the oldest first."""
    return sorted((one for one in reviews if one.version.number <= version.number), key=lambda one: one.made_at)


def _review(row: Review, version: BackportVersion) -> manifest.Review:
    """One given on this very version is about what is in it, whatever a later one changed."""
    stale = row.version_id != version.pk and row.stale_with_id is not None
    return manifest.Review(row.organisation.name, row.verdict, row.made_at, stale, row.signature)
