"""Trees for the ladder: files by path, blobs by oid, where a moved file lives, and a line differ."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest

import pygit2
from pygit2.enums import DiffOption

from backports.engine.tree import REGULAR, SUBMODULE, Blob, Edit

from .likeness import SPLIT_SHARE, Profile, Sought, likely_order, shared_words
from .paths import PathIndex, home_of, other_folders, path_index, suffix_of
from .store import Recent, tree_at

MOVES_KEPT = 4096
RENAME_CANDIDATES = 200
SPLIT_CANDIDATES = 90
BLOBS_KEPT = 32
BASELESS_THRESHOLD = 0.6
PROFILES_KEPT = 6000
TREE_PAIRS_KEPT = 16
_SMALLEST_ABBREVIATION = 7
_MOVES: Recent[tuple[str, str, str, str], tuple[str, ...]] = Recent(MOVES_KEPT)
_NEW_FILES: Recent[tuple[str, str], dict[str, list[str]]] = Recent(TREE_PAIRS_KEPT)
_PROFILES: Recent[str, Profile] = Recent(PROFILES_KEPT)


class GitTree:
    """A commit's or tree's files, as `engine.tree.TreeReader`.

    `treeish` is an oid of 40 digits or a full ref name. With `base_treeish` (the tree that a
    patch was made on) `moved_to` also follows files that got a new base name between the two.
    Raises GitError `no-such-commit`.
    """

    def __init__(self, repo: pygit2.Repository, treeish: str, *, base_treeish: str | None = None) -> None:
        self._repo = repo
        self._tree = tree_at(repo, treeish)
        self._base = None if base_treeish is None else tree_at(repo, base_treeish)
        self._base_oid = "" if self._base is None else str(self._base.id)
        self._blobs: Recent[str, Blob | None] = Recent(BLOBS_KEPT)
        self._files: Recent[str, Blob | None] = Recent(BLOBS_KEPT)

    @property
    def oid(self) -> str:
        """The tree's own oid."""
        return str(self._tree.id)

    def read(self, path: str) -> Blob | None:
        """The file at `path`; a submodule reads as git's one-line description of it."""
        return self._files.get(path, lambda: _entry(self._tree, path))

    def blob(self, oid: str) -> Blob | None:
        """Any blob of the store by full or abbreviated oid (≥ 7 digits); None when unknown or ambiguous."""
        return self._blobs.get(oid, lambda: self._find_blob(oid))

    def moved_to(self, path: str, base: Blob | None) -> Sequence[str]:
        """Where the file lives that a patch calls `path`, likeliest first; never `path` itself.

        First the same bytes elsewhere, then files of the same name that share most of their lines
        with `base`; when there is none and the base tree is known, files that it lacks and that are
        like `base`. (libgit2's own rename detection takes 10 to 40 seconds between distant branches.)
        """
        key = (path, base.oid or str(hash(base.data)) if base else "", self.oid, self._base_oid)
        return _MOVES.get(key, lambda: self._find_moved(path, base))

    def home_of(self, path: str) -> str:
        """Where a new file that the patch calls `path` belongs in this tree."""
        return home_of(
            path, path_index(self._repo, self._tree), None if self._base is None else path_index(self._repo, self._base)
        )

    def _find_moved(self, path: str, base: Blob | None) -> tuple[str, ...]:
        index = path_index(self._repo, self._tree)
        base = base or (None if self._base is None else _entry(self._base, path))
        found = [*_same_bytes(index, base), *self._namesakes(index, path, base)]
        found = found or self._renamed(index, path, base) or self._still_unsplit(index, path, base)
        return tuple(other for other in dict.fromkeys(found) if other != path)

    def _find_blob(self, oid: str) -> Blob | None:
        if len(oid) < _SMALLEST_ABBREVIATION or not oid.strip("0"):
            return None
        try:
            found = self._repo.get(oid)
        except ValueError:
            return None
        return Blob(str(found.id), REGULAR, found.data) if isinstance(found, pygit2.Blob) else None

    def _namesakes(self, index: PathIndex, path: str, base: Blob | None) -> list[str]:
        candidates = [other for other in index.namesakes(path) if other != path]
        if base is None:
            return [other for other in other_folders(path) if other in index.oids] or _alike_by_path(path, candidates)
        return likely_order(path, self._scored(index, base, candidates))

    def _renamed(self, index: PathIndex, path: str, base: Blob | None) -> list[str]:
        if self._base is None or base is None:
            return []
        new = self._new_files(index).get(suffix_of(path), ())
        nearest = nsmallest(RENAME_CANDIDATES, new, key=lambda other: (-shared_words(path, other), other))
        return likely_order(path, self._scored(index, base, nearest))

    def _new_files(self, index: PathIndex) -> dict[str, list[str]]:
        """What this tree has and the base tree lacks, by extension; many files of a series ask for it."""
        return _NEW_FILES.get((self.oid, self._base_oid), lambda: self._find_new(index))

    def _find_new(self, index: PathIndex) -> dict[str, list[str]]:
        known = path_index(self._repo, self._base).oids if self._base is not None else {}
        found: dict[str, list[str]] = {}
        for other in index.oids.keys() - known.keys():
            found.setdefault(suffix_of(other), []).append(other)
        return found

    def _still_unsplit(self, index: PathIndex, path: str, base: Blob | None) -> list[str]:
        """Larger files nearby that hold most of `base`: it was split off from one of them later."""
        if base is None:
            return []
        near = index.around(path)[:SPLIT_CANDIDATES]
        sought = Sought(base.data)
        shares = ((sought.share_in(self._profile(index, other)), other) for other in near if other != path)
        return [other for share, other in sorted(shares, reverse=True) if share >= SPLIT_SHARE]

    def _scored(self, index: PathIndex, base: Blob, candidates: Sequence[str]) -> list[tuple[float, str]]:
        sought = Sought(base.data)
        return [(sought.likeness(self._profile(index, other)), other) for other in candidates]

    def _profile(self, index: PathIndex, path: str) -> Profile:
        """Of a file of this tree; trees share most of their blobs, and a worker asks for the same few again."""
        return _PROFILES.get(index.oids[path], lambda: self._read_profile(path))

    def _read_profile(self, path: str) -> Profile:
        blob = _entry(self._tree, path)
        return Profile.of(blob.data if blob else b"")


