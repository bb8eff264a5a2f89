"""The server as a person has it: `manage.py serve` with a data folder of its own."""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backports.runtime.embedded import CODE_DIR

_DROPPED = (
    "TESTS_DATA",
    "TESTS_DATA_MAKER",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "BROKER_URL",
    "XEN_GIT",
    "EMAIL_URL",
)
START_SECONDS = 90.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], what: str, seconds: float, every: float = 0.2) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(every)


@dataclass
class App:
    """An authenticator app with one key, which shows no code twice; one of half a minute ago or ahead is right too."""

    key: str
    step: int = 0

    def code(self) -> str:
        self.step = max(self.step + 1, oldest_step(time.time()))
        wait_until(lambda: self.step <= int(time.time()) // 30 + 1, "the app shows another code", 60)
        mac = hmac.digest(base64.b32decode(self.key), struct.pack(">Q", self.step), "sha1")
        (number,) = struct.unpack_from(">I", mac, mac[-1] & 15)
        return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def oldest_step(now: float) -> int:
    """The first of the app's codes that the server takes for another 15 seconds at least; it takes the one before."""
    return int(now) // 30 - (now % 30 < 15)


@dataclass
class Server:
    """One run of it; `output` is what it printed."""

    data: Path
    output: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    codes: dict[str, App] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        own = {"DATA": str(self.data), "PORT": str(self.port), "DEMO": "1", "WORKERS": "2"}
        return {**kept, **own, "DJANGO_SETTINGS_MODULE": "backports.settings"}

    def start(self) -> None:
        with self.output.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=CODE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    def stop(self) -> int:
        """Ctrl-C; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def wait_until_loaded(self) -> None:
        """Until every part is up, the demo is there and all its cells have been tried."""
        wait_until(lambda: self.get("/healthz")[0] == 200, "every part is up", START_SECONDS)
        wait_until(lambda: "demo: loaded." in self.output.read_text(), "the demo is loaded", START_SECONDS)
        wait_until(lambda: b"hx-get" not in self.get("/r/demo/progress/")[1], "the demo is tried", START_SECONDS)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body as a stranger gets them; status 0 when there is no answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def manage(self, *args: str) -> str:
        """What a command of manage.py prints; it shares the server's data."""
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(command, cwd=CODE_DIR, env=self.environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def password(self, username: str) -> str:
        return self._account(username)[2]

    def code(self, username: str) -> str:
        """A code of a demo person's app that was not used yet; waits for the next one where it must."""
        return self.codes.setdefault(username, App(self._account(username)[4])).code()

    def _account(self, username: str) -> list[str]:
        rows = (line.split() for line in (self.data / "demo-accounts.txt").read_text().splitlines())
        return next(words for words in rows if words[0] == username)

    @contextlib.contextmanager
    def workers_asleep(self) -> Iterator[None]:
        """No worker works inside the block; messages wait."""
        group = self.worker_group()
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    def worker_group(self) -> int:
        """The process group of this server's worker."""
        mark = f"DATA={self.data}\0".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                if b"celery\0" in line and b"\0worker\0" in line and mark in (entry / "environ").read_bytes():
                    return os.getpgid(int(entry.name))
        raise AssertionError("There is no worker.")
