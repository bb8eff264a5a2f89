"""A series to take away as a quilt tar with DEP-3 headers, or as one diff for `patch -p0`."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Sequence

from backports.engine.diff import Patch, parse_patch
from backports.engine.render import BARE, render
from backports.git.errors import GitError
from backports.git.patches import format_series
from backports.git.results import open_results

from . import dep3
from .mbox import NOTICE, Result

FOLDER = "patches"


def plain(result: Result) -> list[Patch]:
    """The patches of a result in the words that every tool knows: quilt and patch(1) cannot rename (all) files.

    Raises GitError when the repository or a commit is gone.
    """
    mails = format_series(open_results(result.repository, result.mirror), result.base, result.tip, renames=False)
    return [parse_patch(mail) for mail in mails]


def as_quilt(patches: Sequence[Patch], stem: str, about: dep3.About, notes: Sequence[str] = ()) -> bytes:
    """A tar of `patches/series` and the patches that it lists, for `quilt push -a`; the same bytes for the same input.

    `stem` is the beginning of their names (`xsa500-4.8`). Raises GitError `binary-parts`.
    """
    return tarred(quilt_files(patches, stem, about, notes))


def quilt_files(
    patches: Sequence[Patch], stem: str, about: dep3.About, notes: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file of a quilt series. Raises GitError `binary-parts`."""
    names = list(names_of(len(patches), stem))
    if notes:
        yield NOTICE, lines(notes)
    yield f"{FOLDER}/series", lines([*(f"# {dep3.one_line(note)}" for note in notes), *names])
    for name, patch in zip(names, patches, strict=True):
        refuse_binary(patch)
        yield f"{FOLDER}/{name}", dep3.header(patch, about, notes) + b"\n" + render(patch.files)


def as_p0(patches: Sequence[Patch], notes: Sequence[str] = ()) -> bytes:
    """The patches in one file whose names have no `a/` and `b/`, for `patch -p0`; messages stand as comments.

    Raises GitError `binary-parts`.
    """
    return b"".join([*(lines([f"# {dep3.one_line(note)}"]) for note in notes), *map(_p0, patches)])


def _p0(patch: Patch) -> bytes:
    refuse_binary(patch)
    message = [patch.subject, *([""] if patch.body else []), *patch.body.splitlines()]
    return lines(f"# {dep3.guarded(line)}".rstrip() for line in message) + b"\n" + render(patch.files, prefixes=BARE)


def names_of(count: int, stem: str) -> Iterator[str]:
    """The files' names of a series, which sort in its order."""
    width = max(2, len(str(count)))
    for position in range(1, count + 1):
        yield f"{stem}.patch" if count == 1 else f"{stem}-{position:0{width}}.patch"


def refuse_binary(patch: Patch) -> None:
    """GitError `binary-parts` for what only git's own binary form can carry."""
    if any(file.binary for file in patch.files):
        raise GitError("binary-parts", "The series changes a binary file, which only the mbox for git am can carry.")


def lines(texts: Iterable[str]) -> bytes:
    """Texts, each on its line."""
    return "".join(f"{text}\n" for text in texts).encode("utf-8", "surrogateescape")


def tarred(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A tar of plain files in this order, without a trace of when or by whom it was made."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return held.getvalue()
