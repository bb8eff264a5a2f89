"""What was published about the demo project: files in Xen's layout, and what a person knows to be true."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from backports.engine.result import Outcome
from xsa.formats.signature import clear_sign, make_demo_key

from .catalogue import CATALOGUE, Entry, Shipped, Version
from .edits import apply
from .publish import advisory_text, meta_file, patch_file
from .repository import AppliedChange, DemoRepository, fixed_at

_FAR = datetime(2099, 1, 6, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DemoAdvisoryVersion:
    """One published version: `files` maps names as published to bytes; the text is not signed (see `sign`)."""

    version: int
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class DemoAdvisory:
    """One advisory. Exactly one of `disclosed` (UTC) and `planned` (UTC) is set.

    `expected` maps each branch that the advisory can concern to the outcome that a person who knows the code gives;
    `how` says for the outcome `applied` by what means (`exact`, `offset`, `three-way`, `fuzz`, `moved file`,
    `re-indented`, `argument added`), and for others may say why (`symbol missing`, `after 901`). `recipes` maps each
    branch of the RESOLUTION list to its patch files, in order.
    """

    number: int
    title: str
    cve: str
    versions: tuple[DemoAdvisoryVersion, ...]
    disclosed: datetime | None
    planned: datetime | None
    expected: Mapping[str, Outcome] = field(repr=False)
    how: Mapping[str, str] = field(repr=False)
    recipes: Mapping[str, tuple[str, ...]] = field(repr=False)


def advisories(repository: DemoRepository, *, now: datetime | None = None) -> tuple[DemoAdvisory, ...]:
    """Every advisory of the demo, by number.

    The embargoed ones are planned for some days after `now` (at noon, UTC), by default for a day far ahead; nothing
    else depends on it.
    """
    return tuple(_advisory(entry, repository, now or _FAR) for entry in CATALOGUE)


def _advisory(entry: Entry, repository: DemoRepository, now: datetime) -> DemoAdvisory:
    noon = now.astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    number = entry.notice.number
    return DemoAdvisory(
        number=number,
        title=entry.notice.title,
        cve=entry.notice.cve,
        versions=tuple(_version(entry, version, repository) for version in entry.versions),
        disclosed=None if entry.days else fixed_at(number),
        planned=noon + timedelta(days=entry.days) if entry.days else None,
        expected={cell.branch: cell.outcome for cell in entry.cells},
        how={cell.branch: cell.how for cell in entry.cells},
        recipes=entry.recipes,
    )


def _version(entry: Entry, version: Version, repository: DemoRepository) -> DemoAdvisoryVersion:
    number = entry.notice.number
    files = {shipped.name: _patch(number, shipped, repository) for shipped in version.files}
    files |= {name: text.encode() for name, text in entry.other_trees.items()}
    if entry.meta is not None:
        refs = {branch: repository.branches[branch] for branch in entry.meta.recipes}
        refs |= {branch: oid for (fix, branch), oid in repository.stable_refs.items() if fix == number}
        files[f"xsa{number}.meta"] = meta_file(number, entry.meta.recipes, refs, entry.meta.prereqs)
    text = advisory_text(entry.notice, version.number, files, entry.wrong_digests)
    return DemoAdvisoryVersion(version.number, {f"advisory-{number}.txt": text, **files})


def _patch(number: int, shipped: Shipped, repository: DemoRepository) -> bytes:
    applied = repository.fixes[number, shipped.branch][shipped.position]
    if shipped.instead is not None:
        after = apply(shipped.instead.edits, applied.before)
        applied = AppliedChange(shipped.instead, applied.message, applied.before, after, applied.when, None)
    data = patch_file(applied, shipped.style, shipped.encoding)
    return data[: int(len(data) * shipped.keep)]


def index(published: Sequence[DemoAdvisory]) -> bytes:
    """The `xsa.json` of the disclosed advisories among `published`."""
    rows = [
        {"xsa": one.number, "title": one.title, "public_time": one.disclosed.isoformat(), "cve": [one.cve]}
        for one in published
        if one.disclosed
    ]
    return json.dumps([{"xsas": rows}], indent=1).encode() + b"\n"


def make_key() -> tuple[bytes, bytes]:
    """A new demo key: (secret key, certificate), both armored."""
    return make_demo_key("Example Security Team", "security@example.org")


def sign(files: Mapping[str, bytes], secret: bytes) -> dict[str, bytes]:
    """The files of a version with the advisory text clear-signed; signatures differ from run to run."""
    return {name: clear_sign(data, secret) if name.startswith("advisory-") else data for name, data in files.items()}
