"""Real workers and the real scheduler as child processes, on a broker."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from celery import Celery
from django.conf import settings

from backports.models import Heartbeat
from backports.runtime.embedded import CODE_DIR
from backports.runtime.programs import programs
from tests.brokers.daemons import kill

LEASE_SECONDS = 4
START_SECONDS = 40.0
WAIT_SECONDS = 40.0
DONE = "attempt done attempt={}"


class Crew:
    """Everything that runs beside the test; `url` is empty for the default broker."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start_worker(self, name: str) -> None:
        """One worker as the server runs it, with one process that works and a name of its own."""
        command = [part for part in programs(0, 1)[0].command if not part.startswith("--hostname")]
        self._start(name, [*command, f"--hostname={name}@%h"])

    def start_scheduler(self) -> None:
        self._start("scheduler", [*programs(0, 1)[1].command, f"--schedule={self.folder / 'schedule'}"])

    def _start(self, name: str, command: list[str]) -> None:
        with self.log(name).open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=CODE_DIR,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        own = {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "ATTEMPT_LEASE": str(LEASE_SECONDS),
            "RESEND_AFTER": "2",
            "SWEEP_EVERY": "1",
            "FETCH_EVERY": "3600",
        }
        return {**os.environ, **own, **({"TESTS_BROKER_URL": self.url} if self.url else {})}

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def wait_for_workers(self, *names: str) -> None:
        """Until each has said that it is alive."""
        found = Heartbeat.objects.filter(name__in=[f"{name}@{os.uname().nodename}" for name in names])
        self.wait_until(lambda: found.count() == len(names), f"heartbeats of {names}", START_SECONDS)

    def wait_until(
        self, holds: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS, every: float = 0.05
    ) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.logs()}"
            time.sleep(every)

    def logs(self) -> str:
        return "\n".join(f"--- {name}\n{self.log(name).read_text()[-1500:]}" for name in self.processes)

    def who_finished(self, pk: object) -> list[str]:
        """The names of the workers that wrote this attempt's outcome, once for each time."""
        line = DONE.format(pk)
        return [name for name in self.processes for _ in range(self.log(name).read_text().count(line))]

    def freeze(self, name: str) -> None:
        os.killpg(self.processes[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        os.killpg(self.processes[name].pid, signal.SIGCONT)

    def kill(self, name: str) -> None:
        """Parent and children at once, with nothing said to anybody."""
        kill(self.processes[name])

    def stop(self, name: str) -> None:
        """As the server stops it."""
        self.processes[name].send_signal(signal.SIGTERM)
        self.processes[name].wait(30)

    def send(self, pk: object) -> None:
        """One more message about an attempt, past the services."""
        app = Celery(broker=self.url or settings.CELERY_BROKER_URL, set_as_current=False)
        app.conf.broker_transport_options = {} if self.url else settings.CELERY_BROKER_TRANSPORT_OPTIONS
        if not self.url:
            app.conf.broker_transport = settings.CELERY_BROKER_TRANSPORT
        app.send_task("backports.run_attempts", args=[str(pk)])
        app.close()

    def end(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                kill(process)
