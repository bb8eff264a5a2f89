"""The programs that make up a server on one machine, and one program under watch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from backports.runtime import processes
from backports.runtime.embedded import CODE_DIR

_QUICK = 10.0
_MAX_QUICK_DEATHS = 5
_LONGEST_PAUSE = 8.0
_LOG_LIMIT = 10_000_000
COMPILER = "compile@"
"""How the names of workers start that compile, and do nothing else."""


@dataclass(frozen=True)
class Program:
    """A program to keep running; `stop_seconds` is how long it may take to end when it is asked to."""

    name: str
    command: tuple[str, ...]
    stop_seconds: float


def programs(port: int, workers: int, *, compiles: bool = False) -> list[Program]:
    """In the order of their start: worker, scheduler, web server, and the worker that compiles where one is wanted."""
    celery = (sys.executable, "-m", "celery", "-A", "backports.celery")
    worker = (*celery, "worker", "--pool=prefork", f"--concurrency={workers}", "--hostname=worker@%h")
    quiet = ("--loglevel=WARNING", "--without-gossip", "--without-mingle")
    parts = [
        Program("worker", (*worker, *quiet), 30.0),
        Program("scheduler", (*celery, "beat", "--loglevel=WARNING", "--pidfile="), 5.0),
        Program("web", _web_command(port), 10.0),
    ]
    if compiles:
        compiler = (
            *celery,
            "worker",
            "--pool=prefork",
            "--concurrency=1",
            f"--hostname={COMPILER}%h",
            "--queues=compile",
        )
        parts.append(Program("compiler", (*compiler, *quiet), 15.0))
    return parts


def _web_command(port: int) -> tuple[str, ...]:
    heartbeat_folder = ("--worker-tmp-dir=/dev/shm",) if os.access("/dev/shm", os.W_OK) else ()  # noqa: S108
    return (
        *(sys.executable, "-m", "gunicorn", "backports.wsgi:application", f"--bind=127.0.0.1:{port}"),
        *("--workers=2", "--threads=4", "--worker-class=gthread", "--timeout=60", "--graceful-timeout=5"),
        # A page's address can name what is under embargo: no access log, and no control socket either.
        # Forwarded headers are believed or dropped in one place, which is not this one.
        *("--log-level=warning", "--no-control-socket", "--forwarded-allow-ips="),
        *heartbeat_folder,
    )


class GiveUp(Exception):
    """A program died too often in a row; the text says which, and where its log is."""


@dataclass
class Child:
    """One program under watch: restarted with growing pauses, given up after repeated quick deaths."""

    program: Program
    log_folder: Path
    say: Callable[[str], None]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_deaths: int = 0
    _retry_at: float = field(default=0.0)

    @property
    def log(self) -> Path:
        """Where both its outputs go."""
        return self.log_folder / f"{self.program.name}.log"

    def start(self) -> None:
        """Start it now."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.process = processes.start(self.program.command, output=output, cwd=CODE_DIR)
        self.started = time.monotonic()

    def watch(self) -> None:
        """Start it again when it has ended. Raises GiveUp when that happened too often."""
        if self.process is None:
            if time.monotonic() >= self._retry_at:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        # What it left behind in its group (a pool of a killed worker, say) must not go on alone.
        processes.kill_group(self.process.pid)
        self.process = None
        self._plan_restart(status)

    def stop(self, *, at_once: Callable[[], bool]) -> None:
        """End it and its whole group."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        ended: Callable[[], bool] = lambda: self._has_ended() or at_once()  # noqa: E731
        processes.wait_until(ended, self.program.stop_seconds)
        if not self._has_ended():
            self.say(f"{self.program.name}: killed, it did not end by itself.")
        processes.kill_group(self.process.pid)
        self.process.wait()

    def _has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _plan_restart(self, status: int) -> None:
        lived = time.monotonic() - self.started
        self.quick_deaths = self.quick_deaths + 1 if lived < _QUICK else 1
        if self.quick_deaths >= _MAX_QUICK_DEATHS:
            raise GiveUp(
                f"{self.program.name} ended {self.quick_deaths} times in a row ({_how(status)}). "
                f"The end of its log, {self.log}:\n{_tail(self.log)}"
            )
        pause = min(_LONGEST_PAUSE, 0.5 * 2 ** (self.quick_deaths - 1))
        self._retry_at = time.monotonic() + pause
        self.say(f"{self.program.name}: ended ({_how(status)}), starts again in {pause:g} s. Log: {self.log}")


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _tail(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join(f"  {line}" for line in text)
