"""The series of many advisories as one file to take away, and the manifest that goes with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backports.engine.diff import Patch
from backports.engine.render import render

from . import dep3, manifest, mbox
from .series import FOLDER, as_p0, lines, refuse_binary, tarred


@dataclass(frozen=True, slots=True)
class Part:
    """One advisory's patches, as they go on top of those before: as mails, and plain as every tool reads them.

    `series` says what they are, `about` the same for DEP-3, `way` how they were chosen, `notes` what stands in each.
    """

    series: manifest.Series
    about: dep3.About
    way: str
    mails: Sequence[bytes]
    patches: Sequence[Patch]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An advisory that the branch lacks and the file does not have, and why."""

    advisory: int
    code: str
    reason: str


def written(kind: str, parts: Sequence[Part], notes: Sequence[str] = ()) -> bytes:
    """All parts in order as a `kind` of file: mbox, quilt, raw (bare diffs for patch -p1) or p0.

    `notes` are for whoever reads it. Raises GitError `binary-parts`.
    """
    if kind == "mbox":
        return mbox.as_mbox((mbox.with_notes(mail, tuple(one.notes)) for one in parts for mail in one.mails), notes)
    if kind == "quilt":
        return tarred(_quilt_files(parts, notes))
    if kind == "p0":
        return as_p0([patch for one in parts for patch in one.patches], notes)
    return b"".join([lines(f"# {dep3.one_line(note)}" for note in notes), *_bare(parts)])


def _bare(parts: Sequence[Part]) -> Iterator[bytes]:
    for one in parts:
        for patch in one.patches:
            refuse_binary(patch)
            yield render(patch.files)


def _quilt_files(parts: Sequence[Part], notes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file of the tar: numbered through, each named by its advisory."""
    flat = [(one, patch) for one in parts for patch in one.patches]
    names = [f"{at:04}-xsa{one.series.advisory}.patch" for at, (one, _) in enumerate(flat, 1)]
    if notes:
        yield mbox.NOTICE, lines(notes)
    yield f"{FOLDER}/series", lines([*(f"# {dep3.one_line(note)}" for note in notes), *names])
    for name, (one, patch) in zip(names, flat, strict=True):
        refuse_binary(patch)
        yield f"{FOLDER}/{name}", dep3.header(patch, one.about, one.notes) + b"\n" + render(patch.files)


def as_json(
    where: manifest.Series, file: str, kind: str, data: bytes, parts: Sequence[Part], left_out: Sequence[LeftOut]
) -> bytes:
    """The manifest of `data`: of each part what goes with a series of its own, in order, and what was left out.

    `where` has the branch, its base and the tree that all of it leaves. The same input gives the same bytes.
    """
    facts: dict[str, Any] = {
        "version": manifest.VERSION,
        "file": manifest.file_facts(file, kind, data),
        "branch": manifest.branch_facts(where),
        "series": [_part(at, one) for at, one in enumerate(parts, 1)],
        "left_out": [asdict(one) | {"advisory": f"XSA-{one.advisory}"} for one in left_out],
        "notes": list(where.notes),
    }
    return manifest.dumped(facts)


def _part(position: int, one: Part) -> dict[str, Any]:
    """What the manifest says of one advisory: `tree` is what stands there after it, `base` what it was made on."""
    return {"position": position, "way": one.way, **manifest.series_facts(one.series, one.patches)}
