"""The commit that a bare patch file was made on.

Three ways, the surest first: the blobs that its `index` lines name, all in one commit's tree; the
commit that makes the same change (by git's patch id or by subject), whose parent it is; else the
commit in whose tree most hunks stand exactly, of the branches' tips and of the history of the
files that the patch touches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain, islice

import pygit2

from backports.engine.diff import FileDiff, FileKind, Patch
from backports.engine.render import render
from backports.engine.scan import split_lines

from .errors import GitError
from .history import patch_id, patch_ids
from .runner import run_git
from .store import commit_at
from .tree import GitTree

LOG_TIMEOUT = 15.0
PATHS_ASKED = 24
PATCHES_ASKED = 100
COMMITS_ASKED = 1000
ENOUGH = 0.75  # of the hunks must stand exactly where the base is told by fit alone
_SMALLEST_ABBREVIATION = 7


class How(StrEnum):
    """By what a base was told."""

    INDEX = "index"
    COMMIT = "commit"
    FIT = "fit"


@dataclass(frozen=True, slots=True)
class Base:
    """The commit `oid`, how it was found, and a sentence that says so."""

    oid: str
    how: How
    sentence: str


def find_base(
    repo: pygit2.Repository, patches: Sequence[Patch], candidates: Mapping[str, str], *, since: datetime | None = None
) -> Base | None:
    """The commit that the first of `patches` was made on; None when nothing fits well enough.

    `candidates` are commits by the name under which a person knows them (branches, release tags), likeliest first;
    the history of the touched files is followed from them, no further back than `since` where that is given. Takes a
    few seconds at most: what takes longer is left out. Raises GitError `no-such-commit` for a candidate that is not
    there.
    """
    files = list(first_touches(patches))
    if not files or not candidates:
        return None
    tips = {name: str(commit_at(repo, oid).id) for name, oid in candidates.items()}
    history = _history(repo, [file.old_path for file in files if file.old_path], tips.values(), since)
    return (
        _by_index(repo, files, tips.values(), history)
        or _by_commit(repo, patches[0], files, history)
        or _by_fit(repo, files, [*tips.values(), *(oid for step in history for oid in (step.parent, step.oid))])
    )


def with_base(repo: pygit2.Repository, patches: Sequence[Patch], base: str) -> tuple[Patch, ...]:
    """The patches with the blobs of commit `base` named where they name none that the repository holds.

    Only where every hunk of the file stands exactly in that blob, so that it may serve for a merge.
    Raises GitError `no-such-commit`.
    """
    tree = GitTree(repo, base)
    first = {id(file) for file in first_touches(patches)}
    return tuple(
        replace(patch, files=tuple(_named(file, tree) if id(file) in first else file for file in patch.files))
        for patch in patches
    )


def first_touches(patches: Iterable[Patch]) -> Iterator[FileDiff]:
    """The file diffs that find their file as the base has it: the first of a series to touch it, and no new file."""
    touched: set[str] = set()
    for patch in patches:
        for file in patch.files:
            if file.old_path and file.kind is not FileKind.ADD and file.old_path not in touched:
                yield file
            touched.update(path for path in (file.old_path, file.new_path) if path)


def _named(file: FileDiff, tree: GitTree) -> FileDiff:
    if file.binary or (file.old_oid and tree.blob(file.old_oid) is not None):
        return file
    blob = tree.read(file.old_path or "")
    if blob is None or not file.hunks or _standing(file, blob.data) < len(file.hunks):
        return file
    return replace(file, old_oid=blob.oid)


@dataclass(frozen=True, slots=True)
class _Step:
    """A commit that changed some of the files: its parent, which files, and their blobs before and after it."""

    oid: str
    parent: str
    paths: frozenset[str]
    blobs: frozenset[str]


def _history(
    repo: pygit2.Repository, paths: Sequence[str], tips: Collection[str], since: datetime | None
) -> list[_Step]:
    """The commits `since` then that changed one of the files, newest first; none when they cannot be listed in time."""
    wanted = list(dict.fromkeys(paths))[:PATHS_ASKED]
    options = ["--no-merges", "--raw", "--no-abbrev", "--no-renames", "--format=%x00%H %P", "--stdin", "--"]
    limit = [f"--since={since.timestamp():.0f}"] if since else []
    ask = ["log", "--no-color", *limit, *options, *(f":(literal){path}" for path in wanted)]
    if not wanted:
        return []
    try:
        out = run_git(ask, git_dir=repo.path, input="".join(f"{oid}\n" for oid in tips).encode(), timeout=LOG_TIMEOUT)
    except GitError:
        return []
    return [_step(record) for record in out.split(b"\0")[1:]]


def _step(record: bytes) -> _Step:
    head, *lines = record.decode("utf-8", "surrogateescape").splitlines()
    oid, *parents = head.split()
    changes = [line.partition("\t") for line in lines if line.startswith(":")]
    blobs = (blob for change, _, _ in changes for blob in change.split()[2:4])
    return _Step(oid, parents[0] if parents else oid, frozenset(path for _, _, path in changes), frozenset(blobs))


def _by_index(
    repo: pygit2.Repository, files: Sequence[FileDiff], tips: Iterable[str], history: Iterable[_Step]
) -> Base | None:
    """The newest commit whose tree holds, at its path, every named blob that the repository knows.

    It is a tip, or one of its files changes from (or to) such a blob next to it in history.
    """
    blob_at = _reader(repo)
    named = {file.old_path or "": _full(repo, file.old_oid) for file in files}
    known = {path: oid for path, oid in named.items() if oid}
    if not known:
        return None
    sought = frozenset(known.values())
    beside = (oid for step in history if step.blobs & sought for oid in (step.parent, step.oid))
    for oid in chain(tips, beside):
        if all(blob_at(oid, path) == blob for path, blob in known.items()):
            return Base(oid, How.INDEX, f"The patch names the very files of commit {oid[:12]}.")
    return None


def _by_commit(
    repo: pygit2.Repository, patch: Patch, files: Sequence[FileDiff], history: Sequence[_Step]
) -> Base | None:
    """The parent of a commit that makes the same change, by git's stable patch id; of several the best fitting."""
    wanted, paths = patch_id(render(patch.files)), {file.old_path for file in patch.files if file.old_path}
    alike = [step for step in history if step.paths >= paths or len(paths) > PATHS_ASKED][:PATCHES_ASKED]
    if wanted is None or not alike:
        return None
    ids = patch_ids(repo.path, [step.oid for step in alike])
    same = [step for step in alike if ids.get(step.oid) == wanted]
    if not same:
        return None
    scores = _Scores(repo, files)
    best = max(same, key=lambda step: scores.of(step.parent))
    return Base(best.parent, How.COMMIT, f"Commit {best.oid[:12]} makes the same change; the patch was made before it.")


