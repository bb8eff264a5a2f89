"""Results as mail, for `git am`: one patch, a series, or all of a branch in order."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backports.git.patches import format_patch, format_series
from backports.git.results import open_results
from backports.git.store import open_repository

_DIFF = re.compile(rb"^(?:diff --git |Index: |--- )", re.M)
_SEPARATOR = re.compile(rb"^---\r?\n", re.M)


@dataclass(frozen=True, slots=True)
class Result:
    """Where the result of an attempt is: in `repository` from commit `base` to `tip`, over the objects of `mirror`.

    `name` is the stem of its file's name (`xsa456-4.11`), `notes` are lines for whoever reads
    the patch, which `git am` leaves out of the message.
    """

    name: str
    repository: Path
    mirror: Path
    base: str
    tip: str
    notes: tuple[str, ...] = ()


def series(result: Result) -> list[bytes]:
    """The patches of a result, in order. Raises GitError when the repository or a commit is gone."""
    patches = format_series(open_results(result.repository, result.mirror), result.base, result.tip)
    return [with_notes(patch, result.notes) for patch in patches]


def commits(mirror: Path, oids: Sequence[str], notes: Sequence[str] = ()) -> list[bytes]:
    """Commits of a mirror as patches. Raises GitError."""
    repository = open_repository(mirror)
    return [with_notes(format_patch(repository, oid), notes) for oid in oids]


def as_mbox(patches: Iterable[bytes]) -> bytes:
    """Patches in mail format, one after another."""
    return b"".join(patch if patch.endswith(b"\n") else patch + b"\n" for patch in patches)


def as_tar(named: Iterable[tuple[str, Sequence[bytes]]]) -> bytes:
    """A tar of numbered patches and a `series` file that lists them, the same bytes for the same patches."""
    held = io.BytesIO()
    names: list[str] = []
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for stem, patches in named:
            for position, patch in enumerate(patches, start=1):
                suffix = f"-{position:02}" if len(patches) > 1 else ""
                names.append(f"{len(names) + 1:04}-{stem}{suffix}.patch")
                _add(tar, names[-1], patch)
        _add(tar, "series", "".join(f"{name}\n" for name in names).encode())
    return held.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = 0o644
    tar.addfile(entry, io.BytesIO(data))


def with_notes(patch: bytes, notes: Sequence[str]) -> bytes:
    """The patch with `notes` after its message, behind the `---` at which `git am` stops reading the message."""
    if not notes:
        return patch
    lines = "".join(f"# {note}\n" for note in notes).encode()
    diff = _DIFF.search(patch)
    separator = _SEPARATOR.search(patch, 0, diff.start() if diff else len(patch))
    if separator:
        return patch[: separator.end()] + lines + b"\n" + patch[separator.end() :]
    start = diff.start() if diff else len(patch)
    return patch[:start] + b"---\n" + lines + b"\n" + patch[start:]
