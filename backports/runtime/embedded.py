"""The embedded PostgreSQL server, as the rest of the program sees it.

`connection` gives the settings' values without touching anything; `ensure_running` has the server up for as
long as its block runs. Any number of processes may do so at once: the first starts it, the last one stops
it (see `guardian`).
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backports.runtime import guardian, postgres, processes
from backports.runtime.errors import PlatformError
from backports.runtime.locks import FileLock, is_held
from backports.runtime.place import PORT, open_place, prepare_base, socket_folder
from backports.runtime.provision import APP, DATABASE, OWNER

__all__ = ["APP", "DATABASE", "OWNER", "Use", "connection", "ensure_running", "prepare_base"]

CODE_DIR = Path(__file__).resolve().parent.parent.parent
_PATIENCE = 90.0


def connection(data_dir: Path) -> dict[str, str]:
    """HOST and PORT for Django's settings. Starts nothing and makes nothing."""
    return {"HOST": str(socket_folder(data_dir)), "PORT": PORT}


@dataclass
class Use:
    """One process's use of the server: hold it while the database is needed, then `end` it."""

    data_dir: Path
    durable: bool = True
    notes: list[str] = field(default_factory=list)
    _lock: FileLock | None = None
    _guardian: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Have the server up. Raises PlatformError when it cannot be."""
        base = prepare_base(self.data_dir)
        self._lock = FileLock(base / guardian.USERS_LOCK)
        self._lock.acquire(shared=True)
        try:
            self.revive()
        except BaseException:
            self._lock.release()
            raise

    def revive(self) -> None:
        """Start a guardian when there is none (it was killed, say), and wait until the server answers."""
        base = self.data_dir.resolve()
        with FileLock(base / guardian.START_LOCK):
            if is_held(base / guardian.GUARDIAN_LOCK):
                self._wait_until_ready(base)
            else:
                self._start_guardian(base)

    def is_kept(self) -> bool:
        """Whether a guardian is alive; one that has ended is reaped."""
        if self._guardian and self._guardian.poll() is None:
            return True
        return is_held(self.data_dir.resolve() / guardian.GUARDIAN_LOCK)

    def end(self, *, wait: float = 0.0) -> bool:
        """Give the server up. True when it stopped within `wait` seconds; others may still be using it."""
        if self._lock:
            self._lock.release()
        gone: Callable[[], bool] = lambda: not self.is_kept()  # noqa: E731
        return processes.wait_until(gone, wait) if wait else gone()

    def _wait_until_ready(self, base: Path) -> None:
        data = open_place(base)[0].data
        ready: Callable[[], bool] = lambda: _is_ready(data)  # noqa: E731
        if not processes.wait_until(ready, _PATIENCE):
            raise PlatformError("postgres-not-ready", f"PostgreSQL does not come up; its log is {base / guardian.LOG}.")

    def _start_guardian(self, base: Path) -> None:
        flags = [] if self.durable else ["--not-durable"]
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "backports.runtime.guardian", str(base), *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=CODE_DIR,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(CODE_DIR)},
        )
        word, _, rest = _first_line(self._guardian).partition(" ")
        if word != "ready":
            code, _, sentence = rest.partition(" ")
            raise PlatformError(
                code or "guardian-died", sentence or f"The database's keeper ended at once: {word} {rest}"
            )
        if rest.strip():
            self.notes.append(rest.strip())


def _first_line(process: subprocess.Popen[bytes]) -> str:
    output, problems = process.stdout, process.stderr
    if output is None or problems is None:
        return ""
    with output, problems:
        readable, _, _ = select.select([output], [], [], _PATIENCE)
        line = output.readline().decode(errors="replace").strip() if readable else ""
        if line:
            return line
        process.kill()
        return "died - " + problems.read().decode(errors="replace").strip()[-400:]


def _is_ready(data: Path) -> bool:
    found = postgres.read_postmaster(data)
    return found is not None and found.status == "ready" and processes.is_alive(found.pid)


@contextmanager
def ensure_running(data_dir: Path, *, durable: bool = True, wait: float = 0.0) -> Iterator[dict[str, str]]:
    """The server is up inside the block; afterwards it stops, unless another process uses it.

    Gives HOST and PORT. `wait`: seconds to wait for its end. Raises PlatformError when it cannot be started.
    """
    use = Use(data_dir, durable)
    use.begin()
    for note in use.notes:
        sys.stderr.write(note + "\n")
    try:
        yield connection(data_dir)
    finally:
        use.end(wait=wait)
