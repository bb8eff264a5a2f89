"""One PostgreSQL server process on a `Place`: made, started, asked, stopped.

No TCP: it listens on a socket in a folder that only its own account (and root) can enter, which is why
`trust` is enough.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from backports.runtime import processes, provision
from backports.runtime.errors import PlatformError
from backports.runtime.place import PORT, Place, is_reachable

START_SECONDS = 60.0
STOP_SECONDS = 30.0

_SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    # The log holds no statement and no value of a row: either may be under embargo.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postmaster:
    """What the server wrote about itself in postmaster.pid."""

    pid: int
    status: str


@dataclass(frozen=True)
class Server:
    """The server of one place. `durable` off gives up crash safety for speed: for tests only."""

    place: Place
    bin: Path
    major: int
    durable: bool = True

    def make_cluster(self) -> None:
        """initdb, when there is no cluster yet; a half-made one is made again."""
        if (self.place.data / "PG_VERSION").exists():
            return
        status, output = processes.run(
            [self.bin / "initdb", "--pgdata", self.place.data, *self._initdb_options()],
            cwd=self.place.home,
            account=self.place.account,
        )
        if status != 0:
            raise PlatformError(
                "initdb-failed", f"PostgreSQL could not make its data in {self.place.data}: {_last(output)}"
            )

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers. Raises PlatformError with the end of its log."""
        self._check_reachable()
        clear_leftovers(self.place)
        command: list[str | Path] = [self.bin / "postgres", "-D", self.place.data, *self._options()]
        with log.open("ab") as output:
            begin = output.tell()
            process = processes.start(
                command,
                output=output,
                cwd=self.place.home,
                env=_clean_environment(),
                account=self.place.account,
                death_signal=signal.SIGINT,
            )
        processes.wait_until(lambda: process.poll() is not None or self._answers(process.pid), START_SECONDS)
        if not self._answers(process.pid):
            stop(process)
            raise PlatformError(
                "postgres-failed", f"PostgreSQL did not start: {_last(_read_from(log, begin))} (log: {log})"
            )
        return process

    def provision(self) -> None:
        """Make or mend the roles and the database."""
        status, output = processes.run(
            [
                self.bin / "psql",
                "--no-psqlrc",
                "--quiet",
                "-h",
                self.place.socket,
                "-p",
                PORT,
                "-U",
                "postgres",
                "postgres",
            ],
            cwd=self.place.home,
            account=self.place.account,
            input_text=provision.SQL,
        )
        if status != 0:
            raise PlatformError("provisioning-failed", f"The database roles could not be made: {_last(output)}")

    def _initdb_options(self) -> list[str]:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        if self.major >= 17:
            # The same order and case rules on every machine, whatever its C library.
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return options if self.durable else [*options, "--no-sync"]

    def _answers(self, pid: int) -> bool:
        found = read_postmaster(self.place.data)
        return found is not None and found.pid == pid and found.status == "ready"

    def _options(self) -> list[str]:
        settings = {
            **_SETTINGS,
            "unix_socket_directories": _quoted(self.place.socket),
            **self._version_settings(),
        }
        if not self.durable:
            settings.update(_NOT_DURABLE)
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _version_settings(self) -> dict[str, str]:
        # From 18 on the server starts I/O workers, which a small database on two cores does not need.
        return {"io_method": "sync"} if self.major >= 18 else {}

    def _check_reachable(self) -> None:
        if self.place.account and not is_reachable(self.place.home.parent):
            raise PlatformError(
                "data-unreachable",
                f"The account {self.place.account.name} can no longer reach {self.place.home}. Let it pass "
                f"the folders above (chmod o+x), or name another data folder: make run DATA=/some/folder",
            )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown (sessions are cut, nothing is lost); the hard way when that takes too long."""
    processes.end(process, signal.SIGINT, STOP_SECONDS)


def read_postmaster(data: Path) -> Postmaster | None:
    """What postmaster.pid says; None when there is none or it is half written."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").split("\n")
        return Postmaster(int(lines[0]), lines[7].strip() if len(lines) > 7 else "")
    except (OSError, ValueError):
        return None


def clear_leftovers(place: Place) -> None:
    """Stop a server that outlived its keeper; remove lock files whose process id is another's."""
    found = read_postmaster(place.data)
    if found and processes.is_alive(found.pid) and _is_our_server(found.pid, place):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGINT)
        if not processes.wait_until(lambda: not processes.is_alive(found.pid), STOP_SECONDS):
            raise PlatformError(
                "postgres-hangs",
                f"An earlier PostgreSQL server (process {found.pid}) still uses {place.data} and does not "
                "stop. End it by hand.",
            )
    elif found and Path("/proc/self").exists():
        (place.data / "postmaster.pid").unlink(missing_ok=True)
        (place.socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _is_our_server(pid: int, place: Place) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists()
    return Path(os.fsdecode(command[0])).name == "postgres" and os.fsencode(place.data) in command


def _quoted(folder: Path) -> str:
    return f'"{folder}"'


def _clean_environment() -> dict[str, str]:
    kept = ("PATH", "TZDIR")
    return {"LC_ALL": "C", **{name: os.environ[name] for name in kept if name in os.environ}}


def _read_from(log: Path, offset: int) -> str:
    with log.open("rb") as stream:
        stream.seek(offset)
        return stream.read().decode(errors="replace")


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
