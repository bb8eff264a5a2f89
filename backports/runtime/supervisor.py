"""`make run`: starts every part in order, watches them, and stops whatever it started."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backports.runtime import processes
from backports.runtime.embedded import Use, prepare_base
from backports.runtime.errors import PlatformError
from backports.runtime.loading import ACCOUNTS, Job, Loader, jobs
from backports.runtime.locks import FileLock
from backports.runtime.programs import Child, GiveUp, Program, programs

_READY_SECONDS = 60.0
_SAME_REQUEST = 1.0


@dataclass(frozen=True)
class Plan:
    """What to run.

    `own_database` is off when DATABASE_URL names a server, `compiles` on when a branch has a compile command.
    """

    data_dir: Path
    port: int
    workers: int
    demo: bool
    xen_git: str
    own_database: bool
    compiles: bool = False

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}/"


class Supervisor:
    """One run. `prepare` brings the database and the static files up to date, once the database is up."""

    def __init__(self, plan: Plan, *, prepare: Callable[[], None]) -> None:
        self.plan = plan
        self._prepare = prepare
        self._stop_asked = 0.0
        self._impatient = False
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._ready = False
        self._warned = False
        self._use: Use | None = None
        self._children: list[Child] = []
        self._loader: Loader | None = None

    def run(self) -> int:
        """Serve until a signal; the exit status."""
        self._listen_to_signals()
        try:
            base = prepare_base(self.plan.data_dir)
            with _only_one(base, self.plan.address):
                _check_port(self.plan.port)
                return self._serve(base)
        except PlatformError as error:
            say(error.sentence)
            return 1

    def _serve(self, base: Path) -> int:
        try:
            self._start(base)
            while not self._stop.wait(0.25):
                self._look_after_everything()
        except GiveUp as reason:
            say(f"Giving up: {reason}")
            return 1
        finally:
            self._end()
        return 0

    def _start(self, base: Path) -> None:
        say(f"Starting; data and logs are in {base}")
        if self.plan.own_database:
            self._use = Use(base)
            self._use.begin()
            for note in self._use.notes:
                say(note)
        self._prepare()
        self._children = [Child(program, base / "log", say) for program in self._programs()]
        pending = jobs(base, demo=self.plan.demo, xen_git=self.plan.xen_git)
        self._loader = Loader(pending, say, self._loaded)

    def _programs(self) -> list[Program]:
        return programs(self.plan.port, self.plan.workers, compiles=self.plan.compiles)

    def _look_after_everything(self) -> None:
        for child in self._children:
            child.watch()
        if self._use and not self._use.is_kept():
            say("database: its keeper ended, starts again.")
            self._use.revive()
        if not self._ready:
            self._check_ready()
        elif self._loader:
            self._loader.step()

    def _check_ready(self) -> None:
        status, failing = _ask(self.plan.address + "healthz")
        waited = time.monotonic() - self._began
        if status == 200:
            self._ready = True
            say(f"Ready after {waited:.1f} s: {self.plan.address}   (Ctrl-C stops everything)")
            self._show_accounts()
        elif waited > _READY_SECONDS and not self._warned:
            self._warned = True
            say(f"Not ready after {waited:.0f} s; failing: {failing}. Logs: {self.plan.data_dir / 'log'}")

    def _loaded(self, job: Job) -> None:
        say(f"{job.name}: loaded.")

    def _show_accounts(self) -> None:
        path = self.plan.data_dir / ACCOUNTS
        if path.exists():
            say(f"Demo accounts (also in {path}):\n{path.read_text().rstrip()}")

    def _end(self) -> None:
        say("Stopping.")
        if self._loader:
            self._loader.stop()
        for child in reversed(self._children):
            child.stop(at_once=lambda: self._impatient)
        if self._use and not self._use.end(wait=20.0):
            say("The database stays up for another command that uses it.")
        say("Stopped.")

    def _listen_to_signals(self) -> None:
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._on_signal)
        if os.environ.get("FOLLOW_PARENT"):
            processes.follow_parent(signal.SIGTERM, os.getppid())

    def _on_signal(self, _number: int, _frame: object) -> None:
        # make and the terminal may both pass on one request; a person who asks again means it.
        now = time.monotonic()
        if self._stop.is_set() and now - self._stop_asked > _SAME_REQUEST:
            self._impatient = True
        elif not self._stop.is_set():
            self._stop_asked = now
        self._stop.set()


def say(line: str) -> None:
    """A line for the person at the terminal, who may have gone."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


@contextlib.contextmanager
def _only_one(base: Path, address: str) -> Iterator[None]:
    lock = FileLock(base / "run" / "serve.lock")
    note = base / "run" / "serve.json"
    if not lock.acquire(wait=False):
        raise PlatformError("already-running", _who_is_running(note, base))
    try:
        note.write_text(json.dumps({"pid": os.getpid(), "address": address}))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _who_is_running(note: Path, base: Path) -> str:
    try:
        found = json.loads(note.read_text())
        where = f"at {found['address']} (process {found['pid']})"
    except (OSError, ValueError, KeyError):
        where = "(it is just starting or stopping)"
    return (
        f"A server is already running on {base} {where}. "
        "Stop that one with Ctrl-C, or name another data folder and port: make run DATA=/some/folder PORT=8001"
    )


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            used = getattr(error, "errno", None) == errno.EADDRINUSE
            reason = "is in use by another program" if used else f"cannot be used ({error})"
            raise PlatformError("port", f"Port {port} {reason}. Choose another: make run PORT=8001") from error


def _ask(url: str) -> tuple[int, str]:
    """(HTTP status or 0, names of the parts that fail) of /healthz."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError, AttributeError):
            parts = json.loads(error.read()).get("parts", {})
            return error.code, ", ".join(name for name, state in parts.items() if state != "ok")
        return error.code, f"web (HTTP {error.code})"
    except OSError:
        return 0, "web"
