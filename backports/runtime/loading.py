"""What is loaded once, while the pages are served already: the demo, and a Xen clone when one was named."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backports.runtime import processes
from backports.runtime.embedded import CODE_DIR

ACCOUNTS = "demo-accounts.txt"


@dataclass(frozen=True)
class Job:
    """Commands of manage.py to run once, in order; `mark` is the file that says `value` once all have succeeded."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    mark: Path
    value: str

    def is_done(self) -> bool:
        """Whether it succeeded before."""
        return self.mark.exists() and self.mark.read_text().strip() == self.value


def jobs(data_dir: Path, *, demo: bool, xen_git: str) -> list[Job]:
    """What is still to be loaded."""
    found = []
    if demo:
        found.append(Job("demo", (("load_demo",),), data_dir / "run" / "demo-loaded", "1"))
    if xen_git:
        commands = (("add_repository", "xen", xen_git), ("mine_advisories", "xen"))
        found.append(Job("xen", commands, data_dir / "run" / "xen-git", xen_git))
    return [job for job in found if not job.is_done()]


class Loader:
    """Runs jobs one after the other; `step` from time to time, from the main thread."""

    def __init__(self, pending: list[Job], say: Callable[[str], None], done: Callable[[Job], None]) -> None:
        self._pending = [(job, list(job.commands)) for job in pending]
        self._say = say
        self._done = done
        self._process: subprocess.Popen[bytes] | None = None

    def step(self) -> None:
        """Look after the running command, and start the next one when there is none."""
        if self._process and self._process.poll() is None:
            return
        if self._process:
            self._finish(self._process.returncode)
        elif self._pending:
            self._start(self._pending[0][0], self._pending[0][1][0])

    def stop(self) -> None:
        """End the running command; its job is not done and starts anew the next time."""
        if self._process:
            processes.end(self._process, signal.SIGTERM, 5.0)

    def _start(self, job: Job, command: tuple[str, ...]) -> None:
        line = [sys.executable, "-u", str(CODE_DIR / "manage.py"), *command]
        self._process = processes.start(line, output=subprocess.PIPE, cwd=CODE_DIR)
        threading.Thread(target=self._repeat, args=(job.name, self._process), daemon=True).start()

    def _repeat(self, name: str, process: subprocess.Popen[bytes]) -> None:
        for line in process.stdout or ():
            self._say(f"{name}: {line.decode(errors='replace').rstrip()}")

    def _finish(self, status: int) -> None:
        job, commands = self._pending[0]
        command = commands.pop(0)
        self._process = None
        if status != 0:
            self._say(f"{job.name}: `manage.py {command[0]}` failed; it is tried again at the next start.")
        if commands and status == 0:
            return
        self._pending.pop(0)
        if status == 0:
            job.mark.write_text(job.value + "\n")
            self._done(job)
