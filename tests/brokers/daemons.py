"""Redis and RabbitMQ on loopback ports of their own, in a folder of their own, ended by their process ids."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

INSTALL = "{} is missing. Install it: apt-get install --no-install-recommends redis-server rabbitmq-server"
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find(program: str) -> str:
    """The program's path; fails with the sentence that says how to install it."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert path, INSTALL.format(program)
    return path


Ready = Callable[[], str]
"""Waits until the broker answers, and gives its URL."""


@contextlib.contextmanager
def filesystem(_: Path) -> Iterator[Ready]:
    """The default: no URL at all, files in the data folder."""
    yield str


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[Ready]:
    """A server that writes nothing to disk."""
    port = free_port()
    command = [find("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with daemon([*command, "--dir", str(folder)], folder / "redis.log", {}):

        def ready() -> str:
            wait_until(lambda: answers(port, b"PING\r\n", b"+PONG"), "Redis", folder / "redis.log")
            return f"redis://127.0.0.1:{port}/0"

        yield ready


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[Ready]:
    """A node with its own name server (epmd), home, cookie, configuration and plugins."""
    assert RABBITMQ.exists(), INSTALL.format("rabbitmq-server")
    port, names = free_port(), free_port()
    environment = rabbitmq_environment(folder, port, names)
    epmd = [find("epmd"), "-port", str(names), "-address", "127.0.0.1"]
    with daemon(epmd, folder / "epmd.log", environment), daemon([str(RABBITMQ)], folder / "node.log", environment):

        def ready() -> str:
            greeting, log = b"AMQP\x00\x00\x09\x01", folder / "node.log"
            wait_until(lambda: answers(port, greeting, b"\x01\x00\x00"), "RabbitMQ", log)
            return f"amqp://guest:guest@127.0.0.1:{port}//"

        yield ready


def rabbitmq_environment(folder: Path, port: int, names: int) -> dict[str, str]:
    configuration = folder / "rabbitmq.conf"
    configuration.write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\nvm_memory_high_watermark.relative = 0.9\n"
        "disk_free_limit.absolute = 1MB\nlog.console.level = warning\n"
    )
    (folder / "enabled_plugins").write_text("[].\n")
    return {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(configuration),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_NODENAME": f"backports-tests-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
    }


@contextlib.contextmanager
def daemon(command: list[str], log: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a session of its own; the whole session is killed at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and everything in its session's group, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def answers(port: int, question: bytes, answer: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as stream:
            stream.settimeout(1)
            stream.sendall(question)
            return stream.recv(64).startswith(answer)
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], what: str, log: Path, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s. {log.read_text()[-2000:]}"
        time.sleep(0.05)
