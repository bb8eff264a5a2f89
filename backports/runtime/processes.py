"""Starting programs that die with us, and ending them with everything that they started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from backports.runtime.account import Account

_PR_SET_PDEATHSIG = 1


def follow_parent(sig: signal.Signals, parent: int) -> None:
    """Have the kernel send `sig` to this process when its parent ends, however it ends (on Linux).

    `parent` is the expected parent's process id: when that has ended already, the signal is sent at once.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), sig)


def start(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with both outputs going to `output`, which ends when we end.

    Call it from the main thread: the kernel counts the end of the starting thread as the end of the parent.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=env,
        start_new_session=True,
        preexec_fn=_bind_to_parent(death_signal),  # noqa: PLW1509  it runs before any thread of the child exists
        **_as_account(account),
    )


def _bind_to_parent(sig: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()
    return lambda: follow_parent(sig, parent)


def _as_account(account: Account | None) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def run(command: Sequence[str | Path], *, cwd: Path, account: Account | None, input_text: str = "") -> tuple[int, str]:
    """Run a program to its end; (exit status, both outputs together)."""
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        input=input_text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=cwd,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
        **_as_account(account),
    )
    return done.returncode, done.stdout


def is_alive(pid: int) -> bool:
    """Whether there is such a process (a zombie counts as ended where /proc can tell)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except (OSError, IndexError):
        return not Path("/proc/self").exists()


def wait_until(condition: Callable[[], bool], seconds: float, *, every: float = 0.05) -> bool:
    """Ask `condition` until it holds or the time is over; its last answer."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return condition()
        time.sleep(every)
    return True


def end(process: subprocess.Popen[bytes], sig: signal.Signals, seconds: float) -> bool:
    """Ask a program to end, after `seconds` kill what is left of its group; True when it went by itself."""
    if process.poll() is None:
        process.send_signal(sig)
    went = wait_until(lambda: process.poll() is not None, seconds)
    kill_group(process.pid)
    process.wait()
    return went


def kill_group(pid: int) -> None:
    """Kill what is left of the process group of a program that `start` started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
