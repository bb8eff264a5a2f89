"""Runs commands where they see no network and nothing of this machine but its programs.

bubblewrap makes the place: namespaces of its own for network, processes, users and the rest, no
capabilities, an empty environment, `/usr` and what belongs to it for reading, memory behind `/tmp` and
`/home`, and one folder that can be written, as `/tree`. What a command starts ends with it.
"""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import GitError

WORK = "/tree"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROBE_SECONDS = 20.0
MEMORY_BEHIND_FOLDERS = 512 * 1024 * 1024
OPEN_FILES = 4096
# Namespaces in order of preference. The last one is for root where the kernel gives no user namespaces.
_NAMES = ("--uid", "1000", "--gid", "1000")
NAMESPACES = (
    ("--unshare-all", "--unshare-user", "--disable-userns", *_NAMES),
    ("--unshare-all", "--unshare-user", *_NAMES),
    ("--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
)
_ALWAYS = ("--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--hostname", "sandbox")
# Root may write kernel settings by who it is, whatever capabilities it lacks: /proc is for reading.
_KERNEL = ("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev")
_BESIDE_USR = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_OF_ETC = ("/etc/alternatives", "/etc/ld.so.cache")
_ENVIRONMENT = {"PATH": PATH, "HOME": "/home", "TMPDIR": "/tmp", "LC_ALL": "C", "TZ": "UTC"}  # noqa: S108 - its own
_CHUNK = 1 << 16
_MISSING = "bubblewrap is not installed; install it (Debian: apt-get install bubblewrap), then try again."
_FORBIDDEN = (
    "bubblewrap cannot make a sandbox here: the kernel or the container forbids new namespaces. Allow user namespaces "
    "(sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0), or switch the compile commands off."
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use.

    Wall seconds and bytes of output in all; bytes of memory and of a file, and processor seconds (as many),
    for each process; and how many processes (of an ordinary user's: the kernel lets root have more).
    """

    seconds: float = 900.0
    memory: int = 4 << 30
    file_size: int = 1 << 30
    processes: int = 512
    output: int = 8 << 20


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: `code` is its exit status, None when it was stopped because its time was over.

    `output` is all that it wrote, to both its outputs; `cut` when it wrote more than is kept.
    """

    code: int | None
    output: bytes
    cut: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A folder, and what commands in it may use. `shown` are more paths that they may read."""

    folder: Path
    limits: Limits = field(default_factory=Limits)
    shown: tuple[Path, ...] = ()

    def run(self, command: Sequence[str], *, variables: Mapping[str, str] | None = None, data: bytes = b"") -> Ran:
        """Runs a program in `/tree`, with `data` as its input.

        Raises GitError `sandbox-missing`, `sandbox-forbidden`.
        """
        limited = ["prlimit", *self._limits(), "--", *command]
        return self._start([*namespaces(), *_ALWAYS, *self._places(), *_variables(variables or {})], limited, data)

    def _places(self) -> Iterator[str]:
        yield from _system()
        yield from _KERNEL
        for folder in ("/tmp", "/home"):  # noqa: S108 - the sandbox's own
            yield from ("--size", str(MEMORY_BEHIND_FOLDERS), "--tmpfs", folder)
        for path in self.shown:
            yield from ("--ro-bind", str(path), str(path))
        yield from ("--bind", str(self.folder), WORK, "--chdir", WORK, "--remount-ro", "/")

    def _limits(self) -> Iterator[str]:
        limits = self.limits
        yield f"--cpu={max(1, round(limits.seconds))}"
        yield f"--as={limits.memory}"
        yield f"--fsize={limits.file_size}"
        yield f"--nproc={limits.processes}"
        yield from (f"--nofile={OPEN_FILES}", "--core=0")

    def _start(self, options: Sequence[str], command: Sequence[str], data: bytes) -> Ran:
        began = time.monotonic()
        told, tell = os.pipe()
        try:
            with tempfile.TemporaryFile(dir=self.folder.parent) as given:
                given.write(data)
                given.seek(0)
                process = _bwrap(["--json-status-fd", str(tell), *options, "--", *command], given.fileno(), tell)
            with process:
                output, cut, late = _collect(process, began + self.limits.seconds, self.limits.output)
        finally:
            os.close(tell)
            status = _read(told)
        code = None if late else _exit_code(status)
        if code is None and not late:
            raise GitError("sandbox-forbidden", _FORBIDDEN)
        return Ran(code, output, cut, time.monotonic() - began)


def namespaces() -> tuple[str, ...]:
    """The options for namespaces that work on this machine, tried out once. Raises GitError as `Sandbox.run` does."""
    return _working_namespaces(os.geteuid() == 0)


@functools.cache
def _working_namespaces(root: bool) -> tuple[str, ...]:
    basics = (*_ALWAYS, *_system(), *_KERNEL, "--remount-ro", "/", "--", "prlimit", "--core=0", "--", "true")
    for options in NAMESPACES if root else NAMESPACES[:-1]:
        with _bwrap([*options, *basics], subprocess.DEVNULL) as process:
            _collect(process, time.monotonic() + PROBE_SECONDS, _CHUNK)
        if process.returncode == 0:
            return options
    raise GitError("sandbox-forbidden", _FORBIDDEN)


def _bwrap(arguments: Sequence[str], given: int, passed: int | None = None) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["bwrap", *arguments],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            cwd="/",
            pass_fds=() if passed is None else (passed,),
            start_new_session=True,
        )
    except OSError as error:
        raise GitError("sandbox-missing", _MISSING) from error


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for place in map(Path, _BESIDE_USR):
        if place.is_symlink():
            yield from ("--symlink", str(place.readlink()), str(place))
        elif place.is_dir():
            yield from ("--ro-bind", str(place), str(place))
    for name in _OF_ETC:
        yield from ("--ro-bind-try", name, name)


def _variables(more: Mapping[str, str]) -> Iterator[str]:
    for name, value in {**_ENVIRONMENT, **more}.items():
        yield from ("--setenv", name, value)


def _collect(process: subprocess.Popen[bytes], deadline: float, limit: int) -> tuple[bytes, bool, bool]:
    """What it writes until it ends: the first `limit` bytes, whether there were more, whether it was stopped."""
    kept, cut = bytearray(), False
    pipe = process.stdout.fileno() if process.stdout else 0
    try:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return bytes(kept), cut, True
            data = os.read(pipe, _CHUNK)
            if not data:
                return bytes(kept), cut, not _ended(process, deadline)
            cut = cut or len(kept) + len(data) > limit
            kept += data[: limit - len(kept)]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Waits for one that has closed its output."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _read(pipe: int) -> bytes:
    with os.fdopen(pipe, "rb") as stream:
        return stream.read(_CHUNK)


def _exit_code(status: bytes) -> int | None:
    """The exit status that bubblewrap tells of the command; None when it never got as far as starting it."""
    for line in status.splitlines():
        told = json.loads(line)
        if "exit-code" in told:
            return int(told["exit-code"])
    return None