def _by_fit(repo: pygit2.Repository, files: Sequence[FileDiff], commits: Iterable[str]) -> Base | None:
    oids = list(islice(dict.fromkeys(commits), COMMITS_ASKED))
    total = sum(len(file.hunks) for file in files)
    if not total:
        return None
    scores = _Scores(repo, files)
    best = max(oids, key=scores.of)  # the first of equals
    standing = scores.of(best)
    if standing < ENOUGH * total:
        return None
    sentence = (
        f"{standing} of {total} hunks stand exactly in commit {best[:12]}, more than in others that were looked at."
    )
    return Base(best, How.FIT, sentence)


class _Scores:
    """How many hunks stand exactly in a commit; each version of a file is looked at once."""

    def __init__(self, repo: pygit2.Repository, files: Sequence[FileDiff]) -> None:
        self._repo, self._files, self._blob = repo, files, _reader(repo)
        self._commits: dict[str, int] = {}
        self._versions: dict[tuple[int, str], int] = {}

    def of(self, oid: str) -> int:
        if oid not in self._commits:
            self._commits[oid] = sum(self._file(place, oid) for place in range(len(self._files)))
        return self._commits[oid]

    def _file(self, place: int, oid: str) -> int:
        file = self._files[place]
        blob = self._blob(oid, file.old_path or "")
        if (place, blob) not in self._versions:
            self._versions[place, blob] = _standing(file, self._repo[blob].peel(pygit2.Blob).data) if blob else 0
        return self._versions[place, blob]


def _reader(repo: pygit2.Repository) -> Callable[[str, str], str]:
    """The oid of the blob at a path of a commit, or ""."""

    def blob_at(oid: str, path: str) -> str:
        try:
            found = commit_at(repo, oid).tree[path]
        except (KeyError, ValueError):
            return ""
        return str(found.id) if isinstance(found, pygit2.Blob) else ""

    return blob_at


def _full(repo: pygit2.Repository, oid: str | None) -> str:
    """The blob of the repository that a full or abbreviated oid names, or ""."""
    if not oid or len(oid) < _SMALLEST_ABBREVIATION or not oid.strip("0"):
        return ""
    try:
        found = repo.get(oid)
    except ValueError:
        return ""
    return str(found.id) if isinstance(found, pygit2.Blob) else ""


def _standing(file: FileDiff, data: bytes) -> int:
    """How many hunks have their preimage at their very line."""
    lines = split_lines(data)
    return sum(_stands(hunk.preimage, lines, hunk.old_start) for hunk in file.hunks)


def _stands(preimage: Sequence[bytes], lines: Sequence[bytes], start: int) -> bool:
    begin = start - 1 if preimage else start
    return begin >= 0 and tuple(lines[begin : begin + len(preimage)]) == tuple(preimage)
