"""`manage.py serve` as a person meets it: the real parts, killed and asked in every way."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from backports.runtime import processes
from backports.runtime.embedded import CODE_DIR

_PARTS = re.compile(r"celery|gunicorn|backports\.runtime\.guardian|postgres -D|manage\.py serve")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(data: Path, port: int) -> dict[str, str]:
    dropped = {"TESTS_DATA", "DATABASE_URL", "BROKER_URL", "XEN_GIT"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    settings = {"DJANGO_SETTINGS_MODULE": "backports.settings", "DATA": str(data), "PORT": str(port), "DEMO": "0"}
    return {**kept, **settings}


class Serving:
    """A server started as `make run` starts it."""

    def __init__(self, data: Path, port: int, *arguments: str) -> None:
        self.data, self.port = data, port
        self.output = data.parent / f"output-{port}.txt"
        with self.output.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", *arguments],
                cwd=CODE_DIR,
                env=_environment(data, port),
                stdout=stream,
                stderr=stream,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def health(self) -> dict[str, object]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())
        except (OSError, ValueError):
            return {}

    def is_well(self) -> bool:
        return self.health().get("status") == "ok"

    def wait_until_well(self, seconds: float = 60) -> None:
        assert processes.wait_until(self.is_well, seconds, every=0.2), self.output.read_text() + str(self.health())

    def parts(self) -> dict[int, str]:
        """Every process of this server: each carries its data folder in its environment or command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (line := self._command_of(entry)):
                found[int(entry.name)] = line
        return found

    def _command_of(self, entry: Path) -> str:
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (entry / "environ").read_bytes()
        except OSError:
            return ""
        ours = f"DATA={self.data}\0".encode() in environment or str(self.data) in line
        return line if ours and _PARTS.search(line) else ""

    def pid_of(self, part: str) -> int:
        """The first process whose command line has `part` (the parent of a pool comes first)."""
        return min(pid for pid, line in self.parts().items() if part in line)

    def has_another(self, part: str, old: int) -> bool:
        """Whether the part runs again as another process."""
        return any(part in line and pid != old for pid, line in self.parts().items())

    def is_gone(self) -> bool:
        return not self.parts()


@pytest.fixture
def serving(open_folder: Path) -> Iterator[Serving]:
    server = Serving(open_folder / "data", _free_port())
    yield server
    if server.process.poll() is None:
        server.process.terminate()
    server.process.wait(60)
    assert processes.wait_until(server.is_gone, 30), server.parts()


def test_a_server_from_nothing_through_every_kill_to_the_second_start(serving: Serving) -> None:
    serving.wait_until_well()
    assert set(serving.health()) == {"status", "parts"}

    again = Serving(serving.data, _free_port())
    assert again.process.wait(30) == 1
    assert f"already running on {serving.data} at http://127.0.0.1:{serving.port}/" in again.output.read_text()

    taken = Serving(serving.data.parent / "other", serving.port)
    assert taken.process.wait(30) == 1
    assert f"Port {serving.port} is in use" in taken.output.read_text()
    assert "PORT=" in taken.output.read_text()

    for part in ("celery -A backports.celery worker", "gunicorn", "postgres -D", "runtime.guardian"):
        pid = serving.pid_of(part)
        os.kill(pid, signal.SIGKILL)
        assert processes.wait_until(lambda pid=pid: not processes.is_alive(pid), 10)
        assert processes.wait_until(lambda part=part, pid=pid: serving.has_another(part, pid), 30)
        serving.wait_until_well()

    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(60) == 0
    assert processes.wait_until(serving.is_gone, 10), serving.parts()
    assert serving.output.read_text().rstrip().endswith("Stopped.")

    second = Serving(serving.data, _free_port(), "--port", str(serving.port))
    second.port = serving.port
    second.wait_until_well()
    environment = Path("/proc", str(second.pid_of("gunicorn")), "environ").read_bytes().split(b"\0")
    assert b"PORT=%d" % second.port in environment  # where links begin
    second.process.terminate()
    assert second.process.wait(60) == 0


def test_a_killed_supervisor_leaves_nothing_behind(serving: Serving) -> None:
    serving.wait_until_well()
    serving.process.kill()
    serving.process.wait()
    assert processes.wait_until(serving.is_gone, 40), serving.parts()
