"""The sandbox itself: nothing leaves it, nothing outlives it, nothing of this machine is in it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backports.git import sandbox as module
from backports.git.errors import GitError
from backports.git.sandbox import Limits, Ran, Sandbox

CONNECT = "exec 3<>/dev/tcp/127.0.0.1/$0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    return inner


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def sh(folder: Path, line: str, **limits: float) -> Ran:
    return Sandbox(folder, Limits(**limits)).run(["sh", "-c", line])


def test_a_command_runs_in_its_folder_with_its_input_and_variables(folder: Path) -> None:
    ran = Sandbox(folder).run(
        ["sh", "-c", 'pwd; cat; echo "$BERTH"; echo made >made; exit 7'], variables={"BERTH": "a b"}, data=b"in\n"
    )
    assert (ran.code, ran.output, ran.cut) == (7, b"/tree\nin\na b\n", False)
    assert (folder / "made").read_bytes() == b"made\n"
    assert (folder / "made").stat().st_uid == os.getuid()


def test_it_reaches_no_server_that_listens_here(folder: Path, listener: socket.socket) -> None:
    """The same program connects outside and not inside, so it is the sandbox that keeps it back."""
    command = ["bash", "-c", CONNECT, str(listener.getsockname()[1])]
    listener.settimeout(20)
    with subprocess.Popen(command) as outside:
        listener.accept()[0].close()
    assert outside.returncode == 0
    ran = Sandbox(folder).run(command)
    assert ran.code == 1
    assert b"Connection refused" in ran.output
    listener.settimeout(0.2)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_there_is_no_network_card_but_a_loopback_of_its_own(folder: Path) -> None:
    ran = sh(folder, "tail -n +3 /proc/net/dev; cat /proc/net/route")
    devices = [line.split(b":")[0].strip() for line in ran.output.splitlines() if b":" in line]
    assert devices == [b"lo"]
    assert len(ran.output.splitlines()) == 2


def test_nothing_of_this_machine_is_in_it_but_programs(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "harbour-master")
    (tmp_path / "secret").write_text("harbour-master")
    ran = sh(
        folder, f"cat {tmp_path}/secret /etc/passwd /root/* /proc/*/environ; ls -a / /home /tmp /etc; env; hostname"
    )
    assert b"harbour-master" not in ran.output
    assert b"root:" not in ran.output
    assert socket.gethostname().encode() not in ran.output.splitlines()


def test_nothing_can_be_written_but_its_folder(folder: Path) -> None:
    ran = sh(
        folder,
        "for f in /usr/x /x /etc/x /bin/x /dev/../x /proc/sys/kernel/hostname /proc/sys/kernel/core_pattern; do "
        "(echo x >$f) 2>/dev/null && echo wrote $f; done; true",
    )
    assert b"wrote" not in ran.output
    assert not Path("/usr/x").exists()


def test_it_has_no_capabilities_and_sees_only_its_own_processes(folder: Path) -> None:
    ran = sh(folder, "grep Cap /proc/self/status; ls -d /proc/[0-9]*")
    lines = ran.output.splitlines()
    assert {line.split()[1] for line in lines if line.startswith(b"Cap") and b"Bnd" not in line} == {b"0" * 16}
    assert len([line for line in lines if line.startswith(b"/proc/")]) < 8
    assert f"/proc/{os.getpid()}".encode() not in lines or os.getpid() < 8


def test_what_takes_too_long_is_stopped_with_all_that_it_started(folder: Path) -> None:
    ran = sh(folder, "(while sleep 0.05; do date +%N >beat; done) & sleep 600", seconds=1.0)
    assert ran.code is None
    time.sleep(0.2)
    beat = (folder / "beat").read_bytes()
    time.sleep(0.3)
    assert (folder / "beat").read_bytes() == beat


def test_one_that_closes_its_output_is_still_waited_for_and_stopped(folder: Path) -> None:
    assert sh(folder, "exec >&- 2>&-; sleep 0.2; exit 4").code == 4
    assert sh(folder, "exec >&- 2>&-; sleep 600", seconds=0.5).code is None


def test_what_a_command_leaves_running_ends_with_it(folder: Path) -> None:
    ran = sh(folder, "(sleep 2; echo late >late) & echo started")
    assert (ran.code, ran.output) == (0, b"started\n")
    time.sleep(2.5)
    assert not (folder / "late").exists()


def test_output_beyond_the_limit_is_dropped_and_the_command_goes_on(folder: Path) -> None:
    ran = sh(folder, "yes | head -c 3000000; echo done >done", output=1000)
    assert (ran.code, ran.output, ran.cut) == (0, b"y\n" * 500, True)
    assert (folder / "done").exists()


def test_memory_and_file_sizes_have_limits(folder: Path) -> None:
    greedy = "dd if=/dev/zero of=/dev/null bs=300M count=1 2>/dev/null"
    assert sh(folder, greedy).code == 0
    assert sh(folder, greedy, memory=100 << 20).code != 0
    assert sh(folder, "head -c 3000000 /dev/zero >big", file_size=1 << 20).code != 0
    assert (folder / "big").stat().st_size == 1 << 20


def test_a_kernel_without_namespaces_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NAMESPACES", (("--no-such-namespace",), ("--no-such-namespace",)))
    module._working_namespaces.cache_clear()
    try:
        with pytest.raises(GitError) as told:
            sh(folder, "true")
    finally:
        module._working_namespaces.cache_clear()
    assert told.value.code == "sandbox-forbidden"
    assert "user namespaces" in told.value.sentence


def test_a_machine_without_bubblewrap_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    module._working_namespaces.cache_clear()
    try:
        with pytest.raises(GitError) as told:
            sh(folder, "true")
    finally:
        module._working_namespaces.cache_clear()
    assert told.value.code == "sandbox-missing"