def diff_lines(old: bytes, new: bytes) -> list[Edit]:
    """The edits between two texts by libgit2's Myers diff; the `LineDiffer` of the ladder.

    A line ends with its newline; a last line without one differs from the same line with one.
    """
    if old == new:
        return []
    patch = pygit2.Patch.create_from(old, new, flag=DiffOption.FORCE_TEXT, context_lines=0, interhunk_lines=0)
    return [_edit(hunk) for hunk in patch.hunks]


def _edit(hunk: pygit2.DiffHunk) -> Edit:
    removed, added = hunk.old_lines, hunk.new_lines
    old = hunk.old_start - 1 if removed else hunk.old_start
    new = hunk.new_start - 1 if added else hunk.new_start
    return Edit(old, old + removed, new, new + added)


def _entry(tree: pygit2.Tree, path: str) -> Blob | None:
    if not path or path.startswith("/") or "\0" in path:
        return None
    try:
        found = tree[path]
    except (KeyError, ValueError):
        return None
    if isinstance(found, pygit2.Blob):
        return Blob(str(found.id), int(found.filemode), found.data)
    if found.filemode == SUBMODULE:
        return Blob(str(found.id), SUBMODULE, b"Subproject commit %s\n" % str(found.id).encode())
    return None


def _same_bytes(index: PathIndex, base: Blob | None) -> list[str]:
    return [] if base is None or not base.oid or not base.data else index.holding(base.oid)


def _alike_by_path(path: str, candidates: Sequence[str]) -> list[str]:
    scored = ((shared_words(path, other), other) for other in candidates)
    return [other for score, other in sorted(scored, reverse=True) if score >= BASELESS_THRESHOLD]
