"""Patches in order on a tree that lives in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .apply import patched_base
from .diff import FileDiff, FileKind, Patch
from .files import Answer, Tools, apply_file, base_of, too_much
from .moved import follow
from .result import Change, FileResult, Outcome, PatchResult
from .tree import REGULAR, Blob, TreeReader

MIN_OID = 7
MAX_REREAD = 1_500_000


def blob_oid(data: bytes) -> str:
    """The id that git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class OverlayTree:
    """A tree with changes over it.

    It also keeps the files as the patches' author left them after each patch, so that the next
    patch of a series finds its base although no repository holds it.
    """

    def __init__(self, tree: TreeReader) -> None:
        self.tree = tree
        self.changes: dict[str, Change] = {}
        self._authored: dict[str, Blob] = {}
        self._moves: dict[str, str] = {}
        self._seen: set[str] = set()
        self._reread = 0

    def read(self, path: str) -> Blob | None:
        """The blob at `path` after the changes so far."""
        if path not in self.changes:
            return self.tree.read(path)
        change = self.changes[path]
        return None if change.data is None else Blob("", change.mode, change.data)

    def blob(self, oid: str) -> Blob | None:
        """A blob of the store, or one that an earlier patch of the series made."""
        found = self.tree.blob(oid)
        if found is not None or len(oid) < MIN_OID:
            return found
        names = [name for name in self._authored if name.startswith(oid)]
        return self._authored[names[0]] if len(names) == 1 else None

    def moved_to(self, path: str, base: Blob | None) -> Sequence[str]:
        """Where the file lives, renames by earlier patches first."""
        if path in self._moves:
            return [self._moves[path]]
        return self.tree.moved_to(path, base)

    def home_of(self, path: str) -> str:
        """Where a new file belongs."""
        return path if path in self.changes else self.tree.home_of(path)

    def take(self, diff: FileDiff, changes: Mapping[str, Change]) -> None:
        """Adds one file diff's changes, and what its author's copy of the file became."""
        self._remember(diff)
        self.changes.update(changes)
        if diff.kind is FileKind.RENAME and diff.old_path and diff.new_path in changes:
            self._moves[diff.old_path] = diff.new_path or ""
        if diff.kind is FileKind.ADD and diff.new_path and diff.new_path not in changes:
            self._moves.update((diff.new_path, path) for path in changes)

    def _remember(self, diff: FileDiff) -> None:
        if diff.binary or not diff.new_oid or not diff.new_oid.strip("0"):
            return
        base = base_of(diff, self)
        if base is None and diff.kind is not FileKind.ADD:
            return
        data = patched_base(diff.hunks, base.data if base else b"")
        if data is not None and blob_oid(data).startswith(diff.new_oid):
            oid = blob_oid(data)
            self._authored[oid] = Blob(oid, diff.new_mode or REGULAR, data)

    def wears_out(self, path: str) -> bool:
        """Whether the series has come back to files of so many lines that it would take too long to go on."""
        if path in self._seen:
            blob = self.read(path)
            self._reread += blob.data.count(b"\n") if blob else 0
        self._seen.add(path)
        return self._reread > MAX_REREAD

    def is_unchanged(self) -> bool:
        """Whether all changes together leave every file as it was in the tree below."""
        return all(self._same(path, change) for path, change in self.changes.items())

    def _same(self, path: str, change: Change) -> bool:
        before = self.tree.read(path)
        if before is None or change.data is None:
            return before is None and change.data is None
        return before.data == change.data and before.mode == change.mode


def apply_patches(patches: Iterable[Patch], overlay: OverlayTree, tools: Tools) -> tuple[PatchResult, ...]:
    """Applies the patches in order; each one's changes go into the overlay, as far as they went."""
    return tuple(apply_each(patches, overlay, tools))


def apply_each(patches: Iterable[Patch], overlay: OverlayTree, tools: Tools) -> Iterator[PatchResult]:
    """The same patch by patch, for who may not need them all."""
    return (_apply_patch(patch, overlay, tools) for patch in patches)


def _apply_patch(patch: Patch, overlay: OverlayTree, tools: Tools) -> PatchResult:
    files: list[FileResult] = []
    changes: dict[str, Change] = {}
    for diff in patch.files:
        result, made = _apply_file(diff, overlay, tools)
        overlay.take(diff, made)
        changes.update(made)
        files.append(result)
    return PatchResult(patch, worst([file.outcome for file in files]), tuple(files), changes)


def _apply_file(diff: FileDiff, overlay: OverlayTree, tools: Tools) -> Answer:
    if overlay.wears_out(diff.path):
        return too_much(diff), {}
    return follow(diff, apply_file(diff, overlay, tools), overlay, tools)


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a whole from those of its parts.

    Anything rejected beside anything applied is `partly-applied`; parts that were there already
    count for neither.
    """
    found = set(outcomes)
    if found <= {Outcome.ALREADY_APPLIED}:
        return Outcome.ALREADY_APPLIED
    if Outcome.PARTLY_APPLIED in found or {Outcome.CONFLICT, Outcome.APPLIED} <= found:
        return Outcome.PARTLY_APPLIED
    return Outcome.CONFLICT if Outcome.CONFLICT in found else Outcome.APPLIED
