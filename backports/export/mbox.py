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
NOTICE = "EMBARGOED.txt"
_TRAILER = re.compile(rb"^-- \n[^\n]*\n+\Z", re.M)
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


def as_mbox(patches: Iterable[bytes], notes: Sequence[str] = ()) -> bytes:
    """Patches in mail format, one after another; `notes` about all of them stand among the first one's headers."""
    whole = b"".join(patch if patch.endswith(b"\n") else patch + b"\n" for patch in patches)
    return headed(whole, notes)


def headed(mail: bytes, notes: Sequence[str]) -> bytes:
    """A mail with `notes` as its first headers, which `git am` passes over; what is no mail is left alone."""
    if not mail.startswith(b"From "):
        return mail
    start = mail.find(b"\n") + 1
    return mail[:start] + "".join(f"X-Note: {note}\n" for note in notes).encode() + mail[start:]


def as_diff(patches: Iterable[bytes], notes: Sequence[str] = ()) -> bytes:
    """The bare diffs of patches in mail format, one after another; `notes` stand at the top as comments."""
    head = "".join(f"# {note}\n" for note in notes).encode()
    return head + b"".join(_diff_of(patch) for patch in patches)


def _diff_of(mail: bytes) -> bytes:
    found = _DIFF.search(mail)
    return _TRAILER.sub(b"", mail[found.start() :]) if found else b""


def as_tar(named: Iterable[tuple[str, Sequence[bytes]]], notes: Sequence[str] = ()) -> bytes:
    """A tar of numbered patches and a `series` file that lists them, the same bytes for the same patches.

    `notes` about all of them stand in its first file and at the top of `series`.
    """
    held = io.BytesIO()
    names: list[str] = []
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _notice(tar, notes)
        for stem, patches in named:
            for position, patch in enumerate(patches, start=1):
                suffix = f"-{position:02}" if len(patches) > 1 else ""
                names.append(f"{len(names) + 1:04}-{stem}{suffix}.patch")
                _add(tar, names[-1], patch)
        _add(tar, "series", "".join([*(f"# {note}\n" for note in notes), *(f"{name}\n" for name in names)]).encode())
    return held.getvalue()


def as_bundle(files: Iterable[tuple[str, bytes]], notes: Sequence[str] = ()) -> bytes:
    """A tar of files as they are, after one with the `notes`."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _notice(tar, notes)
        for name, data in files:
            _add(tar, name, data)
    return held.getvalue()


def _notice(tar: tarfile.TarFile, notes: Sequence[str]) -> None:
    if notes:
        _add(tar, NOTICE, "".join(f"{note}\n" for note in notes).encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = 0o644
    tar.addfile(entry, io.BytesIO(data))


def with_notes(patch: bytes, notes: Sequence[str]) -> bytes:
    """The patch with `notes` among its first headers, and after its message.

    There they stand behind the `---` at which `git am` stops reading the message.
    """
    if not notes:
        return patch
    patch = headed(patch, notes)
    lines = "".join(f"# {note}\n" for note in notes).encode()
    diff = _DIFF.search(patch)
    separator = _SEPARATOR.search(patch, 0, diff.start() if diff else len(patch))
    if separator:
        return patch[: separator.end()] + lines + b"\n" + patch[separator.end() :]
    start = diff.start() if diff else len(patch)
    return patch[:start] + b"---\n" + lines + b"\n" + patch[start:]
