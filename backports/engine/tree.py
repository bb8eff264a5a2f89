"""What the ladder needs to know of a tree, as protocols; `backports.git` implements them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

REGULAR = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
SUBMODULE = 0o160000


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of a tree: its git object id (40 hex digits, "" when not stored yet), mode and bytes."""

    oid: str
    mode: int
    data: bytes


class Edit(NamedTuple):
    """Lines `[old_start, old_stop)` of one text became `[new_start, new_stop)` of the other; 0-based."""

    old_start: int
    old_stop: int
    new_start: int
    new_stop: int


class TreeReader(Protocol):
    """A tree that can be read by path, and the object store around it.

    Paths are `/`-separated `str`, decoded as UTF-8 with `surrogateescape`.
    """

    def read(self, path: str) -> Blob | None:
        """The blob at `path`, or None when the tree has no such file (a directory is no file)."""

    def blob(self, oid: str) -> Blob | None:
        """Any blob of the store by full or abbreviated oid (≥ 7 digits); None when unknown or ambiguous."""

    def moved_to(self, path: str, base: Blob | None) -> Sequence[str]:
        """Where a file that the patch calls `path` lives in this tree, likeliest first; [] when nowhere.

        `base` is the file as the patch's author saw it, when known.
        """

    def home_of(self, path: str) -> str:
        """Where a new file that the patch calls `path` belongs in this tree: elsewhere when its folder has moved."""


class LineDiffer(Protocol):
    """Compares two texts by lines; the edits are in order and do not touch."""

    def __call__(self, old: bytes, new: bytes) -> Sequence[Edit]: ...


WORTH_KEEPING = 4096  # bytes; shorter texts are compared again as fast


def remembered(differ: LineDiffer) -> LineDiffer:
    """A differ that compares two long texts once: rungs and guards ask for the same few again and again."""
    known: dict[tuple[bytes, bytes], Sequence[Edit]] = {}

    def differ_once(old: bytes, new: bytes) -> Sequence[Edit]:
        if len(old) < WORTH_KEEPING:
            return differ(old, new)
        if (old, new) not in known:
            known[old, new] = differ(old, new)
        return known[old, new]

    return differ_once
