"""A tree in memory, for the benches that make their own files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backports.engine.series import blob_oid
from backports.engine.tree import REGULAR, Blob

PATH = "port/harbour.c"
CONTEXT = 3
Lines = list[str]


class Files:
    """A tree of some files, in a store that also holds the file that the patch was made on."""

    def __init__(self, files: Mapping[str, bytes], base: bytes = b"") -> None:
        self._files = {path: Blob(blob_oid(data), REGULAR, data) for path, data in files.items()}
        self._store = {blob.oid[:7]: blob for blob in (*self._files.values(), Blob(blob_oid(base), REGULAR, base))}
        self.size = sum(len(data) for data in files.values())

    def read(self, path: str) -> Blob | None:
        """The file."""
        return self._files.get(path)

    def blob(self, oid: str) -> Blob | None:
        """A file or the base."""
        return self._store.get(oid[:7])

    def moved_to(self, path: str, base: Blob | None) -> Sequence[str]:  # noqa: ARG002 - the protocol's
        """They never moved."""
        return ()

    def home_of(self, path: str) -> str:
        """New files belong where they are."""
        return path
