"""The keeper of the embedded server: `python -m backports.runtime.guardian DATA [--not-durable]`.

Every process that uses the database holds a shared lock (`run/postgres.users`). The guardian starts the
server, starts it again when it dies, and waits for that lock alone: it gets it in the moment when the last
user ends, however that user ended, and then stops the server. When the guardian itself is killed, the
kernel tells the server to stop.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from backports.runtime import postgres, processes
from backports.runtime.errors import PlatformError
from backports.runtime.locks import FileLock
from backports.runtime.place import open_place, programs

USERS_LOCK = "run/postgres.users"
START_LOCK = "run/postgres.start"
GUARDIAN_LOCK = "run/postgres.guardian"
LOG = "log/postgres.log"
# Deaths of the server within this many seconds of its start count as one run of failures.
_QUICK = 10.0
_MAX_QUICK_DEATHS = 5


def main(arguments: list[str]) -> int:
    """Keep the server until nobody uses it; one line on standard output tells the starter how it went."""
    data_dir = Path(arguments[0]).resolve()
    alone = FileLock(data_dir / GUARDIAN_LOCK)
    # Those who ask whether there is a guardian hold the lock for a blink.
    if not processes.wait_until(lambda: alone.acquire(wait=False), 2.0):
        return _tell("ready ")
    # A stop that was asked for during the start is kept for the loop.
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    try:
        server, note = _prepare(data_dir, durable="--not-durable" not in arguments)
        process = server.start(data_dir / LOG)
        server.provision()
    except PlatformError as error:
        _tell(f"failed {error.code} {error.sentence}")
        return 1
    _tell(f"ready {note}")
    _detach_output()
    return _keep(server, process, data_dir, ended)


def _prepare(data_dir: Path, *, durable: bool) -> tuple[postgres.Server, str]:
    place, note = open_place(data_dir)
    major, folder = programs(place)
    server = postgres.Server(place, folder, major, durable)
    server.make_cluster()
    return server, note


def _keep(server: postgres.Server, process: subprocess.Popen[bytes], data_dir: Path, ended: threading.Event) -> int:
    threading.Thread(target=_wait_for_last_user, args=(data_dir, ended), daemon=True).start()
    started, deaths = time.monotonic(), 0
    while not ended.wait(0.1):
        if process.poll() is None:
            continue
        processes.kill_group(process.pid)
        deaths = deaths + 1 if time.monotonic() - started < _QUICK else 1
        if deaths >= _MAX_QUICK_DEATHS:
            return 1
        time.sleep(0.2 * deaths)
        try:
            process = server.start(data_dir / LOG)
        except PlatformError:
            continue
        started = time.monotonic()
    postgres.stop(process)
    return 0


def _wait_for_last_user(data_dir: Path, ended: threading.Event) -> None:
    # Never released: a new user waits until this process is gone, and then starts the server anew.
    FileLock(data_dir / USERS_LOCK).acquire()
    ended.set()


def _tell(line: str) -> int:
    sys.stdout.write(line.replace("\n", " ") + "\n")
    sys.stdout.flush()
    return 0


def _detach_output() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
