"""Worker processes of the bench's own, and the most memory that each of them ever held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workers(count: int) -> Iterator[list[int]]:
    """`count` worker processes with one child each; yields their ids and stops them at the end."""
    command = [sys.executable, "-m", "celery", "-A", "backports.celery", "worker", "--loglevel", "WARNING"]
    with Path(os.devnull).open("wb") as nowhere:
        running = [
            subprocess.Popen(
                [*command, "--concurrency", "1", "--hostname", f"bench{number}@localhost"],
                stdout=nowhere,
                stderr=nowhere,
                start_new_session=True,
            )
            for number in range(count)
        ]
    try:
        yield [process.pid for process in running]
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            process.wait(60)


class Memory:
    """The highest resident size, in megabytes, that was seen of any process in some sessions."""

    def __init__(self, sessions: list[int]) -> None:
        self.sessions = set(sessions)
        self.most = 0.0

    def look(self) -> None:
        """Read `/proc` once; VmHWM is the kernel's own high-water mark."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                if os.getsid(int(status.parent.name)) in self.sessions:
                    self.most = max(self.most, _high_water(status.read_text()))
            except (OSError, ProcessLookupError):
                continue


def _high_water(status: str) -> float:
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
