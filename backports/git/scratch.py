"""Repositories that are thrown away, over the objects of a mirror and of a result: in memory where there is room."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pygit2

from .results import open_results
from .store import open_repository

MEMORY = Path("/dev/shm")  # noqa: S108 - only unguessable folders of our own are made in it, closed to others
MEMORY_NEEDED = 32 * 1024 * 1024  # bytes free


@contextmanager
def scratch(mirror: Path | str, results: Path | str | None = None) -> Iterator[pygit2.Repository]:
    """An empty bare repository that sees all objects of both (of the mirror alone without results).

    What is written into it goes with it.

    Raises GitError `mirror-missing`, `not-a-repository`.
    """
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=roomy_memory()) as folder:
        path = Path(folder) / "scratch.git"
        open_results(path, mirror).free()
        if results is not None:
            with (path / "objects" / "info" / "alternates").open("a") as file:
                file.write(f"{Path(results).absolute().resolve() / 'objects'}\n")
        yield open_repository(path)


def roomy_memory() -> Path | None:
    """The system's folder in memory, so that no disk ever holds it; None (any temporary folder) without one."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    room = os.statvfs(MEMORY)
    return MEMORY if room.f_bavail * room.f_frsize >= MEMORY_NEEDED else None
